//! Two connections of SQLite that hold the write-ahead log of a file still while it is followed.
//!
//! They are none of a pool, which would hand them on, ping them and close them when they are idle.

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::sqlite_readers::SqliteReaders;

/// Writes as much of the log into the database as nobody reads any more, and waits for nobody.
const FOLD: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// One that keeps writers out for a moment, and one that reads and does not end, so that nobody can have
/// the log begin anew.
#[derive(Debug)]
pub(crate) struct LogConnections {
    alone: SqliteConnection,
    pin: SqliteConnection,
}

impl LogConnections {
    pub(super) async fn open(readers: &SqliteReaders) -> Result<Self, sqlx::Error> {
        let (mut alone, mut pin) = (readers.open().await?, readers.open().await?);
        for connection in [&mut alone, &mut pin] {
            // They change no row; a lock of writers and folding count as writing.
            sqlx::query("PRAGMA query_only = OFF").execute(connection).await?;
        }
        Ok(Self { alone, pin })
    }

    /// Keeps writers out, of whichever process.
    pub(crate) async fn begin_alone(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.alone).await.map(drop)
    }

    /// Lets writers in again.
    pub(crate) async fn end_alone(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("ROLLBACK").execute(&mut self.alone).await.map(drop)
    }

    /// Begins to read what the database shows now, and goes on until [`Self::unpin`].
    pub(crate) async fn pin(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("BEGIN").execute(&mut self.pin).await?;
        // Only with the first page that is read.
        let read = sqlx::query("SELECT 1 FROM sqlite_schema LIMIT 1");
        read.fetch_optional(&mut self.pin).await.map(drop)
    }

    /// Reads no more.
    pub(crate) async fn unpin(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("ROLLBACK").execute(&mut self.pin).await.map(drop)
    }

    /// Folds the log into the database while writers may write: up to what is read.
    pub(crate) async fn fold(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query(FOLD).fetch_one(&mut self.alone).await.map(drop)
    }

    /// The same while writers are kept out and nothing is read here; says whether all of it is folded.
    pub(crate) async fn fold_unpinned(&mut self) -> Result<bool, sqlx::Error> {
        let told = sqlx::query_as::<_, (i64, i64, i64)>(FOLD).fetch_one(&mut self.pin).await;
        // Both counts are -1 while another connection folds.
        told.map(|(is_busy, frames_count, folded_count)| {
            is_busy == 0 && frames_count >= 0 && frames_count == folded_count
        })
    }

    /// Ends both.
    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        self.pin.close().await?;
        self.alone.close().await
    }
}
