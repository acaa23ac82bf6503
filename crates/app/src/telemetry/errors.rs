//! Errors of this process, each once: from what is logged as an error, from panics, and from pages.
//!
//! Whoever logs an error waits for nobody: what is logged is put into a queue, from which a task keeps
//! it in the store and hands it to Sentry ([`crate::App::keep_errors`]). What does not fit is counted.
//! See docs/adr/0043-errors.md.

mod keep;
mod layer;
mod panics;
mod reported;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bist_store::{ErrorKind, NewError};
use tokio::sync::Notify;

pub use layer::{ErrorLayer, is_wanted};
pub use panics::{are_panics_told, message_of, tell_panics};
pub use reported::PageError;

/// Errors that wait to be kept; each has a few kilobytes.
const WAITING_MAX: usize = 256;

/// Characters of a message that are kept.
pub(crate) const MESSAGE_CHARS_MAX: usize = 1_000;

/// Characters of the line that names a group.
pub(crate) const TITLE_CHARS_MAX: usize = 200;

/// Characters of the place of an error.
pub(crate) const PLACE_CHARS_MAX: usize = 200;

/// What was logged before an error is kept up to this number; the oldest goes.
pub(crate) const BREADCRUMBS_MAX: usize = 20;

/// The version of the program, as errors name it; with the commit where the build was told it.
pub(crate) fn release() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match crate::release::commit() {
        Some(commit) => format!("bist@{version}+{commit}"),
        None => format!("bist@{version}"),
    }
}

/// Errors that wait to be kept, and how many there were. Cloning is cheap and shares it.
#[derive(Clone, Debug, Default)]
pub struct ErrorQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<VecDeque<NewError>>,
    news: Notify,
    is_closed: AtomicBool,
    counts: ErrorCounts,
}

/// How many errors there were since this process began.
#[derive(Debug, Default)]
pub struct ErrorCounts {
    by_kind: [AtomicU64; ErrorKind::ALL.len()],
    dropped: AtomicU64,
    sentry_sent: AtomicU64,
    sentry_dropped: AtomicU64,
    sentry_failed: AtomicU64,
}

/// What became of an event that was to go to Sentry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentryOutcome {
    /// It was taken.
    Sent,
    /// Too many waited, or it is left alone for it failed too often.
    Dropped,
    /// It was asked, and did not take it.
    Failed,
}

impl SentryOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Dropped, Self::Failed];

    /// Its name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

impl ErrorCounts {
    /// Errors of this kind, those included that could not be kept.
    pub fn errors(&self, kind: ErrorKind) -> u64 {
        self.of(kind).load(Ordering::Relaxed)
    }

    /// Errors that could not be kept, because too many waited.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Events of which this became that were to go to Sentry.
    pub fn sentry_events(&self, outcome: SentryOutcome) -> u64 {
        self.sentry(outcome).load(Ordering::Relaxed)
    }

    pub(crate) fn note_sentry(&self, outcome: SentryOutcome) {
        self.sentry(outcome).fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, kind: ErrorKind) -> &AtomicU64 {
        &self.by_kind[match kind {
            ErrorKind::Panic => 0,
            ErrorKind::Internal => 1,
            ErrorKind::Job => 2,
            ErrorKind::Page => 3,
            ErrorKind::Other => 4,
        }]
    }

    const fn sentry(&self, outcome: SentryOutcome) -> &AtomicU64 {
        match outcome {
            SentryOutcome::Sent => &self.sentry_sent,
            SentryOutcome::Dropped => &self.sentry_dropped,
            SentryOutcome::Failed => &self.sentry_failed,
        }
    }
}

impl ErrorQueue {
    /// How many errors there were.
    pub fn counts(&self) -> &ErrorCounts {
        &self.0.counts
    }

    /// Puts `error` at the end, unless too many wait.
    pub(crate) fn put(&self, error: NewError) {
        self.0.counts.of(error.kind).fetch_add(1, Ordering::Relaxed);
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.push_back(error);
            drop(waiting);
            self.0.news.notify_one();
        } else {
            self.note_dropped();
        }
    }

    /// Counts an error that cannot be kept.
    pub(crate) fn note_dropped(&self) {
        self.0.counts.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets whoever takes errors out end once nothing waits.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.0.news.notify_one();
    }

    /// The next error; `None` once nothing waits and the queue was closed.
    pub(crate) async fn next(&self) -> Option<NewError> {
        loop {
            let next = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            if next.is_some() {
                return next;
            }
            if self.0.is_closed.load(Ordering::Acquire) {
                return None;
            }
            self.0.news.notified().await;
        }
    }
}
