//! How far long work has come, told to whoever shows it.

/// A step of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done, in a few words.
    pub stage: &'a str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// Receives progress; called from worker threads.
pub type ProgressSink = dyn Fn(Progress<'_>) + Send + Sync;
