//! Opening a file of SQLite: one writer, several readers.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::sqlite_readers::SqliteReaders;
use super::{Pool, PoolSizes};
use crate::error::StoreError;
use crate::migrate;

/// Name of the database file in the data directory.
pub(crate) const FILE_NAME: &str = "bist.sqlite";

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT_S: u64 = 10;

/// How long somebody may take to close a database that is to be replaced.
const ALONE_TIMEOUT: Duration = Duration::from_secs(1);

/// Memory for pages of each connection, KiB: what one ingest changes fits, and is not written to the
/// log several times on its way to the commit. SQLite takes only what it needs; its default is 2 MiB.
const PAGE_CACHE_KIB: u32 = 64 * 1024;

/// Rows that SQLite's thread may be ahead of whoever reads them; each time it is not, both wake up
/// for every row.
const ROWS_AHEAD: usize = 4096;

/// The writer and the readers of `file`, whose tables are brought up to date.
pub(crate) async fn open(file: &Path, sizes: PoolSizes) -> Result<(Pool, Pool), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: an acknowledged write survives a power cut, not only a killed process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", format!("-{PAGE_CACHE_KIB}"))
        // Who is forgotten is not left in the pages of the file.
        .pragma("secure_delete", "FAST")
        .row_buffer_size(ROWS_AHEAD)
        .busy_timeout(Duration::from_secs(BUSY_TIMEOUT_S));
    // One connection: SQLite has one writer, and waiting here is fairer than waiting in the file.
    let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let mut connection = writer.acquire().await?;
    migrate::sqlite(&mut connection).await?;
    drop(connection);
    let options = options.pragma("query_only", "ON");
    let several = SqlitePoolOptions::new()
        .max_connections(sizes.readers_max)
        .connect_with(options.clone())
        .await?;
    let readers = SqliteReaders::new(options, several, sizes.readers_max)?;
    Ok((Pool::Sqlite(writer), Pool::SqliteReaders(readers)))
}

/// Folds the log of the database `file` into it, which SQLite does only while nobody else has it open;
/// says whether it did.
pub(crate) async fn fold_alone(file: &Path) -> Result<bool, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(ALONE_TIMEOUT);
    let mut connection = options.connect().await?;
    let mode = sqlx::query_scalar::<_, String>("PRAGMA journal_mode = DELETE");
    let mode = mode.fetch_one(&mut connection).await;
    connection.close().await?;
    Ok(mode? == "delete")
}

/// What SQLite finds wrong with the pages of the database `file`, which nobody has open; `None` when all
/// of them are as they should be.
pub(crate) async fn what_is_wrong(file: &Path) -> Result<Option<String>, sqlx::Error> {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
    let told = sqlx::query_scalar::<_, String>("PRAGMA integrity_check(1)");
    let told = told.fetch_one(&mut connection).await;
    connection.close().await?;
    told.map(|told| (told != "ok").then_some(told))
}
