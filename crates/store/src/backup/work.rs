//! A folder in which one process works at a time, and whose leftovers nobody takes for results.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::BackupError;
use crate::artifacts::on_disk;

/// How long another process is waited for: longer than a backup of some gigabytes takes.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// How often it is looked whether that one is done.
const LOOK_EVERY: Duration = Duration::from_millis(200);

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

    /// What another process does, before the name of the folder.
    const fn as_work(self) -> &'static str {
        match self {
            Self::Making => "is at work in the folder of backups",
            Self::TakingApart => "takes a backup apart in",
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
    /// removed. While another process does the same there it is waited for, which is told once.
    ///
    /// # Errors
    ///
    /// [`BackupError::Busy`] or [`BackupError::BusyRestoring`] when that one is not done within a quarter of an
    /// hour; what the system says.
    pub(super) async fn begin(parent: &Path, purpose: Purpose) -> Result<Self, BackupError> {
        let tell = |waits: &str| tracing::warn!(folder = %parent.display(), "{waits}");
        Self::begin_within(WAIT_MAX, parent, purpose, tell).await
    }

    /// The same for who waits for so long at most, and is told so by `tell`.
    async fn begin_within(
        wait_max: Duration,
        parent: &Path,
        purpose: Purpose,
        tell: impl FnOnce(&str),
    ) -> Result<Self, BackupError> {
        let begin = || {
            let parent = parent.to_owned();
            on_disk(move || Self::begin_now(&parent, purpose))
        };
        let busy = match begin().await {
            Err(error) if is_busy(&error) => error,
            begun => return begun,
        };
        let minutes = wait_max.as_secs() / 60;
        tell(&format!(
            "another bist process {} {}, and is waited for, {minutes} minutes at most",
            purpose.as_work(),
            parent.display()
        ));
        let waiting = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                match begin().await {
                    Err(error) if is_busy(&error) => {}
                    begun => return begun,
                }
            }
        };
        tokio::time::timeout(wait_max, waiting).await.unwrap_or(Err(busy))
    }

    /// The same for who does not wait.
    ///
    /// # Errors
    ///
    /// [`BackupError::Busy`] or [`BackupError::BusyRestoring`] while another process does the same there; what
    /// the system says.
    pub(super) fn begin_now(parent: &Path, purpose: Purpose) -> Result<Self, BackupError> {
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

fn is_busy(error: &BackupError) -> bool {
    matches!(error, BackupError::Busy(_) | BackupError::BusyRestoring(_))
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
        let begin = |purpose| Work::begin_now(place.path(), purpose);
        let held = [Purpose::Making, Purpose::TakingApart].map(|purpose| begin(purpose).unwrap());
        assert_ne!(held[0].path(), held[1].path());
        let refused = begin(Purpose::Making).unwrap_err();
        assert!(matches!(refused, BackupError::Busy(_)), "{refused}");
        let refused = begin(Purpose::TakingApart).unwrap_err();
        assert!(matches!(refused, BackupError::BusyRestoring(_)), "{refused}");
        drop(held);
        begin(Purpose::Making).unwrap();
    }

    #[tokio::test]
    async fn who_comes_second_is_told_once_and_goes_on_when_the_first_is_done() {
        let place = TempDir::new().unwrap();
        for purpose in [Purpose::Making, Purpose::TakingApart] {
            let first = Work::begin_now(place.path(), purpose).unwrap();
            let (mut told, folder) = (Vec::new(), first.path().to_owned());
            let tell = |waits: &str| {
                told.push(waits.to_owned());
                drop(first);
            };
            let second = Work::begin_within(WAIT_MAX, place.path(), purpose, tell).await.unwrap();
            assert!(folder.exists() && second.path() == folder);
            let [told] = &told[..] else { panic!("{told:?}") };
            let whom = format!("{} {}", purpose.as_work(), place.path().display());
            assert!(told.contains(&whom) && told.ends_with("15 minutes at most"), "{told}");
        }
    }

    #[tokio::test]
    async fn who_has_waited_for_as_long_as_it_is_worth_is_refused() {
        let place = TempDir::new().unwrap();
        let first = Work::begin_now(place.path(), Purpose::Making).unwrap();
        let mut told = 0;
        let begin =
            Work::begin_within(Duration::ZERO, place.path(), Purpose::Making, |_| told += 1);
        let refused = begin.await.unwrap_err().to_string();
        assert!(refused.ends_with("try again when it is done"), "{refused}");
        drop(first);
        // Who need not wait is told nothing.
        let begin =
            Work::begin_within(Duration::ZERO, place.path(), Purpose::Making, |_| told += 1);
        begin.await.unwrap();
        assert_eq!(told, 1);
    }
}
