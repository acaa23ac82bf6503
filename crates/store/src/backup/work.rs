//! A folder in which one process works at a time, and whose leftovers nobody takes for results.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::BackupError;

/// The folder, and the file whose lock says that somebody works in it: it is free as soon as its
/// process has died, however that was.
const FOLDER: &str = ".backup-work";
const LOCK: &str = ".backup-work.lock";

/// A folder that is empty at the beginning and gone at the end.
#[derive(Debug)]
pub(super) struct Work {
    path: PathBuf,
    _lock: File,
}

impl Work {
    /// Begins to work below `parent`, which is made if need be; what a process left that died there is
    /// removed.
    ///
    /// # Errors
    ///
    /// [`BackupError::Busy`] while another process works there; what the system says.
    pub(super) fn begin(parent: &Path) -> Result<Self, BackupError> {
        let failed = |source| BackupError::file(parent, source);
        make_private(parent, true).map_err(failed)?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).append(true).open(parent.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy(parent.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let work = Self { path: parent.join(FOLDER), _lock: lock };
        work.clear().map_err(failed)?;
        make_private(&work.path, false).map_err(failed)?;
        Ok(work)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn clear(&self) -> io::Result<()> {
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What cannot be removed is when the next one begins.
        self.clear().ok();
    }
}

/// Makes a directory that only its owner may enter.
fn make_private(path: &Path, recursive: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
