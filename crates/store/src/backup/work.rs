//! A folder in which one process works at a time, and whose leftovers nobody takes for results.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::BackupError;

/// What is done in a folder. Each is done by one process at a time, and none keeps the others from theirs: a
/// backup is made while another one is taken apart, also where backups lie in the data directory itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Backups are made and removed, or a log is shipped.
    Making,
    /// A backup is taken apart, to be restored or tried out.
    TakingApart,
}

impl Purpose {
    /// The folder, and the file whose lock says that somebody works in it: it is free as soon as its process
    /// has died, however that was.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Making => (".backup-work", ".backup-work.lock"),
            Self::TakingApart => (".restore-work", ".restore-work.lock"),
        }
    }

    /// That another process does it below `parent`.
    fn busy(self, parent: &Path) -> BackupError {
        match self {
            Self::Making => BackupError::Busy(parent.to_owned()),
            Self::TakingApart => BackupError::BusyRestoring(parent.to_owned()),
        }
    }
}

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
    /// [`BackupError::Busy`] or [`BackupError::BusyRestoring`] while another process does the same there; what
    /// the system says.
    pub(super) fn begin(parent: &Path, purpose: Purpose) -> Result<Self, BackupError> {
        let failed = |source| BackupError::file(parent, source);
        let (folder, lock) = purpose.names();
        make_private(parent, true).map_err(failed)?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).append(true).open(parent.join(lock)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(purpose.busy(parent)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let work = Self { path: parent.join(folder), _lock: lock };
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn one_makes_backups_and_one_takes_them_apart_in_the_same_folder() {
        let place = TempDir::new().unwrap();
        let begin = |purpose| Work::begin(place.path(), purpose);
        let held = [Purpose::Making, Purpose::TakingApart].map(|purpose| begin(purpose).unwrap());
        assert_ne!(held[0].path(), held[1].path());
        let refused = begin(Purpose::Making).unwrap_err();
        assert!(matches!(refused, BackupError::Busy(_)), "{refused}");
        let refused = begin(Purpose::TakingApart).unwrap_err();
        assert!(matches!(refused, BackupError::BusyRestoring(_)), "{refused}");
        drop(held);
        begin(Purpose::Making).unwrap();
    }
}
