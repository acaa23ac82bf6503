//! Opening the database, and what every query of it goes through.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::SignedDuration;

use crate::bucket::Bucket;
use crate::db::{self, DatabaseAddress, DatabaseSettings, Pool};
use crate::error::StoreError;
use crate::jobs::LEASE_DEFAULT;
use crate::version::Looks;

/// The database of one data directory.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
    pub(crate) writer: Pool,
    pub(crate) reader: Pool,
    pub(crate) looks: Arc<Looks>,
    /// Where artefacts are kept besides.
    pub(crate) bucket: Option<Bucket>,
    /// How long a process on PostgreSQL holds a job without being heard of.
    pub(crate) job_lease: SignedDuration,
}

impl Store {
    /// Opens the SQLite database of `directory`, making both if need be, and brings its tables up to
    /// date.
    ///
    /// # Errors
    ///
    /// As [`Store::open_at`].
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_at(directory, &DatabaseSettings::default()).await
    }

    /// Opens the database that `settings` name and brings its tables up to date. In `directory`, which
    /// is made if need be, are the artefacts and, of SQLite, the database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Directory`] when the directory cannot be made or written,
    /// [`StoreError::Damaged`] or [`StoreError::TooNew`] when the database is not ours,
    /// [`StoreError::Unreachable`] when PostgreSQL cannot be asked, and the others when the database
    /// fails.
    pub async fn open_at(
        directory: &Path,
        settings: &DatabaseSettings,
    ) -> Result<Self, StoreError> {
        let unwritable = |source| StoreError::Directory { path: directory.to_owned(), source };
        make_private_directory(directory).map_err(unwritable)?;
        let sizes = settings.pool_sizes;
        let (writer, reader) = match &settings.address {
            DatabaseAddress::Sqlite(file) => {
                let file = file.clone().unwrap_or_else(|| directory.join(db::FILE_NAME));
                // SQLite would say "unable to open database file"; this says why.
                let options = OpenOptions::new().create(true).append(true).open(&file);
                options.map_err(unwritable)?;
                db::open_sqlite(&file, sizes).await?
            }
            DatabaseAddress::Postgres(options) => {
                db::open_postgres(options, settings.password.as_ref(), sizes).await?
            }
        };
        let directory = directory.to_owned();
        let looks = Arc::new(Looks::at(&reader));
        Ok(Self { directory, writer, reader, looks, bucket: None, job_lease: LEASE_DEFAULT })
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Closes all connections; SQLite folds its write-ahead log into the file.
    pub async fn close(self) {
        self.looks.close().await;
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
