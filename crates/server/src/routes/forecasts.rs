//! `/api/v1/forecasts`: what the model in force expects, with its bands.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::ForecastRecord;
use bist_app::answers::DataClass;
use bist_lifecycle::ForecastStep;
use bist_market::price::UNITS_PER_LIRA;
use bist_market::{ExchangeRules, Price, Symbol};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::kept::Kept;
use crate::openapi::{NoSuchSymbol, Unchanged};
use crate::paging::{LatestParams, Page};
use crate::schema::{Day, Decimal, Instant, OriginWord, TimeOfDay};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A forecast of one symbol.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forecast)]
struct ForecastResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Whether the data behind it are real.
    origin: OriginWord,
    /// The model that made it.
    #[schema(example = "gbdt-0123456789ab")]
    model_version: String,
    /// When it was made.
    made_at: Instant,
    /// The last day that it knows.
    as_of: Day,
    /// The time of that day at which the last bar that it knows closed, in Istanbul; only where the
    /// horizon lies within a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_time: Option<TimeOfDay>,
    /// The close of that bar, from which it starts.
    last_close: Decimal,
    /// How many sessions ahead it looks; one where the horizon lies within a session.
    #[schema(example = 5)]
    horizon_sessions: u8,
    /// How far ahead it looks: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// Return expected over all of the horizon, dividends included.
    #[schema(example = 0.0042)]
    expected_return_share: f64,
    /// Probability that the close will be higher at the end of it.
    #[schema(minimum = 0, maximum = 1, example = 0.52)]
    probability_up: f64,
    /// Standard deviation of daily log-returns expected over it, or of the return over a horizon within
    /// a session; null when there was nothing to learn it from.
    #[schema(required, minimum = 0, example = 0.021)]
    volatility_share: Option<f64>,
    /// Which of two prices will be touched first; null when there was nothing to learn it from.
    #[schema(required)]
    barriers: Option<BarriersResponse>,
    /// Session by session.
    steps: Vec<StepResponse>,
}

/// Probabilities that a price, from the open of the next session on, first touches a gain or a loss
/// of one standard deviation of the return over the horizon, or neither. Together they are one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Barriers)]
struct BarriersResponse {
    /// The gain first.
    #[schema(minimum = 0, maximum = 1, example = 0.31)]
    upper: f64,
    /// The loss first.
    #[schema(minimum = 0, maximum = 1, example = 0.29)]
    lower: f64,
    /// Neither before the horizon ends.
    #[schema(minimum = 0, maximum = 1, example = 0.4)]
    vertical: f64,
    /// How far the two prices are from that of the open: the gain is this as a log-return, and the
    /// loss the same downwards.
    #[schema(minimum = 0, example = 0.047)]
    distance_log_return: f64,
}

/// What is expected some sessions ahead.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ForecastStep)]
struct StepResponse {
    /// Sessions ahead.
    #[schema(example = 1)]
    session: u32,
    /// The day of that session; null when the calendar does not reach so far.
    #[schema(required)]
    day: Option<Day>,
    /// The time of that day at which the horizon ends, in Istanbul; only where it lies within a
    /// session.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<TimeOfDay>,
    /// The middle of the bands, to the nearest price step.
    median: Decimal,
    /// Where the close will lie, the narrowest band first.
    bands: Vec<BandResponse>,
}

/// Two prices between which the close will lie with a probability.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Band)]
struct BandResponse {
    /// The probability; what it came to out of sample is in the evaluation of the model.
    #[schema(minimum = 0, maximum = 1, example = 0.8)]
    coverage: f64,
    /// The lower price, to the nearest price step.
    low: Decimal,
    /// The higher price, to the nearest price step.
    high: Decimal,
}

impl From<ForecastRecord> for ForecastResponse {
    fn from(record: ForecastRecord) -> Self {
        let ForecastRecord { forecast, last_close, .. } = record;
        let steps =
            forecast.steps.iter().map(|step| StepResponse::of(step, forecast.as_of, last_close));
        Self {
            symbol: forecast.symbol,
            origin: OriginWord(record.origin),
            model_version: record.model_version,
            made_at: Instant(record.made_at),
            as_of: Day(forecast.as_of),
            as_of_time: forecast.as_of_time.map(TimeOfDay),
            last_close: Decimal(last_close),
            horizon_sessions: forecast.horizon.sessions(),
            horizon: forecast.horizon.to_string(),
            expected_return_share: forecast.expected_log_return.exp_m1(),
            probability_up: forecast.probability_up,
            volatility_share: forecast.outlook.volatility,
            barriers: forecast.outlook.barriers.map(|shares| BarriersResponse {
                upper: shares.upper,
                lower: shares.lower,
                vertical: shares.vertical,
                distance_log_return: forecast.barrier_distance(),
            }),
            steps: steps.collect(),
        }
    }
}

impl StepResponse {
    fn of(step: &ForecastStep, as_of: Date, last_close: Price) -> Self {
        let rules_of = step.day.unwrap_or(as_of);
        let price = |log_return| Decimal(price_after(last_close, log_return, rules_of));
        let bands = [(0.5, step.interval_50), (0.8, step.interval_80), (0.95, step.interval_95)];
        Self {
            session: step.session,
            day: step.day.map(Day),
            time: step.time.map(TimeOfDay),
            median: price(step.centre),
            bands: bands
                .map(|(coverage, interval)| BandResponse {
                    coverage,
                    low: price(interval.low),
                    high: price(interval.high),
                })
                .into(),
        }
    }
}

/// The price after a log-return, to the nearest price step of `day`; at least the smallest step.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a price too large to hold becomes the largest"
)]
#[expect(clippy::cast_precision_loss, reason = "the units of a lira are few")]
fn price_after(close: Price, log_return: f64, day: Date) -> Price {
    let units = (close.lira() * log_return.exp() * UNITS_PER_LIRA as f64).round() as i64;
    let rules = ExchangeRules::bist();
    let near = Price::from_units(units).ok().and_then(|price| rules.round_nearest(day, price));
    near.unwrap_or_else(|| rules.tick(day, close))
}

/// The newest forecasts of the model in force for a horizon, by symbol
///
/// Without a model in force the list is empty.
#[utoipa::path(
    get, path = "/api/v1/forecasts", tag = "forecasts", operation_id = "list_forecasts",
    params(LatestParams),
    responses(
        (status = 200, description = "One forecast a symbol.", body = Page<ForecastResponse>), Unchanged,
        NoSuchSymbol,
    )
)]
async fn list(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: LatestParams| {
        let records = app.forecasts(params.horizon, params.symbol).await?;
        let page = params.page(&app, records, |record| record.forecast.symbol).await?;
        Ok(page.map(ForecastResponse::from))
    };
    kept.or_make(&app, DataClass::Signals, make).await
}

#[cfg(test)]
mod tests {
    use bist_lifecycle::outlook::Outlook;
    use bist_lifecycle::{Forecast, Horizon};
    use bist_market::Origin;
    use bist_trading::ReturnInterval;
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn a_forecast_within_a_session_tells_its_times() {
        let around = ReturnInterval { low: -0.01, high: 0.01 };
        let forecast = Forecast {
            symbol: Symbol::parse("THYAO").unwrap(),
            as_of: date(2024, 6, 3),
            as_of_time: Some(time(13, 0, 0, 0)),
            horizon: Horizon::EndOfDay,
            volatility: 0.01,
            expected_log_return: 0.0,
            expected_interval_80: around,
            probability_up: 0.5,
            outlook: Outlook { up_share: 0.5, volatility: None, barriers: None },
            steps: vec![ForecastStep {
                session: 1,
                day: Some(date(2024, 6, 3)),
                time: Some(time(18, 10, 0, 0)),
                centre: 0.0,
                interval_50: around,
                interval_80: around,
                interval_95: around,
            }],
        };
        let record = ForecastRecord {
            origin: Origin::Market,
            model_version: "ensemble-0123456789ab".to_owned(),
            made_at: jiff::Timestamp::UNIX_EPOCH,
            last_close: Price::parse("312.50").unwrap(),
            forecast,
        };
        let document = serde_json::to_value(ForecastResponse::from(record)).unwrap();
        let told = ["horizon", "as_of", "as_of_time"].map(|name| document[name].clone());
        assert_eq!(told, ["eod", "2024-06-03", "13:00"]);
        let step = &document["steps"][0];
        assert_eq!((&step["day"], &step["time"]), (&"2024-06-03".into(), &"18:10".into()));
        assert_eq!(document["horizon_sessions"], 1);
    }

    #[track_caller]
    fn check(close: &str, log_return: f64, expected: &str) {
        let price = price_after(Price::parse(close).unwrap(), log_return, date(2024, 6, 3));
        assert_eq!(price.to_string(), expected);
    }

    #[test]
    fn prices_of_a_forecast_are_prices_of_the_exchange() {
        check("312.50", 0.0, "312.50");
        // 312.50 * exp(0.01) is 315.6407; the step is 0.25 there.
        check("312.50", 0.01, "315.75");
        check("12.34", -0.02, "12.10");
        check("0.02", -3.0, "0.01");
    }
}
