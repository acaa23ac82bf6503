//! What a backup says about itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::copy::CopiedTable;

/// The form of backups that this program writes.
pub(super) const FORMAT: u32 = 1;

/// The form of the pieces of a log, and the newest that this program reads: earlier ones know no pieces.
pub(super) const FORMAT_OF_PIECES: u32 = 2;

/// The entry that comes first and names all others.
pub(super) const MANIFEST: &str = "manifest.json";

/// The entry of the database: a file of SQLite, whichever database was backed up.
pub(super) const DATABASE: &str = "bist.sqlite";

/// The entry of the configuration.
pub(super) const CONFIGURATION: &str = "configuration.toml";

/// The entry of the roots of the audit that were noted day by day.
pub(super) const AUDIT_ROOTS: &str = "audit-roots.log";

/// The entry of a segment with the pages that changed: of each its number, four bytes with the highest
/// first, and its bytes.
pub(super) const PAGES: &str = "pages";

/// What the names of artefacts begin with.
pub(super) const ARTIFACTS: &str = "models/";

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupManifest {
    /// The form of the archive.
    pub format: u32,
    /// The moment that the database shows; what was acknowledged before is in it.
    pub created_at: Timestamp,
    /// The program that made it.
    pub program_version: String,
    /// The newest step of the tables' history that the database has.
    pub schema_version: i64,
    /// Which database it was: `sqlite` or `postgresql`.
    pub database: String,
    /// All tables, with their rows; none of a piece of a log, whose rows are counted when it is restored.
    pub tables: Vec<BackupTable>,
    /// The root of the newest record of the audit; `None` before anything was on record, and of a piece of
    /// a log.
    pub audit_root: Option<String>,
    /// Artefacts that versions name and that were neither in the data directory nor in the bucket.
    pub missing_artifacts: Vec<String>,
    /// Which piece of which log it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogPiece>,
    /// The other entries of the archive, in their order.
    pub entries: Vec<BackupEntry>,
}

/// A piece of a shipped log: the base with which a generation begins, or a segment, which has what
/// changed after the piece before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPiece {
    /// The generation that it is of.
    pub generation: String,
    /// Its number there; that of the base is 0.
    pub number: u32,
    /// The SHA-256 of the archive before it, as hexadecimal digits; `None` of the base.
    pub previous_sha256: Option<String>,
    /// Bytes of a page of the database.
    pub page_size: u32,
    /// The pages of the database after it.
    pub pages_count: u32,
    /// What was acknowledged before this moment is in it, or in a piece before it.
    pub shown_from: Timestamp,
    /// What was begun after this moment is not.
    pub shown_until: Timestamp,
}

impl BackupManifest {
    /// The rows of all tables.
    pub fn rows_count(&self) -> u64 {
        self.tables.iter().map(|table| table.rows_count).sum()
    }

    /// How many artefacts of models there are.
    pub fn artifacts_count(&self) -> usize {
        self.entries.iter().filter(|entry| entry.name.starts_with(ARTIFACTS)).count()
    }

    /// The bytes of all entries, as they are before they are compressed.
    pub fn size_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size_bytes).sum()
    }
}

/// A table in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupTable {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows_count: u64,
    /// The SHA-256 of all its rows, as hexadecimal digits.
    pub sha256: String,
}

impl From<CopiedTable> for BackupTable {
    fn from(table: CopiedTable) -> Self {
        let CopiedTable { name, rows_count, sha256 } = table;
        Self { name: name.to_owned(), rows_count, sha256 }
    }
}

/// An entry of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupEntry {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size_bytes: u64,
    /// Their SHA-256, as hexadecimal digits.
    pub sha256: String,
}
