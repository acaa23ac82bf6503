//! What can go wrong below the queries, told so that an operator knows what to do.

use std::path::PathBuf;

use bist_access::UserName;
use bist_lifecycle::ModelState;
use bist_lifecycle::study::StudyStorageError;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::bucket::BucketError;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data directory cannot be made or written.
    #[error(
        "data directory {path} cannot be written: {source}; choose another with --data-dir or change its permissions"
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database cannot be written.
    #[error(
        "the database in the data directory is read-only; choose another with --data-dir or change its permissions"
    )]
    ReadOnly,
    /// The disk is full, or a quota is.
    #[error(
        "the disk that holds the data directory is full; nothing of this step was stored, free some space and repeat it"
    )]
    DiskFull,
    /// Another process holds the database for longer than we wait.
    #[error("the database is in use by another bist process; try again when it has finished")]
    Busy,
    /// The file is not a database, or is damaged.
    #[error("the database file in the data directory is damaged or is not a database: {0}")]
    Damaged(String),
    /// A newer program has changed the tables, and this one cannot go on with them.
    #[error(
        "the tables can be used by a bist that knows migration {migration_min}, and this one knows them \
         up to {known}: {why}; use the newer bist that changed them, or restore a backup from before \
         into another place"
    )]
    TooNew {
        /// The newest migration that a program knows at least which may use them.
        migration_min: i64,
        /// The newest that this program knows.
        known: i64,
        /// Why those before may not, in the words of the newer program.
        why: String,
    },
    /// A newer program has added to the tables, and a copy would lack that.
    #[error(
        "the tables are at migration {newest}, made by a newer bist, and this one knows them up to \
         {known}: it uses them, and copies nothing that would leave something out; copy or back up \
         with the newer bist"
    )]
    NotCopied {
        /// The newest migration that was run.
        newest: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// PostgreSQL does not answer, or does not let us in.
    #[error(
        "PostgreSQL cannot be asked: {0}; start it, or correct database_url or database_password"
    )]
    Unreachable(String),
    /// Everything was to be moved into a database that is in use.
    #[error("the database to move to is not empty: its table {0} has rows; name a new one")]
    NotEmpty(&'static str),
    /// What was moved is not what is there.
    #[error(
        "the table {0} did not arrive as it is, so that nothing was moved: it holds a value that the \
         other database does not keep"
    )]
    CopyDiffers(&'static str),
    /// Texts would sort otherwise than in this program.
    #[error(
        "the PostgreSQL database '{0}' does not sort texts by their bytes in UTF-8; make it with \
         CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
    )]
    Collation(String),
    /// The operating system failed a read or a write.
    #[error("the database file could not be read or written: {0}; the disk may be full or failing")]
    Io(String),
    /// A sample market may not be mixed into real data.
    #[error(
        "the data directory holds real bars; make the sample market in another one with --data-dir"
    )]
    HoldsRealData,
    /// The file of a model cannot be written or read.
    #[error("the model file {path} cannot be written or read: {source}")]
    Artifact {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file of a model is not the one that was trained.
    #[error(
        "the file {path} is not the one that was trained as {id}: its SHA-256 differs; put the right \
         one there, from a backup, or run `bist train` again"
    )]
    ArtifactChanged {
        /// The version.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// The object store cannot be asked, or does not take an artefact.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The object store does not give an artefact, and neither does the data directory.
    #[error("{error}; and {local}")]
    ObjectAway {
        /// What the object store said.
        error: BucketError,
        /// What is wrong with the file.
        local: Box<StoreError>,
    },
    /// The object of a model is not the one that was trained.
    #[error(
        "the object {object} is not the one that was trained as {id}: its SHA-256 differs; remove it \
         from the bucket and run `bist train` again, or put the right one there"
    )]
    ObjectChanged {
        /// The version.
        id: String,
        /// The address of the object.
        object: String,
    },
    /// A model version that the registry does not have.
    #[error("there is no model version '{0}'; `bist models list` names what there is")]
    NoSuchVersion(String),
    /// A version cannot go from where it stands to where it was to go.
    #[error("model version {id} is {from} and cannot become {to}{}", advice(*.from, *.to))]
    StateMove {
        /// The version.
        id: String,
        /// Where it stands.
        from: ModelState,
        /// Where it was to go.
        to: ModelState,
    },
    /// A run of a job that was never asked for.
    #[error("there is no run {0} of a job; `bist jobs list` names those there are")]
    NoSuchJob(i64),
    /// A run of the job waits or has not ended.
    #[error(
        "run {id} of the {name} is {state} already; watch it with `bist jobs watch {id}`, or end it \
         with `bist jobs cancel {id}`"
    )]
    JobUnderWay {
        /// The run.
        id: i64,
        /// The job.
        name: String,
        /// Where it stands.
        state: &'static str,
    },
    /// A run cannot go from where it stands to where it was to go.
    #[error("run {id} is {state} and cannot be {to}")]
    JobMove {
        /// The run.
        id: i64,
        /// Where it stands.
        state: &'static str,
        /// Where it was to go.
        to: &'static str,
    },
    /// A part is changed with its run alone.
    #[error("run {id} is a part of run {parent}: cancel or begin again that one")]
    JobPart {
        /// The part.
        id: i64,
        /// Its run.
        parent: i64,
    },
    /// Another process has begun the run again.
    #[error(
        "run {0} was begun again by another process, for this one was not heard of for a minute; \
         what it found is not noted"
    )]
    JobLost(i64),
    /// The lock of a job cannot be had.
    #[error("the lock file {path} cannot be opened: {source}; change its permissions")]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An experiment of that name was declared before.
    #[error("there is an experiment '{0}' already; give another name")]
    ExperimentExists(String),
    /// Another experiment of the same horizon goes on.
    #[error(
        "the experiment '{0}' of this horizon goes on; wait for its end, or end it with `bist \
         experiments stop {0} --reason TEXT`"
    )]
    ExperimentRuns(String),
    /// The champion of an experiment is not the one in force.
    #[error(
        "{0}, the champion of the experiment, is not in force; declare it with the one that is"
    )]
    NotInForce(String),
    /// A challenger of an experiment is not staged for its horizon.
    #[error(
        "{id} is {state} and cannot be a challenger; stage a version of the same horizon with `bist \
         models stage VERSION --reason TEXT`"
    )]
    NotStaged {
        /// The version.
        id: String,
        /// Where it stands.
        state: ModelState,
    },
    /// The rule of an experiment is not the one that was declared.
    #[error(
        "the rule of the experiment '{0}' was changed from outside after it was declared; nothing \
         that it says can be believed: restore the database from a backup"
    )]
    ExperimentChanged(String),
    /// Another account has the user name.
    #[error("there is an account '{0}' already; give another user name")]
    UserNameTaken(UserName),
    /// A document in the database does not have the shape that this version writes.
    #[error("a stored {what} cannot be read: {source}")]
    Document {
        /// Which document.
        what: &'static str,
        /// Where it is malformed.
        source: serde_json::Error,
    },
    /// The ledger of trials was changed by somebody else than this program.
    #[error(
        "the ledger of trials was changed from outside at entry {0}; a record whose trials are not \
         known cannot be believed: restore the database from a backup"
    )]
    LedgerBroken(i64),
    /// The key of the audit cannot be had.
    #[error(
        "nothing is changed that is not put on record, and the key of the audit cannot be had: {0}"
    )]
    AuditKey(Box<dyn std::error::Error + Send + Sync>),
    /// The end of the audit is not what was written there.
    #[error(
        "the end of the audit was changed from outside, so that nothing can be put on record and \
         nothing is changed; `bist audit verify` tells more: restore the database from a backup"
    )]
    AuditBroken,
    /// A study cannot be what it was to be.
    #[error(transparent)]
    Study(#[from] StudyStorageError),
    /// A stored value that no version of this program writes.
    #[error("the database holds an impossible value: {0}")]
    Impossible(String),
    /// Anything else that the database said.
    #[error("database: {0}")]
    Database(sqlx::Error),
    /// A migration failed.
    #[error("database migration: {0}")]
    Migration(sqlx::migrate::MigrateError),
}

/// What to do where a version cannot go on the way that was asked for: the end of a sentence.
const fn advice(from: ModelState, to: ModelState) -> &'static str {
    match (from, to) {
        (ModelState::Champion, _) => "; put another one in force, with `bist models promote`",
        (ModelState::Retired, ModelState::Candidate) => "; stage it or put it in force again",
        _ => "",
    }
}

impl From<sqlx::Error> for StoreError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is sqlx's; what is not named here is told in its own words"
    )]
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let told = match database.try_downcast_ref::<PgDatabaseError>() {
                    Some(database) => of_postgres(database),
                    None => of_sqlite(database.as_ref()),
                };
                told.unwrap_or(Self::Database(error))
            }
            // SQLite's connections are in this process, so only a network fails so.
            sqlx::Error::Io(source) => Self::Unreachable(source.to_string()),
            sqlx::Error::Tls(source) => Self::Unreachable(source.to_string()),
            // A connection that ended while it was made.
            sqlx::Error::Protocol(told) => Self::Unreachable(told.clone()),
            // Whoever has them does not give them back.
            sqlx::Error::PoolTimedOut => Self::Busy,
            _ => Self::Database(error),
        }
    }
}

/// What an error of SQLite means to an operator, by its primary result code: the low byte of the
/// extended one (sqlite.org/rescode.html).
fn of_sqlite(error: &dyn DatabaseError) -> Option<StoreError> {
    let message = || error.message().to_owned();
    match error.code()?.parse::<u32>().ok()? & 0xff {
        5 | 6 => Some(StoreError::Busy),
        8 => Some(StoreError::ReadOnly),
        10 => Some(StoreError::Io(message())),
        11 | 26 => Some(StoreError::Damaged(message())),
        13 => Some(StoreError::DiskFull),
        _ => None,
    }
}

/// The same of PostgreSQL, by its SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html).
fn of_postgres(error: &PgDatabaseError) -> Option<StoreError> {
    let message = || error.message().to_owned();
    match error.code() {
        // A lock was waited for in vain, or two waited for each other.
        "55P03" | "40P01" | "40001" => Some(StoreError::Busy),
        // It stops or starts, took the connection away from us for we stood still, has none left, is a
        // standby, or does not know us.
        "57P01" | "57P02" | "57P03" | "25P03" | "53300" | "25006" | "3D000" => {
            Some(StoreError::Unreachable(message()))
        }
        code if code.starts_with("08") || code.starts_with("28") => {
            Some(StoreError::Unreachable(message()))
        }
        _ => None,
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is sqlx's; what is not named here is told in its own words"
    )]
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(source) => source.into(),
            other => Self::Migration(other),
        }
    }
}
