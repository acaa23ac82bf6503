//! Taking a backup apart, and putting it in place: all of it or nothing.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::Copied;
use super::archive;
use super::error::BackupError;
use super::folder::name_of;
use super::keys::BackupIdentities;
use super::manifest::{ARTIFACTS, AUDIT_ROOTS, BackupManifest, CONFIGURATION, DATABASE};
use super::work::{Purpose, Work};
use crate::artifacts::on_disk;
use crate::db::{self, DatabaseAddress};
use crate::error::StoreError;
use crate::migrate;
use crate::pool::Store;
use crate::whole_file::{Existing, write_whole};

/// The configuration of a backup in the data directory, where it is in force for nobody.
const CONFIGURATION_RESTORED: &str = "configuration-of-backup.toml";

/// What follows the name of a file that was moved aside.
const ASIDE: &str = ".before-restore-";

/// Where a database of SQLite is restored to.
#[derive(Clone, Debug)]
pub struct Place {
    directory: PathBuf,
    database: PathBuf,
}

impl Place {
    /// The data directory `directory` with the database that `address` names; `None` when that is on
    /// another machine.
    pub fn of(directory: &Path, address: &DatabaseAddress) -> Option<Self> {
        let DatabaseAddress::Sqlite(file) = address else { return None };
        let database = file.clone().unwrap_or_else(|| directory.join(db::FILE_NAME));
        Some(Self { directory: directory.to_owned(), database })
    }

    /// Shows that something may be restored here: there is no database, or it is to be replaced and
    /// nobody has it open.
    ///
    /// # Errors
    ///
    /// [`BackupError::NotEmpty`] and [`BackupError::InUse`].
    pub async fn check(&self, existing: Existing) -> Result<(), BackupError> {
        if !self.is_filled() {
            return Ok(());
        }
        match existing {
            Existing::Keep => Err(BackupError::NotEmpty(self.directory.clone())),
            Existing::Replace => self.show_alone().await,
        }
    }

    fn is_filled(&self) -> bool {
        self.database.exists() || self.beside("-wal").exists()
    }

    /// Shows that nobody has the database open, and folds its log into it. One that is damaged so that
    /// SQLite knows it no more is open nowhere.
    async fn show_alone(&self) -> Result<(), BackupError> {
        if !self.database.exists() {
            return Ok(());
        }
        match db::fold_alone(&self.database).await.map_err(StoreError::from) {
            Ok(true) | Err(StoreError::Damaged(_)) => Ok(()),
            Ok(false) | Err(StoreError::Busy) => Err(BackupError::InUse(self.directory.clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// The file that SQLite keeps beside the database under its name and `ending`.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.database.as_os_str().to_owned();
        name.push(ending);
        name.into()
    }
}

/// A backup that was taken apart: all of it was read, and is what was written.
#[derive(Debug)]
pub struct Unpacked {
    pub(super) work: Work,
    pub(super) manifest: BackupManifest,
}

/// Takes the archive `path` apart below `directory`, which is made if need be. Nothing is left there
/// unless it is put in place. Another process that takes one apart there is waited for.
///
/// # Errors
///
/// [`BackupError`] when it is not what was written, is not opened by `identities`, is newer than this
/// program, or cannot be written, and [`BackupError::BusyRestoring`] when another process is not done for
/// long.
pub async fn unpack(
    path: &Path,
    identities: &BackupIdentities,
    directory: &Path,
) -> Result<Unpacked, BackupError> {
    let (path, identities) = (path.to_owned(), identities.clone());
    let work = Work::begin(directory, Purpose::TakingApart).await?;
    let directory = directory.to_owned();
    let mut unpacked = on_disk(move || {
        let failed = |source| BackupError::file(&directory, source);
        std::fs::create_dir(work.path().join(ARTIFACTS)).map_err(failed)?;
        let file = File::open(&path).map_err(|source| BackupError::file(&path, source))?;
        let manifest = archive::read(file, &path, &identities, |entry| {
            if !is_ours(&entry.name) {
                return Err(BackupError::Damaged {
                    backup: path.display().to_string(),
                    reason: format!("'{}' is nothing that belongs into a backup", entry.name),
                });
            }
            File::create_new(work.path().join(&entry.name)).map_err(failed)
        })?;
        for entry in &manifest.entries {
            File::open(work.path().join(&entry.name))
                .and_then(|file| file.sync_all())
                .map_err(failed)?;
        }
        Ok::<_, BackupError>(Unpacked { work, manifest })
    })
    .await?;
    unpacked.check().await?;
    Ok(unpacked)
}

impl Unpacked {
    /// What it says about itself.
    pub fn manifest(&self) -> &BackupManifest {
        &self.manifest
    }

    /// The folder in which it lies: a data directory with a database of SQLite.
    pub fn directory(&self) -> &Path {
        self.work.path()
    }

    /// What it is called.
    fn name(&self) -> String {
        match &self.manifest.log {
            Some(piece) => piece.generation.clone(),
            None => name_of(self.manifest.created_at),
        }
    }

    fn damaged(&self, reason: String) -> BackupError {
        BackupError::Damaged { backup: self.name(), reason }
    }

    /// Opens the database, and brings its tables up to date.
    async fn open(&self) -> Result<Store, BackupError> {
        // The database itself says which programs may use it.
        Store::open(self.directory()).await.map_err(|error| {
            if matches!(error, StoreError::TooNew { .. }) {
                let program_version = self.manifest.program_version.clone();
                BackupError::TooNew { backup: self.name(), program_version }
            } else {
                error.into()
            }
        })
    }

    /// Looks at every page of a database that was put together of a log, whose rows nobody has counted, and
    /// counts them.
    pub(super) async fn count(&mut self) -> Result<(), BackupError> {
        let wrong = db::what_is_wrong(&self.directory().join(DATABASE)).await;
        if let Some(wrong) = wrong.map_err(StoreError::from)? {
            return Err(self.damaged(format!("SQLite finds this wrong with its pages: {wrong}")));
        }
        let store = self.open().await?;
        let found = Copied::of(&store).await;
        store.close().await;
        let Copied { tables, schema_version, audit_root, versions: _ } = found?;
        self.manifest.tables = tables;
        self.manifest.schema_version = schema_version;
        self.manifest.audit_root = audit_root;
        Ok(())
    }

    /// Opens the database, brings its tables up to date, and compares them with what was counted when
    /// the backup was made.
    async fn check(&mut self) -> Result<(), BackupError> {
        if self.manifest.log.is_some() {
            return self.count().await;
        }
        let store = self.open().await?;
        let tallies = store.tallies().await;
        store.close().await;
        let tallies = tallies?;
        // Steps of later may have changed rows, and not all tables of a newer program are known; the hash of
        // the file is right all the same.
        if self.manifest.schema_version != migrate::NEWEST {
            return Ok(());
        }
        for table in &self.manifest.tables {
            let is_there = tallies.iter().any(|tally| {
                tally.name == table.name
                    && tally.rows_count == table.rows_count
                    && tally.sha256 == table.sha256
            });
            if !is_there {
                let name = &table.name;
                return Err(
                    self.damaged(format!("its table {name} has other rows than were counted"))
                );
            }
        }
        Ok(())
    }

    /// Puts it in `place`. What is replaced is moved aside; returns where to. Until the last step, which
    /// is one, everything is as before for whoever opens the database.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when something may not be replaced, or the system refuses.
    pub async fn put_in_place(
        self,
        place: &Place,
        existing: Existing,
    ) -> Result<Vec<PathBuf>, BackupError> {
        place.check(existing).await?;
        let place = place.clone();
        on_disk(move || {
            let mut aside = self.put_files(&place.directory)?;
            let failed = |source| BackupError::file(&place.database, source);
            let moment = self.manifest.created_at.strftime("%Y%m%dT%H%M%SZ").to_string();
            // A log that another database left would be taken for one of this.
            for ending in ["-wal", "-shm"] {
                let path = place.beside(ending);
                if path.exists() {
                    let to = aside_of(&path, &moment);
                    std::fs::rename(&path, &to).map_err(failed)?;
                    aside.push(to);
                }
            }
            if place.database.exists() {
                let to = aside_of(&place.database, &moment);
                std::fs::hard_link(&place.database, &to).map_err(failed)?;
                aside.push(to);
            }
            put(&self.directory().join(DATABASE), &place.database, existing).map_err(failed)?;
            Ok(aside)
        })
        .await
    }

    /// Puts everything but the database into the data directory `directory`; returns what was moved
    /// aside. None of it is used before the database names it.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when the system refuses.
    pub fn put_files(&self, directory: &Path) -> Result<Vec<PathBuf>, BackupError> {
        let failed = |source| BackupError::file(directory, source);
        let moment = self.manifest.created_at.strftime("%Y%m%dT%H%M%SZ").to_string();
        std::fs::create_dir_all(directory.join(ARTIFACTS)).map_err(failed)?;
        let mut aside = Vec::new();
        for entry in &self.manifest.entries {
            let from = self.directory().join(&entry.name);
            let to = match entry.name.as_str() {
                DATABASE => continue,
                CONFIGURATION => directory.join(CONFIGURATION_RESTORED),
                name => directory.join(name),
            };
            if entry.name == AUDIT_ROOTS && to.exists() {
                // Roots of records that the backup does not have stay for whoever looks into them.
                let old = aside_of(&to, &moment);
                std::fs::copy(&to, &old).map_err(failed)?;
                aside.push(old);
            }
            put(&from, &to, Existing::Replace).map_err(failed)?;
        }
        if !self.manifest.entries.iter().any(|entry| entry.name == AUDIT_ROOTS) {
            let roots = directory.join(AUDIT_ROOTS);
            if roots.exists() {
                let old = aside_of(&roots, &moment);
                std::fs::rename(&roots, &old).map_err(failed)?;
                aside.push(old);
            }
        }
        Ok(aside)
    }
}

/// Moves the file `from` to `to`, in one step, also to another disk; it is in its folder for good when
/// this returns.
fn put(from: &Path, to: &Path, existing: Existing) -> io::Result<()> {
    let moved = match existing {
        Existing::Keep => std::fs::hard_link(from, to),
        Existing::Replace => std::fs::rename(from, to),
    };
    match moved {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let mut read = File::open(from)?;
            write_whole(to, existing, |mut file| io::copy(&mut read, &mut file).map(drop))
        }
        Err(error) => Err(error),
        Ok(()) => sync(to.parent()),
    }
}

/// What a file is called that makes room for one of the backup of `moment`.
fn aside_of(path: &Path, moment: &str) -> PathBuf {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("{ASIDE}{moment}"));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    };
    let mut free = (1..).map(named).filter(|path| !path.exists());
    free.next().expect("there are names enough")
}

/// Whether an entry may be called so; nothing else is ever written.
pub(super) fn is_ours(name: &str) -> bool {
    let artifact = name.strip_prefix(ARTIFACTS).and_then(|name| name.strip_suffix(".json"));
    let is_hash = |name: &str| name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit());
    matches!(name, DATABASE | CONFIGURATION | AUDIT_ROOTS) || artifact.is_some_and(is_hash)
}

/// Has the names in `folder` on the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    sync(Some(folder)).map_err(|source| BackupError::file(folder, source))
}

/// Only Unix lets a folder be opened and synced.
fn sync(folder: Option<&Path>) -> io::Result<()> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}
