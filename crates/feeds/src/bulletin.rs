//! The exchange's end-of-day bulletin of the equity market (THB): the official prices as traded,
//! and who was in which index, suspended or settled gross on the day.
//!
//! A bulletin is a ZIP archive with one table, `;` between the cells, a Turkish and an English
//! header line. It names every instrument; [`parse_bulletin_csv`] keeps the shares (group `EQT`,
//! market `MSPOT`, suffix `.E`) and counts the rest in a note. A share that was not traded has no
//! bar; what the bulletin says of it on the day stays.

mod archive;
mod columns;
mod other_rows;
mod provider;
mod table;

use std::path::Path;

pub use provider::BulletinProvider;

use crate::bounded::read_file;
use crate::error::{Broken, FeedError};
use crate::provider::Batch;

/// Reads a bulletin from a file: the archive as the exchange publishes it, or the table in it.
///
/// # Errors
///
/// [`FeedError`] when the file cannot be read or understood; no row of such a file may be used.
pub fn read_bulletin(file: &Path) -> Result<Batch, FeedError> {
    let bytes = read_file(file, archive::SIZE_BYTES_MAX)?;
    let parsed = if archive::is_archive(&bytes) {
        zipped(&file.display().to_string(), &bytes)
    } else {
        table::parse(&file.display().to_string(), &bytes)
    };
    parsed.map_err(|broken| broken.of_file(file))
}

/// Reads a bulletin from the bytes of its archive; `file` names it in messages.
///
/// # Errors
///
/// [`FeedError::Broken`] when it is no archive with one table, or the table cannot be understood.
pub fn parse_bulletin_zip(file: &str, bytes: &[u8]) -> Result<Batch, FeedError> {
    zipped(file, bytes).map_err(|broken| broken.of_file(Path::new(file)))
}

/// Reads a bulletin from the bytes of its table; `file` names it in messages.
///
/// Rows that cannot be read are among the refused ones; [`Batch::rows_read`] is the sum of the
/// bars, the refused rows, the shares not traded and the rows of other instruments.
///
/// # Errors
///
/// [`FeedError::Broken`] when the columns cannot be told, or rows are of two days.
pub fn parse_bulletin_csv(file: &str, bytes: &[u8]) -> Result<Batch, FeedError> {
    table::parse(file, bytes).map_err(|broken| broken.of_file(Path::new(file)))
}

fn zipped(file: &str, bytes: &[u8]) -> Result<Batch, Broken> {
    table::parse(file, &archive::unpack(bytes)?)
}
