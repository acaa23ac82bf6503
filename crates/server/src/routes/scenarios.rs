//! `/api/v1/scenarios`: what if the market and the rate of exchange move.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::market_view::{
    EpisodeView, Exposure, ExposureError, Holding, MoveDistribution, MovedRow, OBSERVATIONS_MIN,
    PATHS_COUNT, ScenarioError, ScenarioMoves, ScenarioQuery,
};
use bist_market::{Source, Symbol};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader, symbol};
use crate::kept::Kept;
use crate::openapi::Unchanged;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX};
use crate::routes::market::standing::{LeftOutResponse, left_out, sources};
use crate::schema::Day;

/// The largest moves that may be asked about.
const MOVE_MIN: f64 = -0.9;
const MOVE_MAX: f64 = 3.0;

/// Sessions within which a move happens.
const SESSIONS_MAX: usize = 60;
const SESSIONS_DEFAULT: usize = 5;

/// Holdings of a portfolio.
const HOLDINGS_MAX: usize = 100;

/// Episodes replayed.
const EPISODES_MAX: usize = 20;
const EPISODES_DEFAULT: usize = 5;

/// Decimals to which weights may miss one.
const WEIGHT_TOLERANCE: f64 = 0.001;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What may come of a move.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scenario)]
struct ScenarioResponse {
    /// The day up to which everything is known; null without a share.
    #[schema(required)]
    as_of: Option<Day>,
    /// The sources of the shares.
    #[schema(value_type = Vec<String>, example = json!(["csv"]))]
    sources: Vec<Source>,
    /// What stands for the market: `XU100`, or `equal_weighted` (the mean of the shares, each counting
    /// alike) where the index is not stored up to the day.
    #[schema(example = "XU100")]
    benchmark: &'static str,
    /// Whether USDTRY is stored, so that a move of it can be asked about.
    has_usdtry: bool,
    /// Within how many sessions the move happens.
    #[schema(example = 5)]
    horizon_sessions: usize,
    /// Days without which nothing is said of a share.
    #[schema(example = 120)]
    observations_min: usize,
    /// Ways that are drawn.
    #[schema(example = 1000)]
    paths_count: usize,
    /// Shares of which something is said.
    known_count: usize,
    /// Shares of which the history is too short or does not vary.
    refused: Vec<RefusedResponse>,
    /// Shares that are not in the scenario at all, and why.
    left_out: LeftOutResponse,
    /// The portfolio that was asked about; null without one, or when too few days have all of it.
    #[schema(required)]
    portfolio: Option<PortfolioResponse>,
    /// The shares, those that lose most first.
    items: Vec<MovedResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    next: Option<String>,
    /// The worst that the market really did in so many sessions, the worst first.
    episodes: Vec<EpisodeResponse>,
}

/// A share of which nothing is said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefusedExposure)]
struct RefusedResponse {
    /// Which.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Why.
    reason: RefusedWord,
    /// Days on which it and what moves have returns; null where that is not the reason.
    #[schema(required)]
    days_count: Option<usize>,
}

/// Why nothing is said of a share.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefusedReason)]
enum RefusedWord {
    /// There are too few days.
    TooFewDays,
    /// Its returns, or those of what moves, do not vary.
    NoVariation,
}

/// How a series goes with one of the factors.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Beta)]
struct BetaResponse {
    /// Which factor: `market` or `usdtry`.
    #[schema(example = "market")]
    factor: &'static str,
    /// Slope by least squares of daily log-returns.
    #[schema(example = 1.13)]
    slope: f64,
    /// Its standard error.
    #[schema(example = 0.06)]
    standard_error: f64,
    /// The slope drawn towards those of all shares, by which the scenario goes.
    #[schema(example = 1.1)]
    shrunk: f64,
    /// How far that may be off, one standard deviation.
    #[schema(example = 0.05)]
    shrunk_error: f64,
}

/// What may come, in shares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MoveDistribution)]
struct DistributionResponse {
    /// What the slopes alone make of the move.
    conditional_share: f64,
    /// One way in twenty ends below it.
    quantile_05_share: f64,
    /// One in four.
    quantile_25_share: f64,
    /// One in two.
    quantile_50_share: f64,
    /// Three in four.
    quantile_75_share: f64,
    /// Nineteen in twenty.
    quantile_95_share: f64,
    /// The share of the ways that end in a loss.
    #[schema(minimum = 0, maximum = 1)]
    loss_probability: f64,
}

/// How a series goes with what moves, and what may come of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScenarioPortfolio)]
struct PortfolioResponse {
    /// How it goes with each factor.
    betas: Vec<BetaResponse>,
    /// The part of its variance that the factors explain.
    #[schema(minimum = 0, maximum = 1)]
    r2: f64,
    /// Days that this was learned from.
    observations_count: usize,
    /// What may come.
    outcome: DistributionResponse,
}

/// A share in the scenario.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScenarioItem)]
struct MovedResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// The company.
    #[schema(required)]
    name: Option<String>,
    /// How it goes with what moves, and what may come of it.
    #[serde(flatten)]
    moved: PortfolioResponse,
}

/// A stretch in which the market fell, replayed on the shares of today.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Episode)]
struct EpisodeResponse {
    /// The session at whose close it begins.
    from: Day,
    /// The session at whose close it ends.
    to: Day,
    /// What the market did.
    market_share: f64,
    /// What USDTRY did; null where that is not stored.
    #[schema(required)]
    usdtry_share: Option<f64>,
    /// Shares of today that were traded then.
    known_count: usize,
    /// The mean of what they did, each counting alike.
    #[schema(required)]
    mean_share: Option<f64>,
    /// The share that lost most.
    #[schema(required, value_type = Option<String>)]
    worst_symbol: Option<Symbol>,
    /// What it did.
    #[schema(required)]
    worst_share: Option<f64>,
    /// What the portfolio would have done, by the holdings that were traded then.
    #[schema(required)]
    portfolio_share: Option<f64>,
    /// The part of the portfolio that was.
    #[schema(required, minimum = 0, maximum = 1)]
    portfolio_known_share: Option<f64>,
}

impl PortfolioResponse {
    fn of(exposure: &Exposure, told: MoveDistribution, factors: &[&'static str]) -> Self {
        let line = &exposure.line;
        let betas = factors.iter().enumerate().map(|(at, factor)| BetaResponse {
            factor,
            slope: line.slopes[at],
            standard_error: line.standard_errors[at],
            shrunk: exposure.betas[at],
            shrunk_error: exposure.beta_errors[at],
        });
        Self {
            betas: betas.collect(),
            r2: line.r2,
            observations_count: exposure.observations_count,
            outcome: DistributionResponse {
                conditional_share: told.conditional_share,
                quantile_05_share: told.quantile_05_share,
                quantile_25_share: told.quantile_25_share,
                quantile_50_share: told.quantile_50_share,
                quantile_75_share: told.quantile_75_share,
                quantile_95_share: told.quantile_95_share,
                loss_probability: told.loss_probability,
            },
        }
    }
}

impl MovedResponse {
    fn of(row: MovedRow, factors: &[&'static str]) -> Self {
        let moved = PortfolioResponse::of(&row.exposure, row.told, factors);
        Self { symbol: row.symbol, name: row.name, moved }
    }
}

impl RefusedResponse {
    fn of((symbol, error): (Symbol, ExposureError)) -> Self {
        match error {
            ExposureError::TooFewDays { days_count } => {
                Self { symbol, reason: RefusedWord::TooFewDays, days_count: Some(days_count) }
            }
            ExposureError::NoVariation => {
                Self { symbol, reason: RefusedWord::NoVariation, days_count: None }
            }
        }
    }
}

impl From<EpisodeView> for EpisodeResponse {
    fn from(view: EpisodeView) -> Self {
        Self {
            from: Day(view.episode.from),
            to: Day(view.episode.to),
            market_share: view.episode.market_share,
            usdtry_share: view.usdtry_share,
            known_count: view.known_count,
            mean_share: view.mean_share,
            worst_symbol: view.worst.map(|worst| worst.0),
            worst_share: view.worst.map(|worst| worst.1),
            portfolio_share: view.portfolio_share,
            portfolio_known_share: view.portfolio_known_share,
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ScenarioParams {
    /// How far the market moves, a share; -0.1 when neither this nor `usdtry_change_share` is given.
    #[param(value_type = Option<f64>, minimum = -0.9, maximum = 3, example = -0.1)]
    market_change_share: Option<f64>,
    /// How far USDTRY moves, a share. What is not given is not part of the estimate.
    #[param(value_type = Option<f64>, minimum = -0.9, maximum = 3, example = 0.05)]
    usdtry_change_share: Option<f64>,
    /// Within how many sessions.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 60, default = 5)]
    horizon_sessions: usize,
    /// A portfolio: at most 100 tickers, each with its weight above 0; the weights add up to 1.
    #[param(value_type = Option<String>, max_length = 3000, pattern = "^[A-Za-z0-9]{1,12}:[0-9.]{1,12}(,[A-Za-z0-9]{1,12}:[0-9.]{1,12}){0,99}$", example = "THYAO:0.4,AKBNK:0.6")]
    holdings: Vec<Holding>,
    /// How many of the worst episodes are replayed.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 20, default = 5)]
    episodes: usize,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,9}$", example = "from-100")]
    cursor: u64,
}

impl FromQuery for ScenarioParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let market_change_share = query.optional("market_change_share", move_share)?;
        let usdtry_change_share = query.optional("usdtry_change_share", move_share)?;
        let is_silent = market_change_share.is_none() && usdtry_change_share.is_none();
        Ok(Self {
            market_change_share: if is_silent { Some(-0.1) } else { market_change_share },
            usdtry_change_share,
            horizon_sessions: query
                .optional("horizon_sessions", |text| whole(text, 1, SESSIONS_MAX))?
                .unwrap_or(SESSIONS_DEFAULT),
            holdings: query.optional("holdings", holdings)?.unwrap_or_default(),
            episodes: query
                .optional("episodes", |text| whole(text, 0, EPISODES_MAX))?
                .unwrap_or(EPISODES_DEFAULT),
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

fn move_share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (MOVE_MIN..=MOVE_MAX).contains(share)).ok_or_else(|| {
        format!("'{text}' is not a move; give a share from {MOVE_MIN} to {MOVE_MAX}, such as -0.1")
    })
}

fn whole(text: &str, min: usize, max: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| format!("'{text}' is not allowed; give a whole number from {min} to {max}"))
}

/// Reads `THYAO:0.4,AKBNK:0.6`.
fn holdings(text: &str) -> Result<Vec<Holding>, String> {
    const WANTED: &str = "give tickers with weights that add up to 1, such as THYAO:0.4,AKBNK:0.6";
    let mut holdings: Vec<Holding> = Vec::new();
    for part in text.split(',') {
        let (ticker, weight) =
            part.split_once(':').ok_or_else(|| format!("'{part}' has no weight; {WANTED}"))?;
        let symbol = symbol(ticker)?;
        let weight_share = weight
            .parse()
            .ok()
            .filter(|weight: &f64| *weight > 0.0 && *weight <= 1.0)
            .ok_or_else(|| format!("'{weight}' is not a weight; {WANTED}"))?;
        if holdings.iter().any(|holding| holding.symbol == symbol) {
            return Err(format!("{symbol} is named twice; {WANTED}"));
        }
        holdings.push(Holding { symbol, weight_share });
    }
    if holdings.len() > HOLDINGS_MAX {
        return Err(format!("has {} holdings; give at most {HOLDINGS_MAX}", holdings.len()));
    }
    let sum: f64 = holdings.iter().map(|holding| holding.weight_share).sum();
    if (sum - 1.0).abs() > WEIGHT_TOLERANCE {
        return Err(format!("the weights add up to {sum:.4}; {WANTED}"));
    }
    Ok(holdings)
}

/// What if the market and the rate of exchange move
///
/// The conditional move of each share by slopes that were estimated from at most 500 days, drawn
/// towards those of all shares, with a distribution by a block bootstrap of what the factors do not
/// explain; the seed is fixed. Beside it what really happened in the worst stretches of the market.
#[utoipa::path(
    get, path = "/api/v1/scenarios", tag = "market", operation_id = "list_scenario_moves",
    params(ScenarioParams),
    responses((status = 200, description = "What may come, and what came before.", body = ScenarioResponse), Unchanged)
)]
async fn list(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: ScenarioParams| {
        let moves = ScenarioMoves {
            market_share: params.market_change_share,
            usdtry_share: params.usdtry_change_share,
        };
        let begin = usize::try_from(params.cursor).unwrap_or(usize::MAX);
        let query = ScenarioQuery {
            moves,
            sessions: params.horizon_sessions,
            holdings: params.holdings,
            episodes_count: params.episodes,
            begin,
            limit: params.limit as usize,
        };
        let (view, scenario) = app.scenario(query).await.map_err(refusal)?;
        let factors: Vec<&'static str> =
            [moves.market_share.map(|_| "market"), moves.usdtry_share.map(|_| "usdtry")]
                .into_iter()
                .flatten()
                .collect();
        let portfolio = scenario.portfolio.and_then(Result::ok);
        Ok(ScenarioResponse {
            as_of: view.as_of.map(Day),
            sources: sources(&view),
            benchmark: scenario.benchmark.as_str(),
            has_usdtry: view.has_rate(),
            horizon_sessions: params.horizon_sessions,
            observations_min: OBSERVATIONS_MIN,
            paths_count: PATHS_COUNT,
            known_count: scenario.known_count,
            refused: scenario.refused.into_iter().map(RefusedResponse::of).collect(),
            left_out: left_out(&view),
            portfolio: portfolio
                .map(|(exposure, told)| PortfolioResponse::of(&exposure, told, &factors)),
            items: scenario.rows.into_iter().map(|row| MovedResponse::of(row, &factors)).collect(),
            next: scenario
                .has_more
                .then(|| paging::from(params.cursor.saturating_add(params.limit.into()))),
            episodes: scenario.episodes.into_iter().map(EpisodeResponse::from).collect(),
        })
    };
    kept.or_make(&app, DataClass::Bars, make).await
}

fn refusal(error: ScenarioError) -> ApiError {
    let parameter = match error {
        ScenarioError::Store(error) => return error.into(),
        ScenarioError::NoRate => "usdtry_change_share",
        ScenarioError::UnknownHolding(_) => "holdings",
    };
    ApiError::InvalidParameter { parameter, problem: error.to_string() }
}
