//! The folder of backups: one archive each, and a note beside it.

use std::cmp::Reverse;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::archive::{self, Hashed};
use super::error::BackupError;
use super::keys::BackupIdentities;
use super::manifest::BackupManifest;
use super::work::{Purpose, Work};
use crate::artifacts::on_disk;
use crate::whole_file::{Existing, write_whole};

/// What archives are called: their moment in UTC between these.
const PREFIX: &str = "bist-";
pub(super) const ARCHIVE_SUFFIX: &str = ".tar.zst.age";
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

/// What the note of an archive ends with.
const NOTE_SUFFIX: &str = ".json";

/// The folder of backups. It holds nothing open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFolder {
    path: PathBuf,
}

/// What is known of a backup without opening it; it lies beside the archive and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupNote {
    /// The SHA-256 of the archive, as hexadecimal digits.
    pub sha256: String,
    /// The program that made it.
    pub program_version: String,
    /// The newest step of the tables' history that it has.
    pub schema_version: i64,
    /// Which database it was: `sqlite` or `postgresql`.
    pub database: String,
    /// The rows of all its tables.
    pub rows_count: u64,
    /// Its bytes before they were compressed.
    pub unpacked_bytes: u64,
    /// How many artefacts could not be had.
    pub missing_artifacts_count: usize,
    /// When it was read as a whole last, and was right.
    pub verified_at: Option<Timestamp>,
}

impl BackupNote {
    pub(super) fn of(manifest: &BackupManifest, sha256: String) -> Self {
        Self {
            sha256,
            program_version: manifest.program_version.clone(),
            schema_version: manifest.schema_version,
            database: manifest.database.clone(),
            rows_count: manifest.rows_count(),
            unpacked_bytes: manifest.size_bytes(),
            missing_artifacts_count: manifest.missing_artifacts.len(),
            verified_at: None,
        }
    }
}

/// A backup of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The name of its file.
    pub name: String,
    /// The moment that it shows.
    pub created_at: Timestamp,
    /// The bytes of its file.
    pub size_bytes: u64,
    /// What was noted of it; `None` where the note is gone, as of one that was brought from elsewhere.
    pub note: Option<BackupNote>,
}

impl BackupFolder {
    /// The folder `path`, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the backup `name`.
    ///
    /// # Errors
    ///
    /// [`BackupError::NoSuchBackup`] when it cannot be the name of one.
    pub fn file_of(&self, name: &str) -> Result<PathBuf, BackupError> {
        match moment_of(name) {
            Some(_) => Ok(self.path.join(name)),
            None => Err(BackupError::NoSuchBackup(name.to_owned())),
        }
    }

    /// All backups that are there whole, the newest first.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`] when the folder cannot be read; that it is not there is no error.
    pub fn list(&self) -> Result<Vec<Backup>, BackupError> {
        let failed = |source| BackupError::file(&self.path, source);
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut backups = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(created_at) = moment_of(&name) else { continue };
            let size_bytes = match entry.metadata() {
                Ok(metadata) => metadata.len(),
                // It was removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            let note = self.note_of(&name);
            backups.push(Backup { name, created_at, size_bytes, note });
        }
        backups.sort_by_key(|backup| Reverse(backup.created_at));
        Ok(backups)
    }

    /// The backup `name`.
    ///
    /// # Errors
    ///
    /// [`BackupError::NoSuchBackup`] when there is none.
    pub fn backup(&self, name: &str) -> Result<Backup, BackupError> {
        let there = self.list()?.into_iter().find(|backup| backup.name == name);
        there.ok_or_else(|| BackupError::NoSuchBackup(name.to_owned()))
    }

    /// Reads the whole backup `name` without writing anything of it; `identities` open it.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when it is not what was written.
    pub fn verify(
        &self,
        name: &str,
        identities: &BackupIdentities,
    ) -> Result<BackupManifest, BackupError> {
        let backup = self.backup(name)?;
        let manifest = verify_file(&self.file_of(name)?, identities)?;
        let differs = moment_of(name).is_some_and(|at| at != second_of(manifest.created_at));
        if differs || backup.note.is_some_and(|note| note.rows_count != manifest.rows_count()) {
            return Err(BackupError::Damaged {
                backup: name.to_owned(),
                reason: "it is another backup than its name or its note says".to_owned(),
            });
        }
        Ok(manifest)
    }

    /// Reads the file of the backup `name` without opening it, and compares it with its note.
    ///
    /// # Errors
    ///
    /// [`BackupError::Damaged`] when it is another file.
    pub fn compare(&self, name: &str) -> Result<Backup, BackupError> {
        let (backup, path) = (self.backup(name)?, self.file_of(name)?);
        let failed = |source| BackupError::file(&path, source);
        let mut hashed = Hashed::new(io::sink());
        io::copy(&mut File::open(&path).map_err(failed)?, &mut hashed).map_err(failed)?;
        let sha256 = hashed.sha256();
        match &backup.note {
            Some(note) if note.sha256 != sha256 => Err(BackupError::Damaged {
                backup: name.to_owned(),
                reason: "the SHA-256 of its file is not the one that was noted".to_owned(),
            }),
            _ => Ok(backup),
        }
    }

    /// Changes what is noted of the backup `name`, if anything is.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`] when the note cannot be written.
    pub fn note(
        &self,
        name: &str,
        change: impl FnOnce(&mut BackupNote),
    ) -> Result<(), BackupError> {
        let Some(mut note) = self.note_of(name) else { return Ok(()) };
        change(&mut note);
        self.write_note(name, &note)
    }

    /// Removes the backups `names`; another process that works in the folder is waited for.
    ///
    /// # Errors
    ///
    /// [`BackupError::Busy`] when that one is not done for long, and the others when the system refuses.
    pub async fn remove(&self, names: Vec<String>) -> Result<(), BackupError> {
        if names.is_empty() {
            return Ok(());
        }
        let work = self.begin().await?;
        let folder = self.clone();
        on_disk(move || {
            let removed = folder.remove_files(&names);
            drop(work);
            removed
        })
        .await
    }

    fn remove_files(&self, names: &[String]) -> Result<(), BackupError> {
        for name in names {
            let file = self.file_of(name)?;
            // The archive first: a note without one is no backup.
            for path in [file, self.note_path(name)] {
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(BackupError::file(&path, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Begins to make or remove backups in the folder; another process that does is waited for.
    pub(super) async fn begin(&self) -> Result<Work, BackupError> {
        Work::begin(&self.path, Purpose::Making).await
    }

    pub(super) fn write_note(&self, name: &str, note: &BackupNote) -> Result<(), BackupError> {
        let path = self.note_path(name);
        let text = serde_json::to_vec_pretty(note).map_err(io::Error::from);
        let written = text
            .and_then(|text| write_whole(&path, Existing::Replace, |file| file.write_all(&text)));
        written.map_err(|source| BackupError::file(&path, source))
    }

    /// What is noted; a note that cannot be read is as good as none.
    fn note_of(&self, name: &str) -> Option<BackupNote> {
        serde_json::from_slice(&std::fs::read(self.note_path(name)).ok()?).ok()
    }

    fn note_path(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}{NOTE_SUFFIX}"))
    }
}

/// Reads the whole archive `path` without writing anything of it.
///
/// # Errors
///
/// [`BackupError`] when it is not what was written.
pub fn verify_file(
    path: &Path,
    identities: &BackupIdentities,
) -> Result<BackupManifest, BackupError> {
    let file = File::open(path).map_err(|source| BackupError::file(path, source))?;
    archive::read(file, path, identities, |_| Ok(io::sink()))
}

/// What the backup of the moment `at` is called.
pub(super) fn name_of(at: Timestamp) -> String {
    format!("{PREFIX}{}{ARCHIVE_SUFFIX}", at.strftime(MOMENT))
}

/// Whether a file that is called so is an archive.
pub(super) fn is_name(name: &str) -> bool {
    moment_of(name).is_some()
}

/// The moment in the name of an archive; `None` for any other file.
pub fn moment_of(name: &str) -> Option<Timestamp> {
    let text = name.strip_prefix(PREFIX)?.strip_suffix(ARCHIVE_SUFFIX)?;
    let moment = DateTime::strptime(MOMENT, text).ok()?;
    let moment = TimeZone::UTC.to_timestamp(moment).ok()?;
    // What could be written in two ways is no name.
    (name_of(moment) == name).then_some(moment)
}

/// The second in which `at` is.
fn second_of(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_moment_and_nothing_else_is_one() {
        let at = Timestamp::from_second(1_795_993_200).unwrap();
        let name = name_of(at);
        assert_eq!(name, "bist-20261129T230000Z.tar.zst.age");
        assert_eq!(moment_of(&name), Some(at));
        for other in [
            "bist-20261129T230000Z.tar.zst.age.json",
            "bist-20261129T230000Z.tar.zst",
            "../bist-20261129T230000Z.tar.zst.age",
            "bist-2026129T230000Z.tar.zst.age",
            "",
        ] {
            assert_eq!(moment_of(other), None, "{other}");
        }
    }
}
