//! Looking whether anything was committed, by whichever process.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, query_scalar};

use super::Pool;
use super::postgres_pool::PostgresPool;
use super::sqlite_readers::SqliteReaders;

/// What differs from the one before whenever a transaction that changed something was committed in
/// between; two that are alike tell that there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseVersion(Arc<str>);

/// Somebody who looks again and again.
#[derive(Debug)]
pub(crate) enum Watch {
    Sqlite {
        readers: SqliteReaders,
        /// What it says of others is told from when it was opened on, so it stays open.
        connection: Option<SqliteConnection>,
        /// How many connections there were.
        opened_count: u64,
    },
    Postgres(PostgresPool),
}

impl Watch {
    /// One that looks at the database of `readers`; `None` where those are a writer of SQLite, which is
    /// not told of its own changes.
    pub(crate) fn of(readers: &Pool) -> Option<Self> {
        match readers {
            Pool::Sqlite(_) => None,
            Pool::SqliteReaders(readers) => {
                Some(Self::Sqlite { readers: readers.clone(), connection: None, opened_count: 0 })
            }
            Pool::Postgres(pool) => Some(Self::Postgres(pool.clone())),
        }
    }

    /// Where the database stands.
    ///
    /// SQLite tells a connection whether others have changed the file (`PRAGMA data_version`).
    /// PostgreSQL tells which transactions are seen: one that has written has a number of its own, and
    /// is seen or not.
    pub(crate) async fn look(&mut self) -> Result<DatabaseVersion, sqlx::Error> {
        let text = match self {
            Self::Sqlite { readers, connection, opened_count } => {
                // Whoever gives up in between leaves nothing half-asked behind.
                let mut asked = match connection.take() {
                    Some(connection) => connection,
                    None => {
                        *opened_count += 1;
                        readers.open().await?
                    }
                };
                let version: i64 =
                    query_scalar("PRAGMA data_version").fetch_one(&mut asked).await?;
                *connection = Some(asked);
                format!("{opened_count}-{version}")
            }
            Self::Postgres(pool) => {
                let query = query_scalar("SELECT CAST(pg_current_snapshot() AS TEXT)");
                pool.watched(query.fetch_one(&pool.connections)).await?
            }
        };
        Ok(DatabaseVersion(text.into()))
    }

    /// Closes what is open.
    pub(crate) async fn close(&mut self) {
        if let Self::Sqlite { connection, .. } = self
            && let Some(connection) = connection.take()
        {
            // What fails here is done at the next start.
            let _folded_later = connection.close().await;
        }
    }
}
