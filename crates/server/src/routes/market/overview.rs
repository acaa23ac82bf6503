//! `/api/v1/market/overview`: what is moving.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::market_view::{
    Breadth, IndexState, IndexView, MarketView, ShareSignal, ShareSignals, ShareView,
};
use bist_market::bar::day_of;
use bist_market::{Source, Symbol};
use bist_trading::signal::Action;
use serde::Serialize;
use utoipa::ToSchema;

use super::standing::{ChangeResponse, LeftOutResponse, changes, left_out, sources};
use crate::error::ApiError;
use crate::extract::NoParameters;
use crate::kept::Kept;
use crate::openapi::Unchanged;
use crate::schema::{ActionWord, Day, Decimal, Instant, OriginWord};

/// Shares of each list of movers, and signals shown.
const SHOWN_COUNT: usize = 10;

/// The market on its newest day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MarketOverview)]
pub(super) struct OverviewResponse {
    /// The day that everything here is of; null without a share. It is the newest that half of the
    /// shares that are still traded have reached.
    #[schema(required)]
    as_of: Option<Day>,
    /// Sessions of the exchange that have ended since; null when the calendar does not cover today.
    #[schema(required, example = 0)]
    stale_sessions: Option<u32>,
    /// Whether the data are real; null without a share.
    #[schema(required)]
    origin: Option<OriginWord>,
    /// The sources of the shares.
    #[schema(value_type = Vec<String>, example = json!(["csv"]))]
    sources: Vec<Source>,
    /// XU100, XU030 and USDTRY, each with what is known of it.
    indices: Vec<IndexResponse>,
    /// Shares that are counted here.
    #[schema(example = 540)]
    shares_count: usize,
    /// Shares that are not, and why.
    left_out: LeftOutResponse,
    /// How many shares go along, by adjusted prices.
    breadth: BreadthResponse,
    /// What was traded, by prices as they were paid.
    turnover: TurnoverResponse,
    /// The shares that rose most, by adjusted change over a session.
    gainers: Vec<MoverResponse>,
    /// Those that fell most.
    losers: Vec<MoverResponse>,
    /// Those with the largest turnover.
    most_traded: Vec<MoverResponse>,
    /// What the model in force says.
    signals: SignalsResponse,
}

/// An index or a rate of exchange.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MarketIndex)]
struct IndexResponse {
    /// Which.
    #[schema(value_type = String, example = "XU100")]
    symbol: Symbol,
    /// Whether the store has bars of it that are good enough.
    state: IndexWord,
    /// The day of its last bar up to the day of the overview.
    #[schema(required)]
    as_of: Option<Day>,
    /// The close of it.
    #[schema(required)]
    close: Option<Decimal>,
    /// Its changes up to that day.
    changes: Vec<ChangeResponse>,
    /// Where it comes from.
    #[schema(required, value_type = Option<String>, example = "yahoo")]
    source: Option<Source>,
}

/// What is known of an index.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum IndexWord {
    /// Its last bar is here.
    Known,
    /// The store has no bars of it.
    Missing,
    /// Its bars are below the required quality.
    BelowGate,
}

/// How many shares go along.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MarketBreadth)]
pub(super) struct BreadthResponse {
    /// Shares that rose.
    advancers_count: usize,
    /// Shares that fell.
    decliners_count: usize,
    /// Shares that closed where they did.
    unchanged_count: usize,
    /// Shares of which that is not known.
    unknown_count: usize,
    /// Shares above their means of 20, 50 and 200 closes.
    above_means: Vec<AboveMeanResponse>,
    /// Shares with a high above all of the 251 sessions before.
    new_highs_count: usize,
    /// Shares with a low below all of those.
    new_lows_count: usize,
    /// Shares that have so many bars.
    year_known_count: usize,
}

/// How many shares closed above their mean.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AboveMean)]
struct AboveMeanResponse {
    /// Closes of the mean.
    #[schema(example = 50)]
    sessions: usize,
    /// Shares above it.
    above_count: usize,
    /// Shares that have so many closes.
    known_count: usize,
    /// The one over the other; null when none has.
    #[schema(required, minimum = 0, maximum = 1, example = 0.61)]
    above_share: Option<f64>,
}

/// What was traded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MarketTurnover)]
struct TurnoverResponse {
    /// Lira, over the shares that are counted; null when it is known of none.
    #[schema(required, example = 1.2e11)]
    day_try: Option<f64>,
    /// Shares of which it is known.
    known_count: usize,
    /// Mean of the 20 sessions before, lira.
    #[schema(required)]
    mean_20_try: Option<f64>,
    /// The one over the other.
    #[schema(required, example = 1.13)]
    multiple: Option<f64>,
}

/// A share that moved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mover)]
struct MoverResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// The company.
    #[schema(required)]
    name: Option<String>,
    /// The close.
    close: Decimal,
    /// Adjusted change over a session.
    #[schema(required, example = 0.034)]
    change_share: Option<f64>,
    /// Turnover of the day, lira.
    #[schema(required)]
    turnover_try: Option<f64>,
    /// That over its mean of 20 sessions.
    #[schema(required)]
    turnover_multiple: Option<f64>,
}

/// What the model in force says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MarketSignals)]
struct SignalsResponse {
    /// How far ahead it looks.
    #[schema(example = 5)]
    horizon_sessions: u8,
    /// Shares to buy.
    buy_count: usize,
    /// Shares to reduce.
    sell_count: usize,
    /// Shares about which to do nothing.
    hold_count: usize,
    /// The newest of all symbols, those that are not hold first.
    items: Vec<NewSignalResponse>,
}

/// A signal in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewSignal)]
struct NewSignalResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// What to do.
    action: ActionWord,
    /// Why, as the stable code that the whole signal has.
    #[schema(example = "no_skill_shown")]
    reason_code: &'static str,
    /// The last day that it knows.
    as_of: Day,
    /// When it was made.
    made_at: Instant,
    /// Return expected over the horizon, costs not counted.
    expected_return_share: f64,
    /// Probability of a rise.
    #[schema(minimum = 0, maximum = 1)]
    probability_up: f64,
}

impl From<&IndexView> for IndexResponse {
    fn from(view: &IndexView) -> Self {
        let unknown = |state| Self {
            symbol: view.symbol,
            state,
            as_of: None,
            close: None,
            changes: Vec::new(),
            source: None,
        };
        match &view.state {
            IndexState::Missing => unknown(IndexWord::Missing),
            IndexState::BelowGate => unknown(IndexWord::BelowGate),
            IndexState::Known { as_of, close, changes: shares, source } => Self {
                symbol: view.symbol,
                state: IndexWord::Known,
                as_of: Some(Day(*as_of)),
                close: Some(Decimal(*close)),
                changes: changes(shares),
                source: Some(*source),
            },
        }
    }
}

impl From<Breadth> for BreadthResponse {
    fn from(breadth: Breadth) -> Self {
        let above_means = breadth.above_means.iter().map(|above| AboveMeanResponse {
            sessions: above.sessions,
            above_count: above.above_count,
            known_count: above.known_count,
            above_share: (above.known_count > 0)
                .then(|| share_of(above.above_count, above.known_count)),
        });
        Self {
            advancers_count: breadth.advancers_count,
            decliners_count: breadth.decliners_count,
            unchanged_count: breadth.unchanged_count,
            unknown_count: breadth.unknown_count,
            above_means: above_means.collect(),
            new_highs_count: breadth.new_highs_count,
            new_lows_count: breadth.new_lows_count,
            year_known_count: breadth.year_known_count,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of shares")]
fn share_of(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

impl From<&ShareView> for MoverResponse {
    fn from(share: &ShareView) -> Self {
        let standing = &share.standing;
        Self {
            symbol: standing.symbol,
            name: share.name.clone(),
            close: Decimal(standing.close),
            change_share: standing.changes[0],
            turnover_try: standing.turnover_try,
            turnover_multiple: standing.turnover_multiple,
        }
    }
}

impl SignalsResponse {
    fn of(signals: &ShareSignals) -> Self {
        let count = |action| signals.values().filter(|signal| signal.action == action).count();
        let mut newest: Vec<(&Symbol, &ShareSignal)> = signals.iter().collect();
        newest.sort_by_key(|(symbol, signal)| {
            (
                Reverse(signal.as_of),
                signal.action == Action::Hold,
                Reverse(signal.made_at),
                **symbol,
            )
        });
        let items =
            newest.into_iter().take(SHOWN_COUNT).map(|(symbol, signal)| NewSignalResponse {
                symbol: *symbol,
                action: ActionWord(signal.action),
                reason_code: signal.reason_code,
                as_of: Day(signal.as_of),
                made_at: Instant(signal.made_at),
                expected_return_share: signal.expected_return_share,
                probability_up: signal.probability_up,
            });
        Self {
            horizon_sessions: bist_lifecycle::HORIZON_DEFAULT.sessions(),
            buy_count: count(Action::Buy),
            sell_count: count(Action::Sell),
            hold_count: count(Action::Hold),
            items: items.collect(),
        }
    }
}

/// The largest by `value` of those of which it is known and `wanted`.
fn top(
    view: &MarketView,
    value: impl Fn(&ShareView) -> Option<f64>,
    wanted: impl Fn(f64) -> bool,
) -> Vec<MoverResponse> {
    let known = view.shares.iter().filter_map(|share| Some((value(share)?, share)));
    let mut known: Vec<(f64, &ShareView)> = known.filter(|(value, _)| wanted(*value)).collect();
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    known.into_iter().take(SHOWN_COUNT).map(|(_, share)| share.into()).collect()
}

/// What the market did on its newest day
///
/// Only shares whose bars passed the checks and reach the day are counted; the others are told by
/// number and reason. Changes, means, highs and lows are of prices adjusted for splits and
/// dividends; closes and turnover are as they were paid.
#[utoipa::path(
    get, path = "/api/v1/market/overview", tag = "market", operation_id = "get_market_overview",
    responses((status = 200, description = "The market on its newest day.", body = OverviewResponse), Unchanged)
)]
pub(super) async fn overview(
    State(app): State<Arc<App>>,
    kept: Kept,
) -> Result<Response, ApiError> {
    let make = async |NoParameters| {
        let view = app.market_view().await?;
        let signals = app.share_signals().await?;
        let turnover = view.turnover;
        let is_known = turnover.known_count > 0;
        let change = |share: &ShareView| share.standing.changes[0];
        Ok(OverviewResponse {
            as_of: view.as_of.map(Day),
            stale_sessions: view.stale_sessions(day_of(app.now())),
            origin: view.shares.first().map(|share| OriginWord(share.origin)),
            sources: sources(&view),
            indices: view.indices.iter().map(IndexResponse::from).collect(),
            shares_count: view.shares.len(),
            left_out: left_out(&view),
            breadth: view.breadth.into(),
            turnover: TurnoverResponse {
                day_try: is_known.then_some(turnover.day_try),
                known_count: turnover.known_count,
                mean_20_try: turnover.mean_try,
                multiple: turnover
                    .mean_try
                    .filter(|mean| is_known && *mean > 0.0)
                    .map(|mean| turnover.day_try / mean),
            },
            gainers: top(&view, change, |value| value > 0.0),
            losers: top(&view, |share| change(share).map(|value| -value), |value| value > 0.0),
            most_traded: top(&view, |share| share.standing.turnover_try, |_| true),
            signals: SignalsResponse::of(&signals),
        })
    };
    kept.or_make(&app, DataClass::Signals, make).await
}
