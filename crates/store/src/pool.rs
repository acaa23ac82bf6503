//! Opening the database: one writer, several readers.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::bucket::Bucket;
use crate::error::StoreError;
use crate::migrate::migrator;

/// Name of the database file in the data directory.
const FILE_NAME: &str = "bist.sqlite";

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT_S: u64 = 10;

/// Connections that read at the same time.
const READERS_MAX: u32 = 4;

/// Memory for pages of each connection, KiB: what one ingest changes fits, and is not written to the
/// log several times on its way to the commit. SQLite takes only what it needs; its default is 2 MiB.
const PAGE_CACHE_KIB: u32 = 64 * 1024;

/// Rows that SQLite's thread may be ahead of whoever reads them; each time it is not, both wake up
/// for every row.
const ROWS_AHEAD: usize = 4096;

/// The database of one data directory.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
    /// One connection: SQLite has one writer, and waiting here is fairer than waiting in the file.
    pub(crate) writer: SqlitePool,
    pub(crate) reader: SqlitePool,
    /// Where artefacts are kept besides.
    pub(crate) bucket: Option<Bucket>,
}

impl Store {
    /// Opens the database of `directory`, making both if need be, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Directory`] when the directory cannot be made or written,
    /// [`StoreError::Damaged`] or [`StoreError::TooNew`] when the file is not ours, and the others
    /// when the database fails.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        let unwritable = |source| StoreError::Directory { path: directory.to_owned(), source };
        make_private_directory(directory).map_err(unwritable)?;
        // SQLite would say "unable to open database file"; this says why.
        let file = directory.join(FILE_NAME);
        std::fs::OpenOptions::new().create(true).append(true).open(&file).map_err(unwritable)?;

        let options = SqliteConnectOptions::new()
            .filename(&file)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: an acknowledged write survives a power cut, not only a killed process.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("cache_size", format!("-{PAGE_CACHE_KIB}"))
            // Who is forgotten is not left in the pages of the file.
            .pragma("secure_delete", "FAST")
            .row_buffer_size(ROWS_AHEAD)
            .busy_timeout(Duration::from_secs(BUSY_TIMEOUT_S));
        let writer =
            SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        migrator().run(&writer).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self { directory: directory.to_owned(), writer, reader, bucket: None })
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Answers a trivial query, to show that the database can be read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Closes all connections, folding the write-ahead log into the file.
    pub async fn close(self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Makes the directory, and those above it that are not there, for their owner only. One that is there
/// stays as it is.
fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
