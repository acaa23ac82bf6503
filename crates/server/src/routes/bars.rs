//! `/api/v1/bars`: prices that passed the checks.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::bars::{BarsError, BarsPage, BarsQuery};
use bist_app::symbols::age_s;
use bist_market::adjust::ReturnFlavour;
use bist_market::{Bar, Interval, Source, Symbol};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader, SYMBOL_WANTED, day, days_in_order, symbol};
use crate::kept::Kept;
use crate::openapi::{NoSuchBars, Unchanged};
use crate::paging;
use crate::schema::{Day, Decimal, OriginWord};

/// Bars of a page unless the caller asks for another number.
const LIMIT_DEFAULT: u32 = 1000;

/// Most bars of a page.
const LIMIT_MAX: u32 = 5000;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Some bars of one symbol.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bars)]
struct BarsResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// What each bar covers.
    #[schema(value_type = String, example = "1d")]
    interval: Interval,
    /// Whether the data are real.
    origin: OriginWord,
    /// Where the newest rows came from.
    #[schema(value_type = String, example = "csv")]
    source: Source,
    /// Day of the last bar there is, on whatever page.
    #[schema(required)]
    as_of: Option<Day>,
    /// Whether more sessions have ended since than the one that may not have been received yet; null
    /// when that is not known.
    #[schema(required, example = false)]
    stale: Option<bool>,
    /// Seconds since the end of the session of the last bar; null where its hours are not known.
    #[schema(required, example = 14400)]
    age_s: Option<u64>,
    /// The bars of this page, oldest first.
    items: Vec<BarResponse>,
    /// Give this as `cursor` to get the older bars before these; null when there are none.
    #[schema(required, example = "to-2024-05-31")]
    next: Option<String>,
}

/// One session of one symbol. Prices are as traded, not adjusted for splits and dividends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bar)]
struct BarResponse {
    /// The session.
    day: Day,
    /// First price; null when the source has none.
    #[schema(required)]
    open: Option<Decimal>,
    /// Highest price.
    high: Decimal,
    /// Lowest price.
    low: Decimal,
    /// Last price.
    close: Decimal,
    /// The source's close adjusted for splits and dividends, lira; null when it gave none.
    #[schema(required, example = 311.87)]
    adjusted_close: Option<f64>,
    /// Shares traded; null when the source did not say.
    #[schema(required, example = 31250000)]
    volume: Option<u64>,
}

impl From<Bar> for BarResponse {
    fn from(bar: Bar) -> Self {
        Self {
            day: Day(bar.day),
            open: bar.open.map(Decimal),
            high: Decimal(bar.high),
            low: Decimal(bar.low),
            close: Decimal(bar.close),
            adjusted_close: bar.adjusted_close,
            volume: bar.volume.map(|shares| shares.0),
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct BarsParams {
    /// The ticker; case does not matter.
    #[param(value_type = String, pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")]
    symbol: Symbol,
    /// What each bar covers. Only daily bars are served.
    #[param(value_type = Option<String>, pattern = "^1d$", default = "1d")]
    interval: Interval,
    /// First day wanted.
    #[param(value_type = Option<String>, format = Date, example = "2024-01-02")]
    from: Option<Date>,
    /// Last day wanted.
    #[param(value_type = Option<String>, format = Date, example = "2024-12-31")]
    to: Option<Date>,
    /// From which corporate actions prices are freed: `none` gives them as the source does, `price`
    /// removes what changes the number of shares, `total` cash dividends too.
    #[param(value_type = Option<String>, pattern = "^(none|price|total)$", default = "none")]
    adjustment: Option<ReturnFlavour>,
    /// Most bars of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 5000, default = 1000)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^to-[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", example = "to-2024-05-31")]
    cursor: Option<Date>,
}

impl FromQuery for BarsParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let daily = |text: &str| match Interval::parse(text) {
            Ok(Interval::Daily) => Ok(Interval::Daily),
            Ok(Interval::Minutes(_)) | Err(_) => {
                Err(format!("'{text}' is not served; give 1d, or nothing"))
            }
        };
        let params = Self {
            symbol: query.required("symbol", SYMBOL_WANTED, symbol)?,
            interval: query.optional("interval", daily)?.unwrap_or(Interval::Daily),
            from: query.optional("from", day)?,
            to: query.optional("to", day)?,
            adjustment: query.optional("adjustment", adjustment)?.flatten(),
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "to-", |text| day(text).ok())?,
        };
        days_in_order(params.from, params.to)?;
        Ok(params)
    }
}

fn adjustment(text: &str) -> Result<Option<ReturnFlavour>, String> {
    match text {
        "none" => Ok(None),
        "price" => Ok(Some(ReturnFlavour::Price)),
        "total" => Ok(Some(ReturnFlavour::Total)),
        _ => Err(format!("'{text}' is not an adjustment; give none, price or total")),
    }
}

/// Bars of a symbol, the newest page first
#[utoipa::path(
    get, path = "/api/v1/bars", tag = "bars", operation_id = "list_bars",
    params(BarsParams),
    responses(
        (status = 200, description = "The newest bars that were asked for, oldest first.", body = BarsResponse), Unchanged,
        NoSuchBars,
    )
)]
async fn list(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: BarsParams| {
        let to = [params.to, params.cursor].into_iter().flatten().min();
        let query =
            BarsQuery { from: params.from, to, limit: params.limit, adjustment: params.adjustment };
        let page = app.bars(params.symbol, query).await.map_err(|error| match error {
            BarsError::BasisUnknown { symbol, source_name } => {
                ApiError::BasisUnknown(symbol, source_name)
            }
            BarsError::Store(error) => error.into(),
        })?;
        let page = page.ok_or(ApiError::SymbolNotFound(params.symbol))?;
        let BarsPage { origin, source, as_of, age, bars, next } = page;
        Ok(BarsResponse {
            symbol: params.symbol,
            interval: params.interval,
            origin: OriginWord(origin),
            source,
            as_of: as_of.map(Day),
            stale: age.is_stale,
            age_s: age.priced_at.map(|at| age_s(at, app.now())),
            items: bars.into_iter().map(BarResponse::from).collect(),
            next: next.map(|day| format!("to-{day}")),
        })
    };
    kept.or_make(&app, DataClass::Bars, make).await
}
