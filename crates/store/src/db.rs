//! One way of asking both databases: SQLite and PostgreSQL through the part of sqlx that we use.
//!
//! The text of a query is the same for both. Its values are kept as they are until it is known who is
//! asked, and are then handed to the driver itself, so that nothing of the settings or the speed of
//! either is lost (docs/adr/0033-postgresql.md).

mod address;
mod argument;
mod builder;
mod connection;
mod never_closed;
mod postgres;
mod postgres_pool;
mod query;
mod row;
mod spans;
mod sqlite;
mod sqlite_log;
mod sqlite_readers;
mod wal_index;
mod watch;

pub use address::{DatabaseAddress, DatabaseAddressError, DatabaseSettings, PoolSizes};
pub(crate) use argument::{Argument, Bind};
pub(crate) use builder::QueryBuilder;
pub(crate) use connection::{Connection, Pool, Target, Transaction};
pub(crate) use never_closed::open as open_never_closed;
pub(crate) use query::{query, query_scalar};
pub(crate) use row::Row;
pub use spans::{TRACES_TARGET, ask_within};
pub(crate) use sqlite_log::LogConnections;
pub(crate) use sqlx::{AssertSqlSafe, SqlSafeStr};
pub(crate) use wal_index::{WalIndex, WalIndexHead};
pub use watch::DatabaseVersion;
pub(crate) use watch::{Glance, Watch};

pub(crate) use self::postgres::open as open_postgres;
#[cfg(test)]
pub(crate) use self::postgres_pool::{PostgresPool, PostgresServer};
pub(crate) use self::sqlite::{FILE_NAME, fold_alone, open as open_sqlite, what_is_wrong};
