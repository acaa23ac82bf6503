//! Looking whether anything was committed, by whichever process.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, query_scalar};

use super::Pool;
use super::postgres_pool::PostgresPool;
use super::sqlite_readers::SqliteReaders;
use super::wal_index::{WalIndex, WalIndexHead};

/// What differs from the one before whenever a transaction that changed something was committed in
/// between; two that are alike tell that there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseVersion(Seen);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// The head of SQLite's wal-index.
    Head(WalIndexHead),
    /// What the database said.
    Said(Arc<str>),
}

/// Somebody who looks again and again.
#[derive(Debug)]
pub(crate) enum Watch {
    Sqlite {
        readers: SqliteReaders,
        /// What it says of others is told from when it was opened on, and the wal-index is there as long
        /// as somebody has the database open, so it stays open.
        connection: Option<SqliteConnection>,
        /// How many connections there were.
        opened_count: u64,
        glance: Glance,
    },
    Postgres(PostgresPool),
}

/// Somebody who sees at once where a database of SQLite stands, once a [`Watch`] has looked at it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glance(Arc<OnceLock<Option<WalIndex>>>);

impl Glance {
    /// Where the database stands; `None` where that has to be asked.
    pub(crate) fn take(&self) -> Option<DatabaseVersion> {
        let head = self.0.get()?.as_ref()?.head()?;
        Some(DatabaseVersion(Seen::Head(head)))
    }

    /// Knows the database in `file` from now on, to which a connection is open; where its wal-index
    /// cannot be read, it is asked as before.
    fn open(&self, file: &Path) {
        self.0.get_or_init(|| WalIndex::open(file).ok());
    }
}

impl Watch {
    /// One that looks at the database of `readers`; `None` where those are a writer of SQLite, which is
    /// not told of its own changes.
    pub(crate) fn of(readers: &Pool) -> Option<Self> {
        match readers {
            Pool::Sqlite(_) => None,
            Pool::SqliteReaders(readers) => {
                let (readers, glance) = (readers.clone(), Glance::default());
                Some(Self::Sqlite { readers, connection: None, opened_count: 0, glance })
            }
            Pool::Postgres(pool) => Some(Self::Postgres(pool.clone())),
        }
    }

    /// Who sees it at once, where that can be.
    pub(crate) fn glance(&self) -> Option<Glance> {
        match self {
            Self::Sqlite { glance, .. } => Some(glance.clone()),
            Self::Postgres(_) => None,
        }
    }

    /// Where the database stands.
    ///
    /// SQLite tells a connection whether others have changed the file (`PRAGMA data_version`).
    /// PostgreSQL tells which transactions are seen: one that has written has a number of its own, and
    /// is seen or not.
    pub(crate) async fn look(&mut self) -> Result<DatabaseVersion, sqlx::Error> {
        let text = match self {
            Self::Sqlite { readers, connection, opened_count, glance } => {
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
                glance.open(readers.file());
                if let Some(seen) = glance.take() {
                    return Ok(seen);
                }
                format!("{opened_count}-{version}")
            }
            Self::Postgres(pool) => {
                let query = query_scalar("SELECT CAST(pg_current_snapshot() AS TEXT)");
                pool.watched(query.fetch_one(&pool.connections)).await?
            }
        };
        Ok(DatabaseVersion(Seen::Said(text.into())))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::db::{PoolSizes, open_sqlite};

    #[tokio::test]
    async fn what_is_seen_at_a_glance_differs_after_every_commit_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bist.sqlite");
        std::fs::write(&file, "").unwrap();
        let (writer, readers) = open_sqlite(&file, PoolSizes::default()).await.unwrap();
        let mut watch = Watch::of(&readers).unwrap();
        let glance = watch.glance().unwrap();
        assert_eq!(glance.take(), None, "nobody has looked yet");
        watch.look().await.unwrap();

        let mut other = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        sqlx::query("CREATE TABLE t (n INTEGER)").execute(&mut other).await.unwrap();
        let mut seen = BTreeSet::new();
        for n in 0..100_i64 {
            sqlx::query("INSERT INTO t VALUES ($1)").bind(n).execute(&mut other).await.unwrap();
            // The log is folded into the file, and begins anew.
            if n % 7 == 0 {
                let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
                sqlx::query(fold).execute(&mut other).await.unwrap();
            }
            let Some(DatabaseVersion(Seen::Head(head))) = glance.take() else { panic!("{n}") };
            assert!(seen.insert(head), "commit {n} was not seen");
            sqlx::query("SELECT n FROM t").fetch_all(&mut other).await.unwrap();
            sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
            sqlx::query("DELETE FROM t").execute(&mut other).await.unwrap();
            sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
            assert_eq!(glance.take(), Some(DatabaseVersion(Seen::Head(head))), "after {n}");
        }
        other.close().await.unwrap();
        watch.close().await;
        readers.close().await;
        writer.close().await;
    }
}
