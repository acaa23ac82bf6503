//! The lock of a journal: a symbolic link beside the file that Optuna's workers make and respect.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bist_lifecycle::study::StudyStorageError;

/// The first pause of whoever waits, which doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(32);

/// The lock of one journal, as `JournalFileSymlinkLock` has it.
#[derive(Debug)]
pub(super) struct JournalLock {
    /// Where the link leads. Optuna follows it to see when the journal was last written, so it has
    /// to lead there from the link's own folder.
    target: PathBuf,
    link: PathBuf,
    grace: Duration,
    /// What nobody else is called.
    owner: String,
}

/// The lock while it is held; dropping it releases it.
#[derive(Debug)]
pub(super) struct HeldLock<'a> {
    lock: &'a JournalLock,
    identity: Option<Identity>,
}

impl JournalLock {
    pub(super) fn new(journal: &Path, grace: Duration, owner: &str) -> Self {
        let mut link = journal.as_os_str().to_owned();
        link.push(".lock");
        let target = journal.file_name().map_or_else(|| journal.to_owned(), PathBuf::from);
        Self { target, link: link.into(), grace, owner: owner.to_owned() }
    }

    /// Waits until the lock is free and takes it. A lock that stays for the whole grace is taken
    /// away from whoever left it.
    pub(super) fn acquire(&self) -> Result<HeldLock<'_>, StudyStorageError> {
        let mut pause = PAUSE_MIN;
        let mut seen = None;
        let mut since = Instant::now();
        loop {
            match make_link(&self.target, &self.link) {
                Ok(()) => return Ok(HeldLock { lock: self, identity: identity(&self.link) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(self.failed(&error)),
            }
            let now = identity(&self.link);
            if now.is_none() || now != seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() > self.grace {
                self.take_away(seen).map_err(|error| self.failed(&error))?;
                continue;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Removes the lock that is `stale`, and no other.
    fn take_away(&self, stale: Option<Identity>) -> io::Result<()> {
        let aside = self.aside();
        match fs::rename(&self.link, &aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        }
        if identity(&aside) != stale {
            // Somebody else was quicker, and this is the lock of whoever came after: give it back,
            // unless there is one again.
            match fs::hard_link(&aside, &self.link) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        fs::remove_file(&aside)
    }

    /// A name that nobody else uses. A file is renamed before it is removed, because on network file
    /// systems only that says who did it.
    fn aside(&self) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut name = self.link.as_os_str().to_owned();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        name.push(format!("{}-{count}.rename", self.owner));
        name.into()
    }

    fn failed(&self, error: &io::Error) -> StudyStorageError {
        StudyStorageError::Io {
            place: self.link.display().to_string(),
            reason: format!("the lock of the journal cannot be taken: {error}"),
        }
    }
}

impl Drop for HeldLock<'_> {
    /// A lock that somebody took away because it stayed for the whole grace is no longer ours. One
    /// that cannot be removed, because the folder has become read-only, is taken away after it.
    fn drop(&mut self) {
        let link = &self.lock.link;
        if identity(link) == self.identity {
            let aside = self.lock.aside();
            let _stays_for_the_grace =
                fs::rename(link, &aside).and_then(|()| fs::remove_file(&aside));
        }
    }
}

/// What tells one lock from the next at the same place.
type Identity = (u64, Option<SystemTime>);

fn identity(link: &Path) -> Option<Identity> {
    let metadata = fs::symlink_metadata(link).ok()?;
    Some((file_number(&metadata), metadata.modified().ok()))
}

#[cfg(unix)]
fn file_number(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn file_number(_metadata: &fs::Metadata) -> u64 {
    0
}

#[cfg(unix)]
fn make_link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// What `JournalFileOpenLock` does, for systems where links need a privilege.
#[cfg(not(unix))]
fn make_link(_target: &Path, link: &Path) -> io::Result<()> {
    fs::File::create_new(link).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_lock_that_was_left_is_taken_away_after_the_grace_and_leads_to_the_journal() {
        let folder = tempfile::TempDir::new().unwrap();
        let journal = folder.path().join("a.log");
        fs::write(&journal, "").unwrap();
        let lock = JournalLock::new(&journal, Duration::ZERO, "test");
        std::mem::forget(lock.acquire().unwrap());
        assert_eq!(fs::canonicalize(&lock.link).unwrap(), fs::canonicalize(&journal).unwrap());
        drop(lock.acquire().unwrap());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "the journal alone: {left:?}");
    }

    #[test]
    #[cfg(unix)]
    fn only_the_lock_that_was_left_is_taken_away() {
        let folder = tempfile::TempDir::new().unwrap();
        let lock = JournalLock::new(&folder.path().join("a.log"), Duration::ZERO, "test");
        let held = lock.acquire().unwrap();
        let before = identity(&lock.link);
        lock.take_away(Some((0, None))).unwrap();
        assert_eq!(identity(&lock.link), before);
        lock.take_away(before).unwrap();
        assert_eq!(identity(&lock.link), None);
        drop(held);
    }

    #[test]
    #[cfg(unix)]
    fn whoever_was_too_slow_leaves_the_lock_of_the_next_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let lock = JournalLock::new(&folder.path().join("a.log"), Duration::ZERO, "test");
        let slow = lock.acquire().unwrap();
        let next = lock.acquire().unwrap();
        let held = identity(&lock.link);
        drop(slow);
        assert_eq!(identity(&lock.link), held);
        drop(next);
        assert_eq!(identity(&lock.link), None);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_with_its_name() {
        let lock = JournalLock::new(Path::new("/nowhere/at/all/a.log"), Duration::ZERO, "test");
        let error = lock.acquire().unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/at/all/a.log.lock: "), "{error}");
    }
}
