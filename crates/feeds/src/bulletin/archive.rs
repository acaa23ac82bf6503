//! The archive in which the exchange packs a bulletin.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::error::Fault;
use crate::rows::shortened;

/// The most that a bulletin unpacks to; true ones of 2026 have about 3 MB.
pub(super) const SIZE_BYTES_MAX: u64 = 64 << 20;

/// The most entries of which the table is looked for.
const ENTRIES_MAX: usize = 16;

/// Whether the bytes begin like an archive.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Unpacks the one table. What the archive says of sizes is not believed: unpacking stops past
/// [`SIZE_BYTES_MAX`]. The checksum of the entry is verified by the library.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let broken = |error: &dyn std::fmt::Display| Fault::Zip(shortened(&error.to_string()));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if archive.len() > ENTRIES_MAX {
        return Err(Fault::NotOneTable(format!("{} files", archive.len())));
    }
    let names = archive.file_names().map(|name| name.map(|name| name.to_lowercase()));
    let names = names.collect::<Result<Vec<_>, _>>().map_err(|error| broken(&error))?;
    let tables: Vec<usize> = (0..names.len()).filter(|i| names[*i].ends_with(".csv")).collect();
    // Some years have a second table with the same rows in English.
    let turkish: Vec<usize> =
        tables.iter().copied().filter(|i| !names[*i].contains("eng")).collect();
    let index = match (tables.as_slice(), turkish.as_slice()) {
        ([only], _) | (_, [only]) => *only,
        _ => {
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            return Err(Fault::NotOneTable(shortened(&names)));
        }
    };
    let entry = archive.by_index(index).map_err(|error| broken(&error))?;
    let mut table = Vec::new();
    entry.take(SIZE_BYTES_MAX + 1).read_to_end(&mut table).map_err(|error| broken(&error))?;
    if table.len() as u64 > SIZE_BYTES_MAX {
        return Err(Fault::TooManyBytes { size_bytes_max: SIZE_BYTES_MAX });
    }
    Ok(table)
}
