//! The archive that holds a model version: its entries and what its manifest says of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read as _, Write as _};

use bist_lifecycle::sha256_hex;
use bist_store::ARTIFACT_BYTES_MAX;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::training::CODE_VERSION;

/// What the manifest says it is of.
const FORMAT: &str = "bist-model";

/// The form that is written, and the only one that is read.
const FORMAT_NUMBER: u32 = 1;

/// The largest document beside the artefact, bytes.
const DOCUMENT_BYTES_MAX: u64 = 32 << 20;

/// The largest archive that is looked at: more than all its entries may have.
const ARCHIVE_BYTES_MAX: u64 = 512 << 20;

/// Why a file is not taken for one of a model.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It is something else, or is cut off.
    #[error(
        "it is no whole zip archive ({0}); give what `bist models export` wrote, or with LightGBM's \
         text --known-until and --horizon"
    )]
    NotAnArchive(String),
    /// It has more bytes than any file of a model.
    #[error("it has more than {ARCHIVE_BYTES_MAX} bytes, which no file of a model has")]
    TooLarge,
    /// An entry is missing.
    #[error("it has no entry {0}; give what `bist models export` wrote")]
    Missing(&'static str),
    /// An entry that is none of ours.
    #[error("it has an entry {0:?}, which no file of a model has")]
    Foreign(String),
    /// An entry unpacks to more than it may.
    #[error("its entry {entry} unpacks to more than {bytes_max} bytes")]
    EntryTooLarge {
        /// Which.
        entry: &'static str,
        /// The most that it may have.
        bytes_max: u64,
    },
    /// An entry cannot be unpacked.
    #[error("its entry {entry} cannot be unpacked: {reason}; export it anew")]
    Packed {
        /// Which.
        entry: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An entry is not the document that it is to be.
    #[error("its entry {entry} cannot be read: {source}")]
    Document {
        /// Which.
        entry: &'static str,
        /// Where, and which field.
        source: serde_json::Error,
    },
    /// A field of an entry says what cannot be.
    #[error("its entry {entry}, field {field}: {problem}")]
    Field {
        /// Which.
        entry: &'static str,
        /// Which, with dots between the levels.
        field: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

/// The entries beside the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// The model version.
    Version,
    /// The bytes of the model.
    Artifact,
    /// How the version came to stand where it stood.
    Changes,
    /// What is kept of the bars that it learned from; older versions have none.
    Snapshot,
}

impl Entry {
    const ALL: [Self; 4] = [Self::Version, Self::Artifact, Self::Changes, Self::Snapshot];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Version => "version.json",
            Self::Artifact => "artifact.json",
            Self::Changes => "changes.json",
            Self::Snapshot => "snapshot.json",
        }
    }

    const fn bytes_max(self) -> u64 {
        match self {
            Self::Artifact => ARTIFACT_BYTES_MAX,
            Self::Version | Self::Changes | Self::Snapshot => DOCUMENT_BYTES_MAX,
        }
    }

    /// A fault of a field of this entry.
    pub(super) fn wrong(self, field: impl Into<String>, problem: impl Into<String>) -> FileFault {
        FileFault::Field { entry: self.name(), field: field.into(), problem: problem.into() }
    }
}

/// Name of the entry that tells of the others.
const MANIFEST: &str = "manifest.json";

/// What the manifest says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    format_number: u32,
    program_version: String,
    exported_at: Timestamp,
    entries: BTreeMap<String, EntryFacts>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFacts {
    sha256: String,
    size_bytes: u64,
}

impl EntryFacts {
    fn of(bytes: &[u8]) -> Self {
        Self { sha256: sha256_hex(bytes), size_bytes: bytes.len() as u64 }
    }
}

/// The bytes of each entry.
pub(super) type Entries = BTreeMap<Entry, Vec<u8>>;

/// The archive of `entries`, the same bytes for the same entries and instant.
pub(super) fn pack(entries: &Entries, exported_at: Timestamp) -> std::io::Result<Vec<u8>> {
    let facts =
        |(entry, bytes): (&Entry, &Vec<u8>)| (entry.name().to_owned(), EntryFacts::of(bytes));
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        format_number: FORMAT_NUMBER,
        program_version: CODE_VERSION.to_owned(),
        exported_at,
        entries: entries.iter().map(facts).collect(),
    };
    let manifest = document(&manifest)?;
    let all = std::iter::once((MANIFEST, &manifest))
        .chain(entries.iter().map(|(entry, bytes)| (entry.name(), bytes)));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in all {
        archive.start_file(name, options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// `value` as one of the documents in an archive.
pub(super) fn document(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Takes the entries out of `file`. What it says of sizes is not believed: unpacking stops past what
/// an entry may have.
pub(super) fn unpack(file: File) -> Result<Entries, FileFault> {
    let broken = |error: &dyn std::fmt::Display| FileFault::NotAnArchive(error.to_string());
    let size_bytes = file.metadata().map_err(|error| broken(&error))?.len();
    if size_bytes > ARCHIVE_BYTES_MAX {
        return Err(FileFault::TooLarge);
    }
    let mut archive = ZipArchive::new(file).map_err(|error| broken(&error))?;
    let names = archive.file_names().map(|name| name.map(|name| name.into_owned()));
    let names = names.collect::<Result<Vec<_>, _>>().map_err(|error| broken(&error))?;
    let is_ours = |name: &str| name == MANIFEST || Entry::ALL.iter().any(|e| e.name() == name);
    if let Some(foreign) = names.iter().find(|name| !is_ours(name)) {
        return Err(FileFault::Foreign(foreign.chars().take(100).collect()));
    }
    if !names.iter().any(|name| name == MANIFEST) {
        return Err(FileFault::Missing(MANIFEST));
    }
    let manifest = unpack_entry(&mut archive, MANIFEST, DOCUMENT_BYTES_MAX)?;
    let manifest: Manifest = parse(MANIFEST, &manifest)?;
    manifest.check_format()?;
    let mut entries = Entries::new();
    for entry in Entry::ALL {
        let name = entry.name();
        let is_there = names.iter().any(|there| there == name);
        match manifest.entries.get(name) {
            Some(facts) if is_there => {
                let bytes = unpack_entry(&mut archive, name, entry.bytes_max())?;
                facts.check(name, &bytes)?;
                entries.insert(entry, bytes);
            }
            None if !is_there && entry == Entry::Snapshot => {}
            Some(_) | None if !is_there => return Err(FileFault::Missing(name)),
            Some(_) | None => return Err(of_manifest(format!("entries.{name}"), "it is missing")),
        }
    }
    Ok(entries)
}

impl Manifest {
    fn check_format(&self) -> Result<(), FileFault> {
        if self.format != FORMAT {
            let problem = format!("it is to be {FORMAT:?}; give what `bist models export` wrote");
            return Err(of_manifest("format", problem));
        }
        if self.format_number != FORMAT_NUMBER {
            let problem = format!(
                "it is {}, written by bist {}, and this program reads {FORMAT_NUMBER}; import it with \
                 the other one",
                self.format_number, self.program_version
            );
            return Err(of_manifest("format_number", problem));
        }
        Ok(())
    }
}

impl EntryFacts {
    /// Whether `bytes` of the entry `name` are the ones.
    fn check(&self, name: &'static str, bytes: &[u8]) -> Result<(), FileFault> {
        let found = Self::of(bytes);
        if *self == found {
            return Ok(());
        }
        let field = if self.size_bytes == found.size_bytes { "sha256" } else { "size_bytes" };
        let problem = "it is not that of the entry, which was changed; export it anew";
        Err(of_manifest(format!("entries.{name}.{field}"), problem))
    }
}

fn of_manifest(field: impl Into<String>, problem: impl Into<String>) -> FileFault {
    FileFault::Field { entry: MANIFEST, field: field.into(), problem: problem.into() }
}

fn unpack_entry(
    archive: &mut ZipArchive<File>,
    entry: &'static str,
    bytes_max: u64,
) -> Result<Vec<u8>, FileFault> {
    let broken =
        |error: &dyn std::fmt::Display| FileFault::Packed { entry, reason: error.to_string() };
    let packed = archive.by_name(entry).map_err(|error| broken(&error))?;
    let mut bytes = Vec::new();
    packed.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(FileFault::EntryTooLarge { entry, bytes_max });
    }
    Ok(bytes)
}

/// The document in the entry named `entry`.
pub(super) fn parse<T: DeserializeOwned>(
    entry: &'static str,
    bytes: &[u8],
) -> Result<T, FileFault> {
    serde_json::from_slice(bytes).map_err(|source| FileFault::Document { entry, source })
}
