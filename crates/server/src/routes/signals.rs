//! `/api/v1/signals`: what to do at the next session, why, and what came of it.

mod record;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::SignalRecord;
use bist_app::answers::DataClass;
use bist_market::Symbol;
use bist_trading::{Contribution, Reason, ReturnInterval, TopContributions};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::kept::Kept;
use crate::openapi::{NoSuchSymbol, Unchanged};
use crate::paging::{LatestParams, Page};
use crate::schema::{
    ActionWord, Day, Decimal, Instant, OriginWord, TimeOfDay, document, schema, text,
};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).merge(record::router())
}

/// What to do with a symbol at the next session, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Signal)]
struct SignalResponse {
    /// Its name.
    #[schema(example = "gbdt-0123456789ab-THYAO-2026-11-23")]
    id: String,
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Whether the data behind it are real.
    origin: OriginWord,
    /// The model behind it.
    #[schema(example = "gbdt-0123456789ab")]
    model_version: String,
    /// Fingerprint of the bars that the model was trained on.
    snapshot_hash: String,
    /// When it was made.
    made_at: Instant,
    /// The last day that it knows.
    as_of: Day,
    /// The time of that day at which the last bar that it knows closed, in Istanbul; only where the
    /// horizon lies within a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_time: Option<TimeOfDay>,
    /// What to do.
    action: ActionWord,
    /// Why.
    reason: ReasonResponse,
    /// The same in an English sentence.
    #[schema(example = "The expected return of +0.42 % does not exceed the costs of 0.62 %.")]
    reason_text: String,
    /// How many sessions ahead it looks; one where the horizon lies within a session.
    #[schema(example = 5)]
    horizon_sessions: u8,
    /// How far ahead it looks: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// The session for which it is made; null past the end of the calendar.
    #[schema(required)]
    next_session: Option<Day>,
    /// The session at whose close it ends; null when the calendar does not reach so far.
    #[schema(required)]
    valid_until: Option<Day>,
    /// The time of that day at which it ends, in Istanbul; only where the horizon lies within a
    /// session.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until_time: Option<TimeOfDay>,
    /// The close of the last bar that it knows.
    last_close: Decimal,
    /// Return expected over the horizon, costs not counted.
    #[schema(example = 0.0042)]
    expected_return_share: f64,
    /// Cost of a purchase and its sale, a share of the amount.
    #[schema(example = 0.0062)]
    cost_share: f64,
    /// The expected return with the costs taken off its size.
    #[schema(example = -0.002)]
    expected_return_after_costs_share: f64,
    /// Share of the model's errors out of sample, scaled to today's volatility, that would leave
    /// the return above zero. An empirical frequency.
    #[schema(required, minimum = 0, maximum = 1, example = 0.53)]
    probability_up: Option<f64>,
    /// Where the expected return lies with probability 0.8, by what the model's forecasts have been
    /// worth out of sample.
    expected_return_interval_80: IntervalResponse,
    /// Returns between which the return will lie with probability 0.5.
    interval_50: IntervalResponse,
    /// Returns between which the return will lie with probability 0.8.
    interval_80: IntervalResponse,
    /// Where the forecast expects the price, a valid price of the next session; null for hold.
    #[schema(required)]
    target: Option<Decimal>,
    /// Where the forecast is refuted, a valid price of the next session; null for hold.
    #[schema(required)]
    stop: Option<Decimal>,
    /// Distance of the target from the last close over that of the stop; null for hold.
    #[schema(required, example = 0.8)]
    risk_reward: Option<f64>,
    /// What the forecast is made of.
    contributions: ContributionsResponse,
}

/// Why a signal says what it says: a stable code, and the numbers that decided.
#[derive(Debug, Serialize)]
struct ReasonResponse {
    code: &'static str,
    /// By name.
    #[serde(flatten)]
    numbers: Map<String, Value>,
}

schema!(
    ReasonResponse,
    "Reason",
    document(
        "Why a signal says what it says: a stable `code`, and the numbers that decided by name \
         (shares as numbers, prices as decimal strings, days as dates). Codes: \
         `expected_gain_above_costs` (buy), `expected_loss_above_costs` (sell), and for hold \
         `no_skill_shown`, `no_skill_for_symbol`, `symbol_record_too_short`, `within_costs`, \
         `band_spans_zero`, `next_session_unknown`, `limits_unknown`, `within_one_step`. More may come."
    )
    .property("code", text("The stable code.", "within_costs"))
    .required("code")
);

/// The ends of an interval of returns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnInterval)]
struct IntervalResponse {
    /// Lower end.
    #[schema(example = -0.031)]
    low: f64,
    /// Higher end.
    #[schema(example = 0.038)]
    high: f64,
}

/// The largest contributions to a forecast and the sum of the rest. All are log-returns, and
/// `base_share`, the items and `other_share` add up to `total_share`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contributions)]
struct ContributionsResponse {
    /// The forecast for a symbol of which nothing is known.
    base_share: f64,
    /// The largest, by size.
    items: Vec<ContributionResponse>,
    /// The sum of all others.
    other_share: f64,
    /// The forecast.
    total_share: f64,
}

/// What one feature adds to a forecast.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contribution)]
struct ContributionResponse {
    /// The feature.
    #[schema(example = "return_5")]
    feature: String,
    /// Its value; null when it is not known.
    #[schema(required)]
    value: Option<f64>,
    /// What it adds, log-return.
    #[schema(example = 0.0011)]
    contribution_share: f64,
}

impl TryFrom<SignalRecord> for SignalResponse {
    type Error = ApiError;

    fn try_from(record: SignalRecord) -> Result<Self, ApiError> {
        let SignalRecord { id, origin, model_version, snapshot_hash, made_at, signal } = record;
        Ok(Self {
            id,
            symbol: signal.symbol,
            origin: OriginWord(origin),
            model_version,
            snapshot_hash,
            made_at: Instant(made_at),
            as_of: Day(signal.as_of),
            as_of_time: signal.as_of_time.map(TimeOfDay),
            action: ActionWord(signal.action),
            reason_text: signal.reason.to_string(),
            reason: ReasonResponse::of(&signal.reason)?,
            horizon_sessions: signal.horizon.sessions(),
            horizon: signal.horizon.to_string(),
            next_session: signal.next_session.map(Day),
            valid_until: signal.valid_until.map(Day),
            valid_until_time: signal.valid_until_time.map(TimeOfDay),
            last_close: Decimal(signal.last_close),
            expected_return_share: signal.expected_return_share,
            cost_share: signal.cost_share,
            expected_return_after_costs_share: signal.expected_return_after_costs_share,
            probability_up: Some(signal.probability_up),
            expected_return_interval_80: signal.expected_return_interval_80.into(),
            interval_50: signal.interval_50.into(),
            interval_80: signal.interval_80.into(),
            target: signal.target.map(Decimal),
            stop: signal.stop.map(Decimal),
            risk_reward: signal.risk_reward,
            contributions: signal.contributions.into(),
        })
    }
}

impl ReasonResponse {
    fn of(reason: &Reason) -> Result<Self, ApiError> {
        let document = serde_json::to_value(reason)
            .map_err(|error| ApiError::Internal(format!("writing a reason: {error}")))?;
        let Value::Object(mut numbers) = document else {
            return Err(ApiError::Internal(format!("a reason is {document}")));
        };
        numbers.remove("code");
        // In files prices are units; in the API they are decimal strings.
        if let Reason::WithinOneStep { last_close, tick, .. } = reason {
            for (name, price) in [("last_close", last_close), ("tick", tick)] {
                numbers.insert(name.to_owned(), Value::from(price.to_string()));
            }
        }
        Ok(Self { code: reason.code(), numbers })
    }
}

impl From<ReturnInterval> for IntervalResponse {
    fn from(ReturnInterval { low, high }: ReturnInterval) -> Self {
        Self { low, high }
    }
}

impl From<TopContributions> for ContributionsResponse {
    fn from(contributions: TopContributions) -> Self {
        let TopContributions { base_share, items, other_share, total_share } = contributions;
        let item = |Contribution { feature, value, contribution_share }| ContributionResponse {
            feature,
            value,
            contribution_share,
        };
        Self { base_share, items: items.into_iter().map(item).collect(), other_share, total_share }
    }
}

/// The newest signals of the model in force for a horizon, by symbol
///
/// Without a model in force the list is empty.
#[utoipa::path(
    get, path = "/api/v1/signals", tag = "signals", operation_id = "list_signals",
    params(LatestParams),
    responses(
        (status = 200, description = "One signal a symbol.", body = Page<SignalResponse>), Unchanged,
        NoSuchSymbol,
    )
)]
async fn list(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: LatestParams| {
        let records = app.signals(params.horizon, params.symbol).await?;
        let page = params.page(&app, records, |record| record.signal.symbol).await?;
        let Page { items, next } = page;
        let items = items.into_iter().map(SignalResponse::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    };
    kept.or_make(&app, DataClass::Signals, make).await
}

#[cfg(test)]
mod tests {
    use bist_market::Price;
    use serde_json::json;

    use super::*;

    #[test]
    fn prices_in_a_reason_are_decimal_strings() {
        let reason = Reason::WithinOneStep {
            last_close: Price::parse("312.50").unwrap(),
            tick: Price::parse("0.25").unwrap(),
            expected_return_share: 0.0001,
        };
        let document = serde_json::to_value(ReasonResponse::of(&reason).unwrap()).unwrap();
        assert_eq!(
            document,
            json!({
                "code": "within_one_step", "last_close": "312.50", "tick": "0.25",
                "expected_return_share": 0.0001,
            })
        );
    }
}
