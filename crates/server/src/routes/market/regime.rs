//! `/api/v1/market/regime`: calm or turbulent, as the models knew it on each day.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::market_view::{RegimeDay, RegimeSpell, RegimeStatistics};
use bist_market::Source;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::standing::sources;
use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader, day};
use crate::kept::Kept;
use crate::openapi::Unchanged;
use crate::paging;
use crate::schema::Day;

/// Most sessions of a page: some twenty years.
const SESSIONS_MAX: u32 = 5000;

/// Sessions of a page when the caller does not say: two years.
const SESSIONS_DEFAULT: u32 = 500;

/// Spells shown.
const SPELLS_SHOWN: usize = 20;

/// The regimes of the market.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Regime)]
pub(super) struct RegimeResponse {
    /// The newest day; null without a share.
    #[schema(required)]
    as_of: Option<Day>,
    /// The sources of the shares.
    #[schema(value_type = Vec<String>, example = json!(["csv"]))]
    sources: Vec<Source>,
    /// The regime of the newest day.
    state: RegimeWord,
    /// The probability that it is turbulent; null while that is not known.
    #[schema(required, minimum = 0, maximum = 1, example = 0.08)]
    turbulent_probability: Option<f64>,
    /// The first day of the spell that goes on; null while no regime is known.
    #[schema(required)]
    since: Option<Day>,
    /// The first day of which a regime is known: the models learn it from the years before alone.
    #[schema(required)]
    known_from: Option<Day>,
    /// While calm is the more probable.
    calm: StatisticsResponse,
    /// While turbulent is.
    turbulent: StatisticsResponse,
    /// The newest spells, the newest first.
    spells: Vec<SpellResponse>,
    /// The sessions of this page, oldest first; the first page has the newest.
    items: Vec<RegimeDayResponse>,
    /// Give this as `cursor` to get the sessions before; null at the beginning of the history.
    #[schema(required)]
    next: Option<String>,
}

/// The regime of a day.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RegimeWord {
    /// Calm is the more probable.
    Calm,
    /// Turbulent is.
    Turbulent,
    /// There is too little history to tell.
    Unknown,
}

/// What the market did in a regime: the mean log-return of the shares, each counting alike.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeStatistics)]
struct StatisticsResponse {
    /// Sessions in it.
    sessions_count: usize,
    /// Its spells that have ended.
    ended_spells_count: usize,
    /// Their mean length in sessions.
    #[schema(required)]
    mean_spell_sessions: Option<f64>,
    /// Mean log-return of its sessions.
    #[schema(required)]
    mean_log_return: Option<f64>,
    /// Mean log-return of the sessions after one of its: what could still be acted on.
    #[schema(required)]
    next_mean_log_return: Option<f64>,
    /// Standard deviation of the log-returns of its sessions, made one of a year of 252.
    #[schema(required)]
    volatility_share: Option<f64>,
}

/// Days in a row in one regime.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeSpell)]
struct SpellResponse {
    /// Which regime.
    state: RegimeWord,
    /// Its first day.
    first_day: Day,
    /// Its last day; of the newest spell the newest day.
    last_day: Day,
    /// How many sessions.
    sessions_count: usize,
}

/// One session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeDay)]
struct RegimeDayResponse {
    /// Which.
    day: Day,
    /// The filtered probability that the market is turbulent, from this day and those before alone:
    /// the feature `regime_turbulent` of the models. Null in the first years.
    #[schema(required, minimum = 0, maximum = 1)]
    turbulent_probability: Option<f64>,
    /// Mean log-return of the shares.
    #[schema(required)]
    mean_log_return: Option<f64>,
}

impl RegimeWord {
    const fn of(is_turbulent: bool) -> Self {
        if is_turbulent { Self::Turbulent } else { Self::Calm }
    }
}

impl From<RegimeStatistics> for StatisticsResponse {
    fn from(of_regime: RegimeStatistics) -> Self {
        Self {
            sessions_count: of_regime.sessions_count,
            ended_spells_count: of_regime.ended_spells_count,
            mean_spell_sessions: of_regime.mean_spell_sessions,
            mean_log_return: of_regime.mean_log_return,
            next_mean_log_return: of_regime.next_mean_log_return,
            volatility_share: of_regime.volatility_share,
        }
    }
}

impl From<&RegimeSpell> for SpellResponse {
    fn from(spell: &RegimeSpell) -> Self {
        Self {
            state: RegimeWord::of(spell.is_turbulent),
            first_day: Day(spell.first_day),
            last_day: Day(spell.last_day),
            sessions_count: spell.sessions_count,
        }
    }
}

impl From<&RegimeDay> for RegimeDayResponse {
    fn from(of_day: &RegimeDay) -> Self {
        Self {
            day: Day(of_day.day),
            turbulent_probability: of_day.turbulent_probability,
            mean_log_return: of_day.mean_log_return,
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RegimeParams {
    /// Most sessions of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 5000, default = 500)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^to-[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "to-2024-05-31")]
    cursor: Option<Date>,
}

impl FromQuery for RegimeParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, SESSIONS_DEFAULT, SESSIONS_MAX)?,
            cursor: paging::cursor(query, "to-", |text| day(text).ok())?,
        })
    }
}

/// Calm or turbulent, as the models knew it on each day
///
/// The probability of a day is filtered: it knows that day and those before, and what the model of
/// the regimes had learned from the years before. No later day changes it.
#[utoipa::path(
    get, path = "/api/v1/market/regime", tag = "market", operation_id = "get_regime",
    params(RegimeParams),
    responses((status = 200, description = "The regimes, and what the market did in either.", body = RegimeResponse), Unchanged)
)]
pub(super) async fn regime(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: RegimeParams| {
        let view = app.market_view().await?;
        let history = &view.regime;
        let end = params.cursor.map_or(history.days.len(), |last| {
            history.days.partition_point(|of_day| of_day.day <= last)
        });
        let begin = end.saturating_sub(params.limit as usize);
        let before = begin.checked_sub(1).map(|before| &history.days[before]);
        let (newest, current) = (history.days.last(), history.spells.last());
        let probability = newest.and_then(|of_day| of_day.turbulent_probability);
        Ok(RegimeResponse {
            as_of: view.as_of.map(Day),
            sources: sources(&view),
            state: current.map_or(RegimeWord::Unknown, |spell| RegimeWord::of(spell.is_turbulent)),
            turbulent_probability: probability,
            since: current.map(|spell| Day(spell.first_day)),
            known_from: history.spells.first().map(|spell| Day(spell.first_day)),
            calm: history.calm.into(),
            turbulent: history.turbulent.into(),
            spells: history
                .spells
                .iter()
                .rev()
                .take(SPELLS_SHOWN)
                .map(SpellResponse::from)
                .collect(),
            items: history.days[begin..end].iter().map(RegimeDayResponse::from).collect(),
            next: before.map(|of_day| format!("to-{}", of_day.day)),
        })
    };
    kept.or_make(&app, DataClass::Bars, make).await
}
