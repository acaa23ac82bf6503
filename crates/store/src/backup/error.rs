//! What can go wrong with backups, told so that an operator knows what to do.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::bucket::BucketError;
use crate::error::StoreError;

/// Why a backup was not made, read or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file or folder cannot be read or written.
    #[error("{path} cannot be read or written: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full, or a quota is.
    #[error(
        "the disk that holds {0} is full; nothing was left there and nothing was changed, free some \
         space and repeat it"
    )]
    DiskFull(PathBuf),
    /// Another process makes or removes one, or ships a log.
    #[error(
        "another bist process is at work in the folder of backups {0}; try again when it is done"
    )]
    Busy(PathBuf),
    /// Another process takes one apart.
    #[error("another bist process takes a backup apart in {0}; try again when it is done")]
    BusyRestoring(PathBuf),
    /// There is a backup of that name.
    #[error("there is a backup {0} already, and it is not overwritten; try again in a second")]
    Exists(PathBuf),
    /// There is no such backup.
    #[error("there is no backup '{0}'; `bist backup list` names those there are")]
    NoSuchBackup(String),
    /// It was encrypted for somebody else.
    #[error(
        "{0} is not opened by this identity: it was encrypted for another recipient, or its head is \
         damaged; give the identity whose public key was configured when it was made"
    )]
    WrongKey(String),
    /// It is not what was written.
    #[error("{backup} is not the backup that was written: {reason}; nothing of it was used")]
    Damaged {
        /// Which.
        backup: String,
        /// What is wrong.
        reason: String,
    },
    /// A shipped log goes on no further than a piece that is missing or not what was written.
    #[error(
        "the shipped log {log} is not what was written: {reason}; nothing was changed, and what was \
         before can be restored of it: give --at {until}"
    )]
    LogBroken {
        /// Which.
        log: String,
        /// What is wrong.
        reason: String,
        /// The last moment that can be restored.
        until: Timestamp,
    },
    /// What shows that moment, or may show more of what was before it than what is whole, is damaged.
    #[error(
        "what shows {at} is damaged: {damage}; nothing was changed, and {}",
        told_reachable(.reachable.as_ref())
    )]
    MomentDamaged {
        /// The moment that was asked for.
        at: Timestamp,
        /// What is damaged, and how.
        damage: String,
        /// The newest moment before that can be restored, if there is one: it was taken apart.
        reachable: Option<Timestamp>,
    },
    /// Nothing shows that moment, or one before it.
    #[error(
        "no backup and no shipped log shows {at} or what was before; {}",
        told_earliest(.earliest.as_ref())
    )]
    NothingSoOld {
        /// The moment that was asked for.
        at: Timestamp,
        /// The first one that there is.
        earliest: Option<Timestamp>,
    },
    /// There is another way for PostgreSQL.
    #[error(
        "bist ships the log of SQLite alone; archive that of PostgreSQL by its own tools (archive_command, \
         pg_basebackup), and leave backup.ship_log out"
    )]
    LogOfServer,
    /// It was written by a newer program.
    #[error(
        "{backup} was made by bist {program_version}, with a form or tables that this version does not \
         know; restore it with that one"
    )]
    TooNew {
        /// Which.
        backup: String,
        /// Who made it.
        program_version: String,
    },
    /// What was backed up changed while it was read.
    #[error("{0} changed while it was backed up; try again")]
    Changed(String),
    /// The place to restore into is in use.
    #[error(
        "{0} holds a database; restore into an empty data directory, or give --replace to have the one \
         there moved aside"
    )]
    NotEmpty(PathBuf),
    /// Somebody has the database open.
    #[error(
        "the database in {0} is open in another process; stop the server and whatever command uses it, \
         and try again"
    )]
    InUse(PathBuf),
    /// The database of a server to restore into has rows.
    #[error(
        "the database of PostgreSQL is not empty: its table {0} has rows; restore into an empty one, or \
         give --replace to have what is there backed up and replaced"
    )]
    ServerNotEmpty(&'static str),
    /// The database failed, or the copy of it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store failed.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl BackupError {
    /// What the system said of `path`.
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_owned();
        if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
            Self::DiskFull(path)
        } else {
            Self::File { path, source }
        }
    }
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn told_reachable(reachable: Option<&Timestamp>) -> String {
    match reachable {
        Some(reachable) => format!("the newest moment that can be restored is {reachable}"),
        None => "nothing that is older can be restored either".to_owned(),
    }
}

fn told_earliest(earliest: Option<&Timestamp>) -> String {
    match earliest {
        Some(earliest) => format!("the first moment that can be restored is {earliest}"),
        None => "there is neither a backup nor a shipped log".to_owned(),
    }
}
