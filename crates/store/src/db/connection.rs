//! Pools, connections and transactions of either database.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};

use super::postgres_pool::{PostgresPool, in_time};
use super::sqlite_log::LogConnections;
use super::sqlite_readers::SqliteReaders;

/// Takes the lock of writers before the first read, so that nothing is decided on what another process
/// is about to change.
const BEGIN_ALONE_SQLITE: &str = "BEGIN IMMEDIATE";

/// The same: the lock is an advisory one, whose number only we use in our database, and is freed with
/// the transaction. Each statement after it sees what those committed who had it before.
const LOCK_POSTGRES: &str = "SELECT pg_advisory_xact_lock(4776829130117)";

/// Connections to one database.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    SqliteReaders(SqliteReaders),
    Postgres(PostgresPool),
}

impl Pool {
    /// A connection for several statements.
    pub(crate) async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        Ok(Connection(match self {
            Self::Sqlite(pool) | Self::SqliteReaders(SqliteReaders { several: pool, .. }) => {
                Held::Sqlite(pool.acquire().await?)
            }
            Self::Postgres(pool) => Held::Postgres(pool.acquire().await?),
        }))
    }

    /// Begins a transaction that is taken back unless it is committed.
    ///
    /// Of readers it shows one moment. Of writers it may go on beside others on PostgreSQL, so what it
    /// decides on must be locked by itself; see [`Self::begin_alone`].
    pub(crate) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        Ok(Transaction(Connection(match self {
            Self::Sqlite(pool) | Self::SqliteReaders(SqliteReaders { several: pool, .. }) => {
                Held::SqliteTransaction(pool.begin().await?)
            }
            Self::Postgres(pool) => Held::PostgresTransaction(pool.begin().await?),
        })))
    }

    /// Begins a transaction beside which no other one that was begun in this way goes on, in whichever
    /// process: what it reads stays so until it ends, and numbers that it counts on are its own.
    pub(crate) async fn begin_alone(&self) -> Result<Transaction, sqlx::Error> {
        Ok(Transaction(Connection(match self {
            Self::Sqlite(pool) | Self::SqliteReaders(SqliteReaders { several: pool, .. }) => {
                Held::SqliteTransaction(pool.begin_with(BEGIN_ALONE_SQLITE).await?)
            }
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                // Within it, so that a lock that is not had in time takes the transaction back: otherwise
                // the connection would stay in one that has failed, and never begin another.
                in_time(sqlx::query(LOCK_POSTGRES).execute(&mut *transaction)).await?;
                Held::PostgresTransaction(transaction)
            }
        })))
    }

    /// Writes what a database of SQLite holds at one moment to the new file `file`, while others go on
    /// writing. Pages that are free are left out. `None` where this is no reader of SQLite.
    pub(crate) async fn copy_file(&self, file: &Path) -> Option<Result<(), sqlx::Error>> {
        match self {
            Self::SqliteReaders(readers) => Some(readers.copy_file(file).await),
            Self::Sqlite(_) | Self::Postgres(_) => None,
        }
    }

    /// Connections that hold the log of a file of SQLite still while it is followed. `None` where this is
    /// no reader of SQLite.
    pub(crate) async fn log_connections(&self) -> Option<Result<LogConnections, sqlx::Error>> {
        match self {
            Self::SqliteReaders(readers) => Some(LogConnections::open(readers).await),
            Self::Sqlite(_) | Self::Postgres(_) => None,
        }
    }

    /// How many connections are open, and how many of them nobody has.
    pub(crate) fn open_and_idle(&self) -> (u64, u64) {
        let of = |open: u32, idle: usize| (u64::from(open), idle as u64);
        match self {
            Self::Sqlite(pool) => of(pool.size(), pool.num_idle()),
            Self::SqliteReaders(readers) => readers.open_and_idle(),
            Self::Postgres(pool) => of(pool.connections.size(), pool.connections.num_idle()),
        }
    }

    /// The file that readers of SQLite read.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::SqliteReaders(readers) => Some(readers.file()),
            Self::Sqlite(_) | Self::Postgres(_) => None,
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::SqliteReaders(readers) => readers.close().await,
            Self::Postgres(pool) => pool.connections.close().await,
        }
    }

    /// Whether this is PostgreSQL.
    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// One connection, within a transaction or not.
#[derive(Debug)]
pub(crate) struct Connection(Held);

#[derive(Debug)]
enum Held {
    Sqlite(PoolConnection<Sqlite>),
    SqliteTransaction(sqlx::Transaction<'static, Sqlite>),
    Postgres(PoolConnection<Postgres>),
    PostgresTransaction(sqlx::Transaction<'static, Postgres>),
}

impl Connection {
    /// Whether this is one to PostgreSQL.
    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.0, Held::Postgres(_) | Held::PostgresTransaction(_))
    }
}

/// A transaction, which is taken back unless it is committed.
#[derive(Debug)]
pub(crate) struct Transaction(Connection);

impl Transaction {
    /// Makes what was done last.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.0.0 {
            Held::SqliteTransaction(transaction) => transaction.commit().await,
            Held::PostgresTransaction(transaction) => in_time(transaction.commit()).await,
            Held::Sqlite(_) | Held::Postgres(_) => Ok(()),
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// Who is asked: any connection of a pool, or one that is held.
#[derive(Debug)]
pub(crate) enum Target<'c> {
    SqlitePool(&'c SqlitePool),
    SqliteReaders(&'c SqliteReaders),
    Sqlite(&'c mut SqliteConnection),
    PostgresPool(&'c PostgresPool),
    Postgres(&'c mut PgConnection),
}

impl Target<'_> {
    /// What the database is called by others.
    pub(super) const fn system(&self) -> &'static str {
        match self {
            Self::SqlitePool(_) | Self::SqliteReaders(_) | Self::Sqlite(_) => "sqlite",
            Self::PostgresPool(_) | Self::Postgres(_) => "postgresql",
        }
    }
}

impl<'c> From<&'c Pool> for Target<'c> {
    fn from(pool: &'c Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::SqliteReaders(readers) => Self::SqliteReaders(readers),
            Pool::Postgres(pool) => Self::PostgresPool(pool),
        }
    }
}

impl<'c> From<&'c mut Connection> for Target<'c> {
    fn from(connection: &'c mut Connection) -> Self {
        match &mut connection.0 {
            Held::Sqlite(connection) => Self::Sqlite(connection),
            Held::SqliteTransaction(transaction) => Self::Sqlite(transaction),
            Held::Postgres(connection) => Self::Postgres(connection),
            Held::PostgresTransaction(transaction) => Self::Postgres(transaction),
        }
    }
}
