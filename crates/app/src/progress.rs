//! How far long work has come, told to whoever shows it.

/// A step of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done, in a few words.
    pub stage: &'a str,
    /// Which part of it, in a few words; empty when it has no parts that are worth a name.
    pub part: &'a str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

impl<'a> Progress<'a> {
    /// A stage without parts of which `done` of `total` is done.
    pub const fn of(stage: &'a str, done: u64, total: u64) -> Self {
        Self { stage, part: "", done, total }
    }
}

/// Receives progress; called from worker threads.
pub type ProgressSink = dyn Fn(Progress<'_>) + Send + Sync;
