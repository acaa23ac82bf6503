//! The sources: how each is doing, and when it is asked next.

use std::collections::{BTreeMap, BTreeSet};

pub use bist_feeds::http::BreakerState;
use bist_market::Source;
use bist_market::bar::day_of;
use bist_market::calendar::Calendar;
pub use bist_store::JobRun;
use bist_store::StoreError;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::App;
use crate::jobs::Job;
use crate::live::LiveSourceView;
use crate::nightly::next_due;
use crate::symbols::ended_sessions_since;

/// How a source is doing, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// The last time it was asked, it answered.
    Ok,
    /// The last time it was asked, it failed.
    Failing,
    /// It failed so often that it is left alone for a while.
    Open,
    /// It is set up and was never asked.
    Never,
}

impl SourceState {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Open => "open",
            Self::Never => "never",
        }
    }
}

/// One source.
#[derive(Clone, Debug)]
pub struct SourceView {
    /// Its name.
    pub source: Source,
    /// How it is doing.
    pub state: SourceState,
    /// When it last brought something, or said that there is nothing newer.
    pub last_success_at: Option<Timestamp>,
    /// When it was last asked.
    pub last_attempt_at: Option<Timestamp>,
    /// The newest day of its bars.
    pub newest_day: Option<Date>,
    /// Sessions that have ended since; `None` without bars.
    pub lag_sessions: Option<u32>,
    /// Failures in a row.
    pub failures_count: u64,
    /// What went wrong last; kept after a success, too.
    pub last_error: Option<String>,
    /// Its circuit breaker in this process; `None` for files.
    pub breaker: Option<BreakerState>,
    /// Bars stored.
    pub rows_count: u64,
    /// Symbols with bars.
    pub symbols_count: u64,
    /// Pieces fetched so far.
    pub pieces_count: u64,
}

/// All sources, and the nightly run.
#[derive(Clone, Debug)]
pub struct SourcesView {
    /// Now.
    pub as_of: Timestamp,
    /// By name.
    pub sources: Vec<SourceView>,
    /// Whether a nightly run is set up.
    pub nightly_enabled: bool,
    /// When it runs next, or a failed run is begun again; `None` when it is not set up, or beyond
    /// the calendar.
    pub nightly_next_at: Option<Timestamp>,
    /// The last run.
    pub nightly_last: Option<JobRun>,
    /// How the source of prices of this moment is doing; `None` without one.
    pub live: Option<LiveSourceView>,
}

impl App {
    /// How every source is doing that is set up or has brought something.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn sources(&self) -> Result<SourcesView, StoreError> {
        let now = self.now();
        let mut statuses: BTreeMap<Source, _> = (self.store.source_statuses().await?.into_iter())
            .map(|status| (status.source, status))
            .collect();
        let series = self.store.series_overviews().await?;
        let pieces = self.store.piece_counts().await?;
        let names: BTreeSet<Source> = (statuses.keys().copied())
            .chain(self.providers.keys().copied())
            .chain(series.iter().map(|series| series.source))
            .collect();
        let sources = names.into_iter().map(|source| {
            let status = statuses.remove(&source);
            let of_source = || series.iter().filter(|series| series.source == source);
            let newest_day = of_source().filter_map(|series| series.last_day).max();
            let breaker = self.providers.get(&source).and_then(|provider| provider.breaker());
            let symbols: BTreeSet<_> = of_source().map(|series| series.symbol).collect();
            let fetched_at = of_source().map(|series| series.fetched_at).max();
            let failures_count = status.as_ref().map_or(0, |status| status.failures_count);
            let last_attempt_at = status.as_ref().map(|status| status.last_attempt_at);
            let state = match &breaker {
                Some(BreakerState::Open { .. }) => SourceState::Open,
                _ if failures_count > 0 => SourceState::Failing,
                _ if last_attempt_at.is_none() && fetched_at.is_none() => SourceState::Never,
                _ => SourceState::Ok,
            };
            SourceView {
                source,
                state,
                last_success_at: status
                    .as_ref()
                    .and_then(|status| status.last_success_at)
                    .max(fetched_at),
                last_attempt_at: last_attempt_at.max(fetched_at),
                newest_day,
                lag_sessions: newest_day.and_then(|day| ended_sessions_since(day, day_of(now))),
                failures_count,
                last_error: status.and_then(|status| status.last_error),
                breaker,
                rows_count: of_source().map(|series| series.rows_count).sum(),
                symbols_count: symbols.len() as u64,
                pieces_count: pieces.get(&source).copied().unwrap_or_default(),
            }
        });
        let nightly_last = self.store.jobs(Some(Job::NightlyIngest.as_str()), None, 1).await?.pop();
        let retry_at = nightly_last.as_ref().and_then(|run| run.retry_at);
        Ok(SourcesView {
            as_of: now,
            sources: sources.collect(),
            nightly_enabled: self.nightly.is_some(),
            nightly_next_at: match self.nightly {
                Some(_) => next_due(now, Calendar::bist()).into_iter().chain(retry_at).min(),
                None => None,
            },
            nightly_last,
            live: self.live_source(),
        })
    }
}
