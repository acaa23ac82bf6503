//! `/api/v1/data-quality/sources`: how the sources are doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::live::LiveSourceView;
use bist_app::sources::{BreakerState, JobRun, SourceState, SourceView, SourcesView};
use bist_app::symbols::age_s;
use bist_market::{QuoteRefusal, Source};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::{Checked, NoParameters};
use crate::schema::{Day, Instant, schema, text};

/// How every source is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sources)]
pub(super) struct SourcesResponse {
    /// Now.
    as_of: Instant,
    /// By name.
    items: Vec<SourceResponse>,
    /// The source of prices of this moment; null where none is followed.
    #[schema(required)]
    live: Option<LiveSourceResponse>,
    /// The run that asks sources after each session.
    nightly: NightlyResponse,
}

/// How one source is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SourceStatus)]
pub(super) struct SourceResponse {
    /// Its name.
    #[schema(value_type = String, example = "yahoo")]
    source: Source,
    /// In one word.
    state: StateWord,
    /// When it last brought something, or said that there is nothing newer.
    #[schema(required)]
    last_success_at: Option<Instant>,
    /// When it was last asked.
    #[schema(required)]
    last_attempt_at: Option<Instant>,
    /// The newest day of its bars.
    #[schema(required)]
    newest_day: Option<Day>,
    /// Sessions that have ended since; null without bars.
    #[schema(required, example = 0)]
    lag_sessions: Option<u32>,
    /// Failures in a row.
    #[schema(example = 0)]
    failures_count: u64,
    /// What went wrong last, in an English sentence.
    #[schema(required)]
    last_error: Option<String>,
    /// Its circuit breaker in this process; null for files and sources that are not set up.
    #[schema(required)]
    breaker: Option<BreakerResponse>,
    /// Bars stored.
    #[schema(example = 125000)]
    rows_count: u64,
    /// Symbols with bars.
    #[schema(example = 100)]
    symbols_count: u64,
    /// Pieces fetched so far.
    #[schema(example = 300)]
    pieces_count: u64,
}

/// How the source of prices of this moment is doing, as the process that answers sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveSourceStatus)]
pub(super) struct LiveSourceResponse {
    /// Its name.
    #[schema(value_type = String, example = "algolab")]
    source: Source,
    /// Whether this process follows it; of several one does, and only that one knows the numbers below.
    followed_here: bool,
    /// Whether it is connected, or answered the last time.
    connected: bool,
    /// Whether the newest quote is older than the phase of the session allows; null without one.
    #[schema(required)]
    stale: Option<bool>,
    /// The newest time of a quote, in the words of the source.
    #[schema(required)]
    newest_quote_at: Option<Instant>,
    /// Seconds since then.
    #[schema(required, example = 3)]
    age_s: Option<u64>,
    /// When it was last heard, by our clock.
    #[schema(required)]
    last_heard_at: Option<Instant>,
    /// Connections made, or rounds of asking.
    #[schema(example = 1)]
    connections_count: u64,
    /// Quotes that were shown.
    #[schema(example = 125000)]
    shown_count: u64,
    /// What was not shown, by reason.
    refused: Vec<RefusedQuotesResponse>,
    /// What went wrong last, in an English sentence; kept after it is well again, too.
    #[schema(required)]
    last_error: Option<String>,
    /// Its circuit breaker in this process; null for a source that is asked again and again, which has
    /// that of its name above.
    #[schema(required)]
    breaker: Option<BreakerResponse>,
}

/// What was not shown, for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefusedQuotes)]
pub(super) struct RefusedQuotesResponse {
    /// Why.
    reason: RefusalWord,
    /// How often.
    #[schema(example = 2)]
    count: u64,
}

/// Why a quote is not shown.
#[derive(Debug)]
pub(super) struct RefusalWord(QuoteRefusal);

impl Serialize for RefusalWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

schema!(
    RefusalWord,
    "QuoteRefusal",
    text(
        "Why a quote is not shown: `unreadable`; `not_a_price`, zero or less; `unknown_symbol`; \
         `repeated`; `out_of_order`, older than the one before; `from_the_future`; `no_session` on its \
         day; `superseded`, a bar of its session is stored; `off_tick`, no multiple of the price step; \
         `outside_limits` of the day.",
        "off_tick"
    )
    .enum_values(Some(QuoteRefusal::ALL.map(QuoteRefusal::as_str)))
);

/// A circuit breaker.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Breaker)]
pub(super) struct BreakerResponse {
    /// `closed` when the source is asked, `open` when it is left alone, `half_open` when one request
    /// is on its way to see whether it is back.
    #[schema(example = "closed")]
    state: &'static str,
    /// For an open one: after how many seconds the source is asked again.
    #[schema(required)]
    retry_in_s: Option<u64>,
}

/// How a source is doing.
#[derive(Debug)]
pub(super) struct StateWord(SourceState);

impl Serialize for StateWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

schema!(
    StateWord,
    "SourceState",
    text(
        "How a source is doing: `ok`, `failing` the last time, `open` when it failed so often that it is left alone, `never` asked.",
        "ok"
    )
    .enum_values(Some(
        [SourceState::Ok, SourceState::Failing, SourceState::Open, SourceState::Never]
            .map(SourceState::as_str)
    ))
);

/// The nightly run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Nightly)]
pub(super) struct NightlyResponse {
    /// Whether it is set up.
    enabled: bool,
    /// When it runs next; null when it is not set up.
    #[schema(required)]
    next_run_at: Option<Instant>,
    /// The last run; null when there was none.
    #[schema(required)]
    last_run: Option<RunResponse>,
}

/// A nightly run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NightlyRun)]
pub(super) struct RunResponse {
    /// When it was due.
    due_at: Instant,
    /// When it began; null while it waits.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When it ended; null while it runs.
    #[schema(required)]
    finished_at: Option<Instant>,
    /// `waiting`, `running`, `done`, `failed` or `cancelled`.
    #[schema(example = "done")]
    outcome: &'static str,
    /// What came of it, in an English sentence.
    #[schema(required)]
    detail: Option<String>,
}

/// How the sources are doing, and when they are asked next
#[utoipa::path(
    get, path = "/api/v1/data-quality/sources", tag = "data-quality", operation_id = "list_sources",
    responses((status = 200, description = "The sources and the nightly run.", body = SourcesResponse))
)]
pub(super) async fn sources(
    State(app): State<Arc<App>>,
    Checked(NoParameters): Checked<NoParameters>,
) -> Result<Json<SourcesResponse>, ApiError> {
    Ok(Json(SourcesResponse::from(app.sources().await?)))
}

impl From<SourcesView> for SourcesResponse {
    fn from(view: SourcesView) -> Self {
        Self {
            as_of: Instant(view.as_of),
            items: view.sources.into_iter().map(SourceResponse::from).collect(),
            live: view.live.map(|live| LiveSourceResponse::of(live, view.as_of)),
            nightly: NightlyResponse {
                enabled: view.nightly_enabled,
                next_run_at: view.nightly_next_at.map(Instant),
                last_run: view.nightly_last.map(RunResponse::from),
            },
        }
    }
}

impl LiveSourceResponse {
    fn of(view: LiveSourceView, now: Timestamp) -> Self {
        let LiveSourceView { source, is_followed, is_stale, newest_quote_at, breaker, tally } =
            view;
        let refused = tally.refused.into_iter();
        Self {
            source,
            followed_here: is_followed,
            connected: tally.is_connected,
            stale: is_stale,
            newest_quote_at: newest_quote_at.map(Instant),
            age_s: newest_quote_at.map(|at| age_s(at, now)),
            last_heard_at: tally.last_heard_at.map(Instant),
            connections_count: tally.connections_count,
            shown_count: tally.shown_count,
            refused: refused
                .map(|(why, count)| RefusedQuotesResponse { reason: RefusalWord(why), count })
                .collect(),
            last_error: tally.last_error,
            breaker: breaker.as_ref().map(BreakerResponse::from),
        }
    }
}

impl From<SourceView> for SourceResponse {
    fn from(view: SourceView) -> Self {
        Self {
            source: view.source,
            state: StateWord(view.state),
            last_success_at: view.last_success_at.map(Instant),
            last_attempt_at: view.last_attempt_at.map(Instant),
            newest_day: view.newest_day.map(Day),
            lag_sessions: view.lag_sessions,
            failures_count: view.failures_count,
            last_error: view.last_error,
            breaker: view.breaker.as_ref().map(BreakerResponse::from),
            rows_count: view.rows_count,
            symbols_count: view.symbols_count,
            pieces_count: view.pieces_count,
        }
    }
}

impl From<&BreakerState> for BreakerResponse {
    fn from(breaker: &BreakerState) -> Self {
        match breaker {
            BreakerState::Closed { .. } => Self { state: "closed", retry_in_s: None },
            BreakerState::Open { retry_in, .. } => {
                Self { state: "open", retry_in_s: Some(retry_in.as_secs()) }
            }
            BreakerState::HalfOpen => Self { state: "half_open", retry_in_s: None },
        }
    }
}

impl From<JobRun> for RunResponse {
    fn from(run: JobRun) -> Self {
        Self {
            due_at: Instant(run.due_at),
            started_at: run.started_at.map(Instant),
            finished_at: run.finished_at.map(Instant),
            outcome: run.state.as_str(),
            detail: run.detail,
        }
    }
}
