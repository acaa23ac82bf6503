//! `/api/v1/market`: the calendar and the rules of the exchange, and what its shares do together.

mod overview;
mod regime;
mod sectors;
pub(crate) mod standing;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_market::bar::istanbul;
use bist_market::{Calendar, DayKind, ExchangeRules, RulesOfDay, SessionKind, Symbol, bar::day_of};
use jiff::ToSpan;
use jiff::civil::{Date, Time};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader, day, days_in_order, symbol};
use crate::paging::Page;
use crate::schema::{Day, Instant, document, schema};

/// Most days of one answer: three years.
const DAYS_MAX: i32 = 1096;

/// Days of an answer when the caller gives no last day.
const DAYS_DEFAULT: i32 = 31;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(calendar))
        .routes(routes!(rules))
        .routes(routes!(overview::overview))
        .routes(routes!(sectors::sectors))
        .routes(routes!(regime::regime))
}

/// What happens on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarDay)]
struct DayResponse {
    /// The day.
    day: Day,
    /// Whether shares are traded.
    kind: DayWord,
    /// Why they are not, in a few English words; null when they are, or it is not known.
    #[schema(required, example = "Republic Day")]
    name: Option<&'static str>,
    /// When the first phase of the session begins; null when there is none or it is not known.
    #[schema(required)]
    opens_at: Option<Instant>,
    /// When its last phase ends.
    #[schema(required)]
    closes_at: Option<Instant>,
    /// When a trade of this day settles; null when there is none or it is not known.
    #[schema(required)]
    settles_on: Option<Day>,
}

/// Whether shares are traded on a day.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DayKind)]
enum DayWord {
    /// The whole day.
    Full,
    /// In the morning only.
    Half,
    /// Not at all, or their trades were cancelled.
    Closed,
    /// The day lies outside the years of the calendar.
    Unknown,
}

/// The rules of one day.
#[derive(Debug, Serialize)]
struct RulesDocument(RulesOfDay);

schema!(
    RulesDocument,
    "RulesOfDay",
    document(
        "What the exchange allowed on a day, as `bist market rules --json` prints it: `day`, \
         `calendar`, `events`, `timetable`, `settles_on`, `settlement`, `ticks`, `fund_ticks`, \
         `daily_limit`, `base_price`, `limit_exceptions`, `symbol_limit` (when a symbol is asked \
         about), the breakers, short sales, order messages, measures, segments, fees and taxes. \
         Each rule has `status` `in_force` with its `value`, `valid_from`, `valid_to`, `source`, \
         `read_on` and `certainty` (A, B or C), or `status` `unknown` with a `reason`."
    )
);

impl DayResponse {
    fn of(day: Date) -> Self {
        let calendar = Calendar::bist();
        let (kind, name) = match calendar.day(day) {
            DayKind::Session { session: SessionKind::Full } => (DayWord::Full, None),
            DayKind::Session { session: SessionKind::Half } => (DayWord::Half, None),
            DayKind::Closed { name } => (DayWord::Closed, Some(name)),
            DayKind::Unknown => (DayWord::Unknown, None),
        };
        let hours = hours(day);
        Self {
            day: Day(day),
            kind,
            name,
            opens_at: hours.and_then(|(opens, _)| instant(day, opens)),
            closes_at: hours.and_then(|(_, closes)| instant(day, closes)),
            settles_on: calendar.settles_on(day).map(Day),
        }
    }
}

/// When the first phase of a day begins and its last ends.
fn hours(day: Date) -> Option<(Time, Time)> {
    let timetable = ExchangeRules::bist().rules_on(day, None).timetable?;
    let phases = timetable.value()?.phases;
    Some((phases.first()?.begins, phases.last()?.ends))
}

/// The instant of a time of day in Istanbul.
fn instant(day: Date, time: Time) -> Option<Instant> {
    istanbul().to_timestamp(day.to_datetime(time)).ok().map(Instant)
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct CalendarParams {
    /// First day wanted; today in Istanbul when not given.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-23")]
    from: Option<Date>,
    /// Last day wanted; thirty days after the first when not given, at most three years after it.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-31")]
    to: Option<Date>,
}

impl FromQuery for CalendarParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self { from: query.optional("from", day)?, to: query.optional("to", day)? })
    }
}

/// The days of the exchange's calendar
///
/// All days asked for are in one answer.
#[utoipa::path(
    get, path = "/api/v1/market/calendar", tag = "market", operation_id = "get_calendar",
    params(CalendarParams),
    responses((status = 200, description = "Every day from the first to the last.", body = Page<DayResponse>))
)]
async fn calendar(
    State(app): State<Arc<App>>,
    Checked(params): Checked<CalendarParams>,
) -> Result<Json<Page<DayResponse>>, ApiError> {
    let from = params.from.unwrap_or_else(|| day_of(app.now()));
    // Past the last day that dates can hold there is nothing to show.
    let last = |count: i32| from.checked_add((count - 1).days()).unwrap_or(Date::MAX);
    let to = params.to.unwrap_or_else(|| last(DAYS_DEFAULT));
    days_in_order(Some(from), Some(to))?;
    if to > last(DAYS_MAX) {
        return Err(ApiError::InvalidParameter {
            parameter: "to",
            problem: format!(
                "{to} is more than {DAYS_MAX} days from {from}; give a day up to {}",
                last(DAYS_MAX)
            ),
        });
    }
    let days = from.series(1.day()).take_while(|day| *day <= to);
    Ok(Json(Page { items: days.map(DayResponse::of).collect(), next: None }))
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RulesParams {
    /// The day; today in Istanbul when not given.
    #[param(value_type = Option<String>, format = Date, example = "2023-11-06")]
    on: Option<Date>,
    /// A ticker, to learn of its own limit too; case does not matter.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")]
    symbol: Option<Symbol>,
}

impl FromQuery for RulesParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self { on: query.optional("on", day)?, symbol: query.optional("symbol", symbol)? })
    }
}

/// What the exchange allowed on a day
#[utoipa::path(
    get, path = "/api/v1/market/rules", tag = "market", operation_id = "get_rules",
    params(RulesParams),
    responses((status = 200, description = "The rules of the day, each with its dates and source.", body = RulesDocument))
)]
async fn rules(
    State(app): State<Arc<App>>,
    Checked(params): Checked<RulesParams>,
) -> Json<RulesDocument> {
    let on = params.on.unwrap_or_else(|| day_of(app.now()));
    Json(RulesDocument(ExchangeRules::bist().rules_on(on, params.symbol)))
}
