//! Roots that were kept: in files elsewhere, and day by day beside the database.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bist_access::{AuditRoot, AuditRootError};
use bist_market::bar::day_of;
use bist_store::StoreError;
use jiff::Timestamp;

use crate::out_file::{Existing, OutFileError, write_out};
use crate::{App, blocking};

/// The file of the data directory in which a server notes a root each day.
const FILE_NAME: &str = "audit-roots.log";

/// Why the chain was not compared with the roots that were kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptRootsError {
    /// The file cannot be read or written.
    #[error("the file of roots {path} cannot be read or written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of the file begins with no root.
    #[error("line {line} of {path}: {error}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        error: AuditRootError,
    },
    /// The key cannot be had, or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The roots of the file `path`: one a line, before the first blank.
///
/// # Errors
///
/// [`KeptRootsError`] when it cannot be read, or a line begins with something else.
pub async fn read_roots(path: &Path) -> Result<Vec<AuditRoot>, KeptRootsError> {
    let lines = lines(path).await?;
    let roots = lines.iter().enumerate().map(|(index, line)| {
        let root = line.split(' ').next().unwrap_or_default().parse();
        let (path, line) = (path.to_owned(), index + 1);
        root.map_err(|error| KeptRootsError::Line { path, line, error })
    });
    roots.collect()
}

impl App {
    /// Notes where the chain stands, in the log and in a file beside the database, unless that was done
    /// today or there is no record yet. Returns what was noted.
    ///
    /// # Errors
    ///
    /// [`KeptRootsError`] when the file cannot be written or the database fails.
    pub async fn note_audit_root(&self) -> Result<Option<AuditRoot>, KeptRootsError> {
        let (path, now) = (self.noted_roots_file(), self.now());
        let Some(root) = self.audit_root(None).await? else { return Ok(None) };
        let last = self.last_noted_root_at().await?;
        if last.is_some_and(|last| day_of(last) >= day_of(now)) {
            return Ok(None);
        }
        let (line, file) = (format!("{root} {now}\n"), path.clone());
        let append = move || {
            let mut file = OpenOptions::new().create(true).append(true).open(file)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        blocking(append).await.map_err(|source| KeptRootsError::File { path, source })?;
        tracing::info!(audit.root = %root, "the audit stands at {root}");
        Ok(Some(root))
    }

    /// Writes `root` to the new file `path`, as [`read_roots`] reads it.
    ///
    /// # Errors
    ///
    /// [`OutFileError`] when there is a file already, or it cannot be written.
    pub async fn write_audit_root(
        &self,
        root: &AuditRoot,
        path: &Path,
    ) -> Result<(), OutFileError> {
        let (line, file) = (format!("{root} {}\n", self.now()), path.to_owned());
        blocking(move || write_out(&file, Existing::Keep, |file| file.write_all(line.as_bytes())))
            .await
    }

    /// The roots that were noted; none before a server has.
    pub(super) async fn noted_roots(&self) -> Result<Vec<AuditRoot>, KeptRootsError> {
        let path = self.noted_roots_file();
        if path.exists() { read_roots(&path).await } else { Ok(Vec::new()) }
    }

    /// When a root was noted last.
    pub(crate) async fn last_noted_root_at(&self) -> Result<Option<Timestamp>, KeptRootsError> {
        let path = self.noted_roots_file();
        let noted_at = |line: &String| line.split(' ').nth(1)?.parse::<Timestamp>().ok();
        Ok(if path.exists() { lines(&path).await?.last().and_then(noted_at) } else { None })
    }

    /// Where roots are noted.
    pub(crate) fn noted_roots_file(&self) -> PathBuf {
        self.directory().join(FILE_NAME)
    }
}

async fn lines(path: &Path) -> Result<Vec<String>, KeptRootsError> {
    let file = path.to_owned();
    let text = blocking(move || std::fs::read_to_string(file)).await;
    let text = text.map_err(|source| KeptRootsError::File { path: path.to_owned(), source })?;
    Ok(text.lines().map(str::to_owned).collect())
}
