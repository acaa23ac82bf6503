//! Studies in a journal file that Optuna 5 reads, continues and writes as well.
//!
//! A journal has one record a line and is only ever appended to; what is known of its studies is
//! what its records say, one after the other (Optuna's `JournalStorage` over `JournalFileBackend`
//! with its default lock). Whoever writes holds the lock from before the last look at the file
//! until the record is on disk, so that of several processes, ours or Python's, one decides at a
//! time: no number is given twice and no waiting trial claimed twice.

mod lock;
mod python_json;
mod record;
mod replay;
mod storage;
mod tail;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bist_lifecycle::study::StudyStorageError;

use lock::JournalLock;
use record::Record;
use replay::{Applied, Replay};
use tail::Tail;

/// How long a lock may stay before whoever held it is taken for dead: Optuna's default.
pub const LOCK_GRACE_DEFAULT: Duration = Duration::from_secs(30);

/// Studies in a journal file, for several threads; several of them, in this process and others, may
/// share one file.
///
/// A number in an attribute that JSON does not have (Python writes `NaN` and `Infinity`) is read as
/// the text of that name.
#[derive(Debug)]
pub struct JournalStorage {
    path: PathBuf,
    lock: JournalLock,
    /// What marks our records in the file.
    worker_id: String,
    held: Mutex<Held>,
}

/// What was read so far.
#[derive(Debug)]
struct Held {
    tail: Tail,
    replay: Replay,
}

impl JournalStorage {
    /// Opens the journal at `path`, making the file if need be, and reads what it says.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Io`] when the file cannot be made or read, or a line of it is damaged.
    pub fn open(path: &Path) -> Result<Self, StudyStorageError> {
        Self::open_with_grace(path, LOCK_GRACE_DEFAULT)
    }

    /// The same with another `grace`: how long a lock may stay before whoever held it is taken for
    /// dead. It has to be longer than any write to the file takes.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_with_grace(path: &Path, grace: Duration) -> Result<Self, StudyStorageError> {
        let tail = Tail::open(path)?;
        let worker_id = worker_id();
        let storage = Self {
            path: path.to_owned(),
            lock: JournalLock::new(path, grace, &worker_id),
            worker_id,
            held: Mutex::new(Held { tail, replay: Replay::default() }),
        };
        storage.look(|_| ())?;
        Ok(storage)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A panic elsewhere leaves nothing half done here: a record is applied whole or not at all.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is new, and looks at what is known then.
    fn look<T>(&self, look: impl FnOnce(&Replay) -> T) -> Result<T, StudyStorageError> {
        let mut held = self.held();
        held.read(None)?;
        Ok(look(&held.replay))
    }

    /// Appends the record that `decide` makes of what is known, and returns what it did; `None` when
    /// there is nothing to do.
    fn act(
        &self,
        decide: impl Fn(&Replay) -> Result<Option<Record>, StudyStorageError>,
    ) -> Result<Option<Applied>, StudyStorageError> {
        let mut held = self.held();
        let _lock = self.lock.acquire()?;
        loop {
            held.read(None)?;
            if held.tail.mend()? {
                held.read(None)?;
            }
            let Some(record) = decide(&held.replay)? else { return Ok(None) };
            held.replay.check(&record)?;
            held.tail.append(&record.line(&self.worker_id))?;
            // Somebody who took us for dead may have written before us, so that only the file says
            // what became of the record.
            match held.read(Some(&self.worker_id))? {
                Some(Applied::Nothing) => {}
                Some(done) => return Ok(Some(done)),
                None => return Err(held.tail.replaced()),
            }
        }
    }
}

impl Held {
    /// Applies the lines that are new, and returns what the last record of `own` did.
    fn read(&mut self, own: Option<&str>) -> Result<Option<Applied>, StudyStorageError> {
        let mut done = Ok(None);
        let replay = &mut self.replay;
        self.tail.read(|line| {
            let (worker_id, record) = record::parse(line)?;
            let applied = record.map_or(Ok(Applied::Nothing), |record| replay.apply(record));
            if own.is_some_and(|own| own == worker_id) {
                done = applied.map(Some);
            }
            Ok(())
        })?;
        done
    }
}

/// Like Optuna's, a random UUID and a number; unlike there, one for each storage that was opened.
fn worker_id() -> String {
    // The standard library seeds the keys of its hash tables from the operating system.
    let high = RandomState::new().hash_one("study journal");
    let low = RandomState::new().hash_one("worker");
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}-{}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff,
        std::process::id()
    )
}
