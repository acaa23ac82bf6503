//! `/api/v1/symbols`: what is traded, and the newest of everything about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::SignalRecord;
use bist_app::live::PriceNow;
use bist_app::symbols::{SymbolView, age_s};
use bist_market::rename::former_names;
use bist_market::{Source, Symbol};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, SymbolPath};
use crate::openapi::NoSuchSymbol;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{ActionWord, Day, Decimal, Instant, OriginWord};

/// Longest text to search for, in characters.
const SEARCH_LENGTH_MAX: usize = 64;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one))
}

/// A symbol with the newest of everything about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Symbol)]
struct SymbolResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// The company, if a source named it.
    #[schema(required, example = "Türk Hava Yolları")]
    name: Option<String>,
    /// The sector, if a source named it.
    #[schema(required)]
    sector: Option<String>,
    /// Whether its data are real.
    origin: OriginWord,
    /// Which source models and charts use.
    #[schema(value_type = String, example = "csv")]
    source: Source,
    /// Every source that has daily bars of it, the one in use first.
    #[schema(value_type = Vec<String>, example = json!(["csv"]))]
    sources: Vec<Source>,
    /// Tickers under which it was traded before, newest first.
    former_names: Vec<FormerName>,
    /// When they were received.
    fetched_at: Instant,
    /// Day of the first bar that passed the checks.
    #[schema(required)]
    first_day: Option<Day>,
    /// Day of the last.
    #[schema(required)]
    last_day: Option<Day>,
    /// The day up to which anything said of the symbol is known.
    #[schema(required)]
    as_of: Option<Day>,
    /// Daily bars that passed the checks.
    #[schema(example = 1500)]
    bars_count: u64,
    /// Close of the last bar.
    #[schema(required)]
    last_close: Option<Decimal>,
    /// Close of the bar before it.
    #[schema(required)]
    previous_close: Option<Decimal>,
    /// Return from the one to the other; null across a break in the series.
    #[schema(required, example = -0.0115)]
    change_share: Option<f64>,
    /// Quality of the series in 0..1; null when nothing could be judged.
    #[schema(required, minimum = 0, maximum = 1, example = 0.998)]
    quality_share: Option<f64>,
    /// Sessions of the exchange that have ended since `as_of`; null when the calendar does not
    /// cover today.
    #[schema(required, example = 0)]
    stale_sessions: Option<u32>,
    /// Whether these are more than the one that may not have been received yet; null when that is not
    /// known.
    #[schema(required, example = false)]
    stale: Option<bool>,
    /// Seconds since the end of the session of `as_of`; null where its hours are not known.
    #[schema(required, example = 14400)]
    age_s: Option<u64>,
    /// The price of this moment; null where no live source tells one that is newer than the bars.
    #[schema(required)]
    quote: Option<QuoteResponse>,
    /// The newest signal, in short; null when no model is in force.
    #[schema(required)]
    signal: Option<SignalInShort>,
}

/// The price of this moment, as a live source tells it; it is not stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quote)]
struct QuoteResponse {
    /// The price.
    #[schema(required)]
    price: Option<Decimal>,
    /// The price from which the session began: that of the exchange, where the source has it, otherwise
    /// the stored close.
    #[schema(required)]
    previous_close: Option<Decimal>,
    /// Return from the one to the other.
    #[schema(required, example = 0.0081)]
    change_share: Option<f64>,
    /// When that was the price, in the words of the source.
    #[schema(required)]
    priced_at: Option<Instant>,
    /// Seconds since then.
    #[schema(required, example = 3)]
    age_s: Option<u64>,
    /// Whether the source has told nothing newer for longer than the phase of the session allows; null
    /// beyond the calendar.
    #[schema(required, example = false)]
    stale: Option<bool>,
    /// Which source.
    #[schema(value_type = Option<String>, required, example = "yahoo")]
    live_source: Option<Source>,
}

impl QuoteResponse {
    fn of(now: &PriceNow, at: Timestamp) -> Self {
        Self {
            price: now.last_close.map(Decimal),
            previous_close: now.previous_close.map(Decimal),
            change_share: now.change_share,
            priced_at: now.priced_at.map(Instant),
            age_s: now.age_s(at),
            stale: now.is_stale,
            live_source: now.live_source,
        }
    }
}

/// A ticker that a share had before.
#[derive(Debug, Serialize, ToSchema)]
struct FormerName {
    /// The ticker.
    #[schema(value_type = String, example = "KOZAL")]
    symbol: Symbol,
    /// The last day under it.
    until: Day,
}

/// A signal in short.
#[derive(Debug, Serialize, ToSchema)]
struct SignalInShort {
    /// What to do.
    action: ActionWord,
    /// Why, as the stable code that the whole signal has.
    #[schema(example = "no_skill_shown")]
    reason_code: &'static str,
    /// The last day that it knows.
    as_of: Day,
}

impl SymbolResponse {
    /// The symbol as it stands at `now`.
    fn of(view: SymbolView, now: Timestamp) -> Self {
        let signal = view.signal.map(|SignalRecord { signal, .. }| SignalInShort {
            action: ActionWord(signal.action),
            reason_code: signal.reason.code(),
            as_of: Day(signal.as_of),
        });
        Self {
            symbol: view.instrument.symbol,
            name: view.instrument.name,
            sector: view.instrument.sector,
            origin: OriginWord(view.instrument.origin),
            source: view.source,
            sources: view.sources,
            former_names: former_names(view.instrument.symbol)
                .map(|(symbol, until)| FormerName { symbol, until: Day(until) })
                .collect(),
            fetched_at: Instant(view.fetched_at),
            first_day: view.first_day.map(Day),
            last_day: view.last_day.map(Day),
            as_of: view.as_of.map(Day),
            bars_count: view.bars_count,
            last_close: view.last_close.map(Decimal),
            previous_close: view.previous_close.map(Decimal),
            change_share: view.change_share,
            quality_share: view.quality_share,
            stale_sessions: view.stale_sessions,
            stale: view.age.is_stale,
            age_s: view.age.priced_at.map(|at| age_s(at, now)),
            quote: view.quote.map(|quote| QuoteResponse::of(&quote, now)),
            signal,
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only symbols whose ticker or name has this text; case and Turkish letters do not matter.
    #[param(max_length = 64, example = "hava")]
    q: Option<String>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^after-[A-Z0-9]{1,12}$", example = "after-THYAO")]
    cursor: Option<Symbol>,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let search = |text: &str| match text.chars().count() {
            0..=SEARCH_LENGTH_MAX => Ok(text.to_owned()),
            length => Err(format!("has {length} characters; give at most {SEARCH_LENGTH_MAX}")),
        };
        Ok(Self {
            q: query.optional("q", search)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_after(query)?,
        })
    }
}

/// All symbols, by ticker
#[utoipa::path(
    get, path = "/api/v1/symbols", tag = "symbols", operation_id = "list_symbols",
    params(ListParams),
    responses((status = 200, description = "Symbols with daily bars.", body = Page<SymbolResponse>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Checked(params): Checked<ListParams>,
) -> Result<Json<Page<SymbolResponse>>, ApiError> {
    let wanted = fold(params.q.as_deref().unwrap_or_default());
    let has = |text: &str| fold(text).contains(&wanted);
    let found = app.symbols().await?.into_iter().filter(|view| {
        has(view.instrument.symbol.as_str()) || view.instrument.name.as_deref().is_some_and(has)
    });
    let page =
        paging::page_after(found, |view| view.instrument.symbol, params.cursor, params.limit);
    let now = app.now();
    Ok(Json(page.map(|view| SymbolResponse::of(view, now))))
}

/// One symbol
#[utoipa::path(
    get, path = "/api/v1/symbols/{symbol}", tag = "symbols", operation_id = "get_symbol",
    params(("symbol" = String, Path, description = "The ticker; case does not matter.", pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")),
    responses(
        (status = 200, description = "The symbol.", body = SymbolResponse),
        NoSuchSymbol,
    )
)]
async fn one(
    State(app): State<Arc<App>>,
    SymbolPath(symbol): SymbolPath,
    _: Checked<NoParameters>,
) -> Result<Json<SymbolResponse>, ApiError> {
    let view = app.symbol(symbol).await?.ok_or(ApiError::SymbolNotFound(symbol))?;
    Ok(Json(SymbolResponse::of(view, app.now())))
}

/// The text without case and without the marks of Turkish letters, as people type it.
fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letter| match letter {
            'ı' | 'î' => Some('i'),
            'ş' => Some('s'),
            'ğ' => Some('g'),
            'ç' => Some('c'),
            'ö' => Some('o'),
            'ü' | 'û' => Some('u'),
            'â' => Some('a'),
            // What is left of 'İ' once it is lower case.
            '\u{307}' => None,
            other => Some(other),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_does_not_ask_for_turkish_letters() {
        for (typed, stored) in [
            ("sisecam", "Şişecam"),
            ("IS BANK", "İş Bankası"),
            ("ığdır", "IĞDIR"),
            ("kagit", "KÂĞIT"),
        ] {
            assert!(fold(stored).contains(&fold(typed)), "{typed} in {stored}");
        }
    }
}
