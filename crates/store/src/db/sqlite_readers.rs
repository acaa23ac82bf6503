//! Connections of SQLite that read, without asking them first whether they are still there.

use std::path::Path;

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleResult};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _};

/// The readers of a file.
///
/// sqlx's pool pings a connection before each use and after it. A connection over a network may be gone;
/// one to a file is not, and each ping is two turns between threads. Looking one row up took 35 to 60
/// microseconds through that pool and 10 without it on a machine whose cores were busy.
#[derive(Clone, Debug)]
pub(crate) struct SqliteReaders {
    /// For single statements, which leave nothing behind.
    single: Pool<Opening>,
    /// For transactions, which are taken back by what sqlx does on release.
    pub(super) several: SqlitePool,
}

impl SqliteReaders {
    /// At most `connections_max` for single statements, opened when they are needed, beside `several`.
    pub(super) fn new(
        options: SqliteConnectOptions,
        several: SqlitePool,
        connections_max: u32,
    ) -> Result<Self, sqlx::Error> {
        let connections_max = usize::try_from(connections_max).unwrap_or(usize::MAX);
        // The one used last has the pages that are asked for most.
        let pool = Pool::builder(Opening(options))
            .max_size(connections_max)
            .queue_mode(QueueMode::Lifo)
            .build();
        let single = pool.map_err(|error| sqlx::Error::Configuration(error.into()))?;
        Ok(Self { single, several })
    }

    /// A connection for one statement.
    pub(super) async fn get(&self) -> Result<SqliteReader, sqlx::Error> {
        self.single.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => sqlx::Error::PoolClosed,
            // Neither a time nor a hook is set.
            PoolError::Timeout(_)
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => sqlx::Error::PoolTimedOut,
        })
    }

    /// The file of the database.
    pub(super) fn file(&self) -> &Path {
        self.single.manager().0.get_filename()
    }

    /// How many connections are open, and how many of them nobody has.
    pub(super) fn open_and_idle(&self) -> (u64, u64) {
        let single = self.single.status();
        let open = single.size as u64 + u64::from(self.several.size());
        (open, (single.available + self.several.num_idle()) as u64)
    }

    /// A connection beside those of the pool.
    pub(super) async fn open(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.single.manager().create().await
    }

    /// Writes what the file holds at one moment to the new file `file`.
    pub(super) async fn copy_file(&self, file: &Path) -> Result<(), sqlx::Error> {
        let mut connection = self.open().await?;
        // It writes, though not to the file that it reads.
        sqlx::query("PRAGMA query_only = OFF").execute(&mut connection).await?;
        let copied = sqlx::query("VACUUM INTO $1")
            .bind(file.to_string_lossy().into_owned())
            .execute(&mut connection)
            .await;
        connection.close().await?;
        copied.map(drop)
    }

    /// Closes all connections.
    pub(super) async fn close(&self) {
        let idle = self.single.retain(|_, _| false);
        self.single.close();
        for connection in idle.removed {
            // The last connection folds the log into the file; what fails here is done at the next start.
            let _folded_later = connection.close().await;
        }
        self.several.close().await;
    }
}

/// A connection for one statement, which goes back when it is dropped.
pub(super) type SqliteReader = Object<Opening>;

/// Opens connections.
#[derive(Clone, Debug)]
pub(super) struct Opening(SqliteConnectOptions);

impl Manager for Opening {
    type Type = SqliteConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.0.connect().await
    }

    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future as _, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    use sqlx::Row as _;
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    const COUNT: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
                         SELECT i FROM n";

    #[tokio::test]
    async fn a_statement_that_nobody_waits_for_any_more_leaves_a_connection_that_answers() {
        let options = SqliteConnectOptions::new().in_memory(true);
        let several = SqlitePoolOptions::new().connect_with(options.clone()).await.unwrap();
        let readers = SqliteReaders::new(options, several, 1).unwrap();
        for _ in 0..20 {
            let mut reader = readers.get().await.unwrap();
            {
                let mut asked = pin!(sqlx::query(COUNT).fetch_all(&mut *reader));
                // It is begun, and then given up.
                poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await;
            }
            drop(reader);
            let mut reader = readers.get().await.unwrap();
            let row = sqlx::query("SELECT 7").fetch_one(&mut *reader).await.unwrap();
            assert_eq!(row.get::<i64, _>(0), 7);
        }
        readers.close().await;
        assert!(matches!(readers.get().await, Err(sqlx::Error::PoolClosed)));
    }
}
