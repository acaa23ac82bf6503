//! What has just changed, told to everybody who listens: prices, signals, jobs, quality, records.
//!
//! [`Live`] numbers what happens in one stream and keeps the last of it, so that whoever was cut off
//! goes on where they were. `Live::tell` publishes what the database says, and `Live::tell_some` what a
//! live source says, here or to all servers that share the stream. A [`Listener`] is somebody who listens, through whatever door; it has no queue
//! of its own, but a place in the stream, so that a slow one costs nobody anything.
//!
//! The protocol and why it is so: docs/adr/0034-live-stream.md.

mod audience;
mod event;
mod listener;
mod look;
mod quotes;
mod replay;
mod shared;
mod stream;
mod topic;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bist_market::Symbol;
use jiff::Timestamp;
use rand::Rng as _;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio::sync::{Notify, watch};

use look::Looked;
use shared::Shared;
use stream::Stream;

pub use audience::Shown;
pub use event::{Change, Event, PriceNow, QualityNow, ReplayMoment};
pub use listener::{Listener, Resumed};
pub(crate) use quotes::Followed;
pub use quotes::{LiveQuotes, LiveSourceView};
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
    /// How long Redis may be away before a server that shares the stream goes on alone.
    pub alone_after: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            kept_events_max: 16_384,
            conflate_after_events: 256,
            alone_after: Duration::from_secs(2),
        }
    }
}

/// The stream that one process tells, alone or as others do. Cloning is cheap and shares it.
#[derive(Clone, Debug)]
pub struct Live(Arc<Hub>);

#[derive(Debug)]
struct Hub {
    settings: LiveSettings,
    stream: RwLock<Stream>,
    /// The newest number, for those who wait for the next.
    head: watch::Sender<u64>,
    /// How many listen.
    listeners_count: watch::Sender<usize>,
    /// Something was changed by this process.
    stirred: Notify,
    /// Something was changed by another one that says so.
    nudged: Notify,
    /// What is shared with other servers.
    shared: Option<Shared>,
    /// Whether this server was the one that looks, when it asked last.
    is_leader: AtomicBool,
    /// Whether everything is to be looked at, for the stream has become another one.
    is_looked_anew: AtomicBool,
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
        Self::of(settings, None)
    }

    fn of(settings: LiveSettings, shared: Option<Shared>) -> Self {
        let stream = Stream::new(settings.kept_events_max, settings.conflate_after_events);
        Self(Arc::new(Hub {
            settings,
            stream: RwLock::new(stream),
            head: watch::Sender::new(0),
            listeners_count: watch::Sender::new(0),
            stirred: Notify::new(),
            nudged: Notify::new(),
            shared,
            is_leader: AtomicBool::new(false),
            is_looked_anew: AtomicBool::new(false),
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
        let stream = self.read();
        Position { epoch: stream.epoch().to_string(), seq: stream.seq() }
    }

    /// Numbers what has happened and tells all who listen here; of a stream that others tell too, see
    /// `Live::tell`.
    pub fn publish(&self, at: Timestamp, changes: Vec<(Topic, Change)>) {
        self.write().push_all(at, changes);
        self.wake();
    }

    /// Lets those who wait see what is new.
    fn wake(&self) {
        let seq = self.read().seq();
        self.0.head.send_replace(seq);
    }

    /// Says that this process has changed something that is streamed, so that it is looked at once.
    pub(crate) fn stir(&self) {
        self.0.stirred.notify_one();
    }

    /// Whether prices are those of a replay.
    pub fn is_replay(&self) -> bool {
        self.0.is_replay.load(Ordering::Relaxed)
    }

    /// The prices of this moment, by symbol.
    fn standing_quotes(&self) -> Vec<PriceNow> {
        self.read().quotes().copied().collect()
    }

    /// That of one symbol.
    fn standing_quote(&self, symbol: Symbol) -> Option<PriceNow> {
        self.read().quote(symbol).copied()
    }

    /// The newest time of all of them.
    fn newest_quote_at(&self) -> Option<Timestamp> {
        self.read().quotes().filter_map(|now| now.priced_at).max()
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

/// A name for a life of a stream, which no other has.
fn new_epoch() -> String {
    let mut name = [0_u8; 8];
    UnwrapErr(SysRng).fill_bytes(&mut name);
    name.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes whatever is written");
        text
    })
}
