//! `/api/v1/signals/record` and `/api/v1/signals/served`: what came of the signals that were served.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::signal_record::{
    HorizonRecord, RecordFilter, ServedPage, ServedWanted, SignalRecordReport,
};
use bist_app::{App, HORIZON_DEFAULT, KeptScore, ServedSignal};
use bist_lifecycle::{
    Grouping, Horizon, RecordGroup, RecordSummary, ReliabilityRecord, UnknownGrouping,
};
use bist_market::{Origin, Symbol};
use bist_trading::{SignalScore, Touch};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader, horizon, symbol};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{
    ActionWord, Day, Decimal, Instant, OriginWord, TimeOfDay, document, schema, text,
};

/// The routes of this resource.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(record)).routes(routes!(served))
}

/// What signals are grouped by.
#[derive(Debug, Serialize)]
struct GroupingWord(Grouping);

schema!(
    GroupingWord,
    "SignalGrouping",
    text("What signals are grouped by.", "month")
        .enum_values(Some(Grouping::ALL.map(Grouping::as_str)))
);

/// What became of some signals.
#[derive(Debug, Serialize)]
struct SummaryDocument(RecordSummary);

schema!(
    SummaryDocument,
    "SignalSummary",
    document(
        "What became of some signals of one horizon. `is_too_early` says that the days cover \
         `periods_count` horizons that do not overlap and `periods_count_min` are needed: until then \
         every share is null and only counts are said. A tally is `count` of `of_count` with `share`: \
         the mean over days with `low` and `high`, days of one market and horizons that overlap not \
         counted as independent. `hits` of the direction, `rises` (the hits of always saying up), \
         `mean_confidence` (what the share of hits should be), `held_50` and `held_80` of the bands, \
         and `actions`, each with `hits`, `tradable_count`, `paid`, `gain_after_costs_share`, \
         `target_first`, `stop_first` (both in one bar counted as the stop) and \
         `both_in_one_bar_count`; `late_count` were made when nobody could act on them any more."
    )
);

/// How good the probabilities were.
#[derive(Debug, Serialize)]
struct ReliabilityDocument(ReliabilityRecord);

schema!(
    ReliabilityDocument,
    "SignalReliability",
    document(
        "How good the probabilities of a rise were: `brier` beside `coin_brier` and \
         `base_rate_brier`, `gain_over_coin` with its interval or null while it is too early, the \
         expected calibration error `ece`, and the `points` of the curve with `mean_forecast`, \
         `count`, `observed_share` and `observed` with its interval or null."
    )
);

/// How the signals of one horizon stand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HorizonSignalRecord)]
struct HorizonResponse {
    /// How far ahead they look: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// All that were served.
    #[schema(example = 312)]
    served_count: u64,
    /// Of those, the ones whose horizon has not ended or whose bars may still come.
    #[schema(example = 30)]
    waiting_count: u64,
    /// Of those, the ones of which it will never be known.
    #[schema(example = 2)]
    never_known_count: u64,
    /// What became of the others.
    summary: SummaryDocument,
}

impl From<HorizonRecord> for HorizonResponse {
    fn from(record: HorizonRecord) -> Self {
        Self {
            horizon: record.horizon.to_string(),
            served_count: record.served_count,
            waiting_count: record.waiting_count,
            never_known_count: record.never_known_count,
            summary: SummaryDocument(record.summary),
        }
    }
}

/// How many signals will never be known for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NeverKnownCount)]
struct ReasonCountResponse {
    /// The reason: `no_bars`, `first_bar_gone`, `no_bar_since`, `not_traded_at_the_end`, `break`,
    /// `end_unknown` or `sample_gone`. More may come.
    #[schema(example = "not_traded_at_the_end")]
    reason: &'static str,
    /// How many.
    #[schema(example = 2)]
    count: u64,
}

/// The signals that have something in common.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignalGroup)]
struct GroupResponse {
    /// What they have in common: a symbol, a version, a month such as `2026-11`, a range of
    /// confidence in percent such as `52.5-55`, or an action.
    #[schema(example = "2026-11")]
    key: String,
    /// What became of them.
    summary: SummaryDocument,
}

/// What the signals of one horizon have been worth.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignalRecord)]
struct RecordResponse {
    /// Whether they were made from real data; a sample is never mixed with them.
    origin: OriginWord,
    /// Whether only signals count on which somebody could still act when they were made.
    in_time: bool,
    /// The signals of the horizon.
    #[serde(flatten)]
    of_horizon: HorizonResponse,
    /// Why it will never be known, by reason.
    never_known: Vec<ReasonCountResponse>,
    /// How good the probabilities were; null when there are none to judge.
    #[schema(required)]
    reliability: Option<ReliabilityDocument>,
    /// What the groups have in common.
    by: GroupingWord,
    /// The groups, by what they have in common.
    groups: Vec<GroupResponse>,
    /// All horizons of which signals were served, this one too.
    horizons: Vec<HorizonResponse>,
}

impl From<SignalRecordReport> for RecordResponse {
    fn from(report: SignalRecordReport) -> Self {
        let group =
            |RecordGroup { key, summary }| GroupResponse { key, summary: SummaryDocument(summary) };
        let reason = |why: bist_app::signal_record::ReasonCount| ReasonCountResponse {
            reason: why.reason,
            count: why.count,
        };
        Self {
            origin: OriginWord(report.origin),
            in_time: report.only_in_time,
            of_horizon: report.of_horizon.into(),
            never_known: report.never_known.into_iter().map(reason).collect(),
            reliability: report.reliability.map(ReliabilityDocument),
            by: GroupingWord(report.by),
            groups: report.groups.into_iter().map(group).collect(),
            horizons: report.horizons.into_iter().map(HorizonResponse::from).collect(),
        }
    }
}

/// What came of one signal. Returns are simple and of total return.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignalScore)]
struct ScoreResponse {
    /// When it was scored; later corrections of the bars do not change it.
    scored_at: Instant,
    /// The session at whose close its horizon ended.
    ended_on: Day,
    /// The close that it is counted from, as the bars told when it was scored.
    first_close: Decimal,
    /// The close at which its horizon ended.
    last_close: Decimal,
    /// What splits and dividends in between multiply the later close by; one for none.
    #[schema(example = 1.0)]
    adjustment: f64,
    /// SHA-256 of the bars that it was scored by.
    bars_hash: String,
    /// Bars of the way in which the share was not traded.
    #[schema(example = 0)]
    missing_bars_count: u32,
    /// From close to close.
    #[schema(example = 0.0123)]
    return_share: f64,
    /// Whether the probability was on the side that came; null when the price did not move.
    #[schema(required)]
    hit: Option<bool>,
    /// The squared distance of the probability from what came; null when the price did not move.
    #[schema(required, example = 0.22)]
    brier: Option<f64>,
    /// Whether the band of 50 % held the return.
    held_50: bool,
    /// Whether the band of 80 % held the return.
    held_80: bool,
    /// Whether it was made while somebody could still act on it.
    made_in_time: bool,
    /// Whether one could act on it at the next open: `open`, or `no_bar`, `no_open`, `locked`; null
    /// for hold.
    #[schema(required, example = "open")]
    entry: Option<&'static str>,
    /// What acting on it brought after costs: for sell, beside keeping the share; null for hold and
    /// when one could not act.
    #[schema(required, example = 0.0104)]
    gain_after_costs_share: Option<f64>,
    /// What the price touched first: `target`, `stop`, `both` in one bar, of which the order is not
    /// known, or `neither`; null for hold.
    #[schema(required, example = "target")]
    first_touched: Option<&'static str>,
    /// The day on which it did; null when it did not.
    #[schema(required)]
    first_touched_on: Option<Day>,
}

/// A signal of the record, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServedSignal)]
struct ServedResponse {
    /// Its name.
    #[schema(example = "gbdt-0123456789ab-THYAO-2026-11-23")]
    id: String,
    /// One, or more where a signal of this name had said something else before: each is kept.
    #[schema(example = 1)]
    issue: u64,
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Whether the data behind it are real.
    origin: OriginWord,
    /// The model behind it.
    #[schema(example = "gbdt-0123456789ab")]
    model_version: String,
    /// How far ahead it looked: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// When it was made.
    made_at: Instant,
    /// The last day that it knew.
    as_of: Day,
    /// The time of that day at which the last bar that it knew closed; only where the horizon lay
    /// within a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_time: Option<TimeOfDay>,
    /// The session at whose close it ends; null when the calendar does not reach so far.
    #[schema(required)]
    valid_until: Option<Day>,
    /// What it said to do.
    action: ActionWord,
    /// The probability of a rise that it gave.
    #[schema(minimum = 0, maximum = 1, example = 0.53)]
    probability_up: f64,
    /// The return that it expected.
    #[schema(example = 0.0042)]
    expected_return_share: f64,
    /// Where it stands: `waiting`, `scored` or `never_known`.
    #[schema(example = "scored")]
    state: &'static str,
    /// Why it will never be known, in English; null otherwise.
    #[schema(required)]
    never_known: Option<String>,
    /// The stable code of that reason; null otherwise.
    #[schema(required, example = "not_traded_at_the_end")]
    never_known_code: Option<&'static str>,
    /// What came of it; null unless it was scored.
    #[schema(required)]
    score: Option<ScoreResponse>,
}

impl ScoreResponse {
    fn of(scored_at: jiff::Timestamp, score: SignalScore) -> Self {
        let touched_on = match score.touch {
            Some(Touch::Target { day } | Touch::Stop { day } | Touch::Both { day }) => {
                Some(Day(day))
            }
            Some(Touch::Neither) | None => None,
        };
        Self {
            scored_at: Instant(scored_at),
            ended_on: Day(score.ended_on),
            first_close: Decimal(score.first_close),
            last_close: Decimal(score.last_close),
            adjustment: score.adjustment,
            bars_hash: score.bars_hash,
            missing_bars_count: score.missing_bars_count,
            return_share: score.return_share,
            hit: score.hit,
            brier: score.brier,
            held_50: score.held_50,
            held_80: score.held_80,
            made_in_time: score.made_in_time,
            entry: score.entry.map(|entry| entry.as_str()),
            gain_after_costs_share: score.gain_after_costs_share,
            first_touched: score.touch.map(Touch::as_str),
            first_touched_on: touched_on,
        }
    }
}

impl From<ServedSignal> for ServedResponse {
    fn from(served: ServedSignal) -> Self {
        let ServedSignal { issue, record, score, .. } = served;
        let signal = record.signal;
        let (state, reason, score) = match score {
            None => ("waiting", None, None),
            Some((at, KeptScore::Scored(score))) => {
                ("scored", None, Some(ScoreResponse::of(at, *score)))
            }
            Some((_, KeptScore::NeverKnown { reason })) => ("never_known", Some(reason), None),
        };
        Self {
            id: record.id,
            issue,
            symbol: signal.symbol,
            origin: OriginWord(record.origin),
            model_version: record.model_version,
            horizon: signal.horizon.to_string(),
            made_at: Instant(record.made_at),
            as_of: Day(signal.as_of),
            as_of_time: signal.as_of_time.map(TimeOfDay),
            valid_until: signal.valid_until.map(Day),
            action: ActionWord(signal.action),
            probability_up: signal.probability_up,
            expected_return_share: signal.expected_return_share,
            state,
            never_known: reason.map(|reason| reason.to_string()),
            never_known_code: reason.map(bist_trading::NeverKnown::code),
            score,
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RecordParams {
    /// How far ahead the signals look: 1, 5 or 20 sessions, 1h for an hour, or eod for the end of the
    /// day.
    #[param(value_type = Option<String>, pattern = "^(1|5|20|1h|eod)$", default = "5", example = "5")]
    horizon: Horizon,
    /// What they are grouped by.
    #[param(value_type = Option<GroupingWord>, default = "month", example = "month")]
    by: Grouping,
    /// Whether made from real data; without it, as the data that are held now.
    #[param(value_type = Option<OriginWord>, example = "market")]
    origin: Option<Origin>,
    /// Whether only signals count on which somebody could still act when they were made.
    #[param(value_type = Option<bool>, default = false, example = true)]
    in_time: bool,
}

impl FromQuery for RecordParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let by = |word: &str| word.parse().map_err(|error: UnknownGrouping| error.to_string());
        Ok(Self {
            horizon: query.optional("horizon", horizon)?.unwrap_or(HORIZON_DEFAULT),
            by: query.optional("by", by)?.unwrap_or(Grouping::Month),
            origin: query.optional("origin", origin)?,
            in_time: query.optional("in_time", yes_or_no)?.unwrap_or(false),
        })
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ServedParams {
    /// Only those that look so far ahead: sessions, `1h` or `eod`.
    #[param(value_type = Option<String>, pattern = "^(1|5|20|1h|eod)$", example = "5")]
    horizon: Option<Horizon>,
    /// Only those of this ticker; case does not matter.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")]
    symbol: Option<Symbol>,
    /// Whether made from real data; without it, as the data that are held now.
    #[param(value_type = Option<OriginWord>, example = "market")]
    origin: Option<Origin>,
    /// Only those that do not wait any more.
    #[param(value_type = Option<bool>, default = false, example = true)]
    closed: bool,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]{1,18}$", example = "before-100")]
    cursor: Option<u64>,
}

impl FromQuery for ServedParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            horizon: query.optional("horizon", horizon)?,
            symbol: query.optional("symbol", symbol)?,
            origin: query.optional("origin", origin)?,
            closed: query.optional("closed", yes_or_no)?.unwrap_or(false),
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", |text| text.parse().ok())?,
        })
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    let known = [Origin::Sample, Origin::Market].into_iter().find(|known| known.as_str() == text);
    known.ok_or_else(|| format!("'{text}' is not an origin; give sample or market"))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("'{text}' is neither; give true or false"))
}

/// What the signals that were served have been worth, once their horizons had ended
///
/// Every signal that was ever served counts; none can be taken out of the record. While it is too
/// early to say more, only counts are said.
#[utoipa::path(
    get, path = "/api/v1/signals/record", tag = "signals", operation_id = "get_signal_record",
    params(RecordParams),
    responses((status = 200, description = "The record.", body = RecordResponse))
)]
async fn record(
    State(app): State<Arc<App>>,
    Checked(params): Checked<RecordParams>,
) -> Result<Json<RecordResponse>, ApiError> {
    let filter = RecordFilter {
        horizon: params.horizon,
        origin: params.origin,
        only_in_time: params.in_time,
        by: params.by,
    };
    Ok(Json(app.signal_record(filter).await?.into()))
}

/// Every signal that was ever served and what came of it, the last served first
#[utoipa::path(
    get, path = "/api/v1/signals/served", tag = "signals", operation_id = "list_served_signals",
    params(ServedParams),
    responses((status = 200, description = "Signals of the record.", body = Page<ServedResponse>))
)]
async fn served(
    State(app): State<Arc<App>>,
    Checked(params): Checked<ServedParams>,
) -> Result<Json<Page<ServedResponse>>, ApiError> {
    let wanted = ServedWanted {
        horizon: params.horizon,
        symbol: params.symbol,
        only_closed: params.closed,
        before: params.cursor,
    };
    let ServedPage { items, next_before } =
        app.served_signals(params.origin, wanted, params.limit).await?;
    let items = items.into_iter().map(ServedResponse::from).collect();
    Ok(Json(Page { items, next: next_before.map(|number| format!("before-{number}")) }))
}
