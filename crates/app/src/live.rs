//! What has just changed, told to everybody who listens: prices, signals, jobs, quality, records.
//!
//! [`Live`] numbers what happens in one stream and keeps the last of it, so that whoever was cut off
//! goes on where they were. `Live::bring_up_to_date` is the one place that publishes what the
//! database says and [`Live::publish`] the one place that numbers: what reaches other processes will
//! be fed from there. A [`Listener`] is somebody who listens, through whatever door; it has no queue
//! of its own, but a place in the stream, so that a slow one costs nobody anything.
//!
//! The protocol and why it is so: docs/adr/0034-live-stream.md.

mod audience;
mod event;
mod listener;
mod look;
mod replay;
mod stream;
mod topic;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::Timestamp;
use rand::Rng as _;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio::sync::{Notify, watch};

use look::Looked;
use stream::Stream;

pub use audience::Shown;
pub use event::{Change, Event, PriceNow, QualityNow, ReplayMoment};
pub use listener::{Listener, Resumed};
pub use replay::{ReplayError, ReplayPlan};
pub use stream::{Gap, News, Snapshot};
pub use topic::{Person, Position, PositionError, Section, Topic, Wanted, WantedError};

/// How the stream is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSettings {
    /// How often the database is asked whether another process has changed something.
    pub look_every: Duration,
    /// Events that are kept for those who come back; at least one.
    pub kept_events_max: usize,
    /// Whoever is more events behind than this gets the newest price of each symbol only.
    pub conflate_after_events: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            kept_events_max: 16_384,
            conflate_after_events: 256,
        }
    }
}

/// The stream of one process. Cloning is cheap and shares it.
#[derive(Clone, Debug)]
pub struct Live(Arc<Hub>);

#[derive(Debug)]
struct Hub {
    settings: LiveSettings,
    /// Names this life of the stream: numbers of another one mean nothing here.
    epoch: String,
    stream: RwLock<Stream>,
    /// The newest number, for those who wait for the next.
    head: watch::Sender<u64>,
    /// How many listen.
    listeners_count: watch::Sender<usize>,
    /// Something was changed by this process.
    stirred: Notify,
    looked: tokio::sync::Mutex<Looked>,
    /// Whether prices are those of a replay, and not of the database.
    is_replay: AtomicBool,
}

impl Default for Live {
    fn default() -> Self {
        Self::new(LiveSettings::default())
    }
}

impl Live {
    /// An empty stream with a name of its own.
    pub fn new(settings: LiveSettings) -> Self {
        let mut name = [0_u8; 8];
        UnwrapErr(SysRng).fill_bytes(&mut name);
        let epoch = name.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a text takes whatever is written");
            text
        });
        let stream = Stream::new(settings.kept_events_max, settings.conflate_after_events);
        Self(Arc::new(Hub {
            settings,
            epoch,
            stream: RwLock::new(stream),
            head: watch::Sender::new(0),
            listeners_count: watch::Sender::new(0),
            stirred: Notify::new(),
            looked: tokio::sync::Mutex::default(),
            is_replay: AtomicBool::new(false),
        }))
    }

    /// How the stream is kept.
    pub fn settings(&self) -> LiveSettings {
        self.0.settings
    }

    /// The newest place of the stream.
    pub fn position(&self) -> Position {
        self.position_at(self.read().seq())
    }

    /// The place of the number `seq`.
    pub fn position_at(&self, seq: u64) -> Position {
        Position { epoch: self.0.epoch.clone(), seq }
    }

    /// Numbers what has happened and tells all who listen.
    pub fn publish(&self, at: Timestamp, changes: Vec<(Topic, Change)>) {
        if changes.is_empty() {
            return;
        }
        let seq = {
            let mut stream = self.write();
            for (topic, change) in changes {
                stream.push(at, topic, change);
            }
            stream.seq()
        };
        self.0.head.send_replace(seq);
    }

    /// Publishes what of `now`, all there is of `section`, was not told yet, and what is gone.
    pub(crate) fn bring_up_to_date(
        &self,
        at: Timestamp,
        section: Section,
        now: Vec<(Topic, Change)>,
    ) {
        let changes = self.write().differences(section, now);
        self.publish(at, changes);
    }

    /// Says that this process has changed something that is streamed, so that it is looked at once.
    pub(crate) fn stir(&self) {
        self.0.stirred.notify_one();
    }

    /// Whether prices are those of a replay.
    pub fn is_replay(&self) -> bool {
        self.0.is_replay.load(Ordering::Relaxed)
    }

    /// How many listen at this moment.
    pub fn listeners_count(&self) -> usize {
        *self.0.listeners_count.borrow()
    }

    fn read(&self) -> RwLockReadGuard<'_, Stream> {
        self.0.stream.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Stream> {
        self.0.stream.write().unwrap_or_else(PoisonError::into_inner)
    }
}
