//! What if the market and the rate of exchange move: each share, a portfolio, and what really
//! happened when the market fell before.

use std::sync::Arc;

use bist_market::Symbol;
use bist_models::market_view::{
    Episode, Exposure, ExposureError, History, MarketReturns, MoveDistribution, exposures,
    move_distribution, worst_windows,
};
use bist_store::StoreError;

use super::{Benchmark, FX, MarketView};
use crate::{App, blocking};

/// A share of a portfolio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holding {
    /// Which.
    pub symbol: Symbol,
    /// Its part of the portfolio, a share above zero.
    pub weight_share: f64,
}

/// How far the factors move, shares above -1; what is `None` is not asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScenarioMoves {
    /// The market.
    pub market_share: Option<f64>,
    /// The rate of exchange.
    pub usdtry_share: Option<f64>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioQuery {
    /// How far the factors move; at least one of them.
    pub moves: ScenarioMoves,
    /// Within how many sessions.
    pub sessions: usize,
    /// A portfolio; its weights add up to one. Empty for none.
    pub holdings: Vec<Holding>,
    /// How many of the worst episodes are replayed.
    pub episodes_count: usize,
    /// Rows passed over.
    pub begin: usize,
    /// Rows wanted.
    pub limit: usize,
}

/// One share in the scenario.
#[derive(Clone, Debug)]
pub struct MovedRow {
    /// Which.
    pub symbol: Symbol,
    /// The company.
    pub name: Option<String>,
    /// How it goes with the factors.
    pub exposure: Exposure,
    /// What may come.
    pub told: MoveDistribution,
}

/// A stretch of sessions in which the market fell, replayed.
#[derive(Clone, Debug)]
pub struct EpisodeView {
    /// When, and what the market did.
    pub episode: Episode,
    /// What the rate of exchange did, a share.
    pub usdtry_share: Option<f64>,
    /// Shares of today that were traded then.
    pub known_count: usize,
    /// The mean of what they did, each counting alike.
    pub mean_share: Option<f64>,
    /// The share that lost most, and how much.
    pub worst: Option<(Symbol, f64)>,
    /// What the portfolio would have done: the mean over the holdings that were traded then, by
    /// their weights.
    pub portfolio_share: Option<f64>,
    /// The part of the portfolio that was traded then, 0..=1.
    pub portfolio_known_share: Option<f64>,
}

/// What may come.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What stands for the market.
    pub benchmark: Benchmark,
    /// Shares of which something is said.
    pub known_count: usize,
    /// Shares of which the history is too short, or does not vary.
    pub refused: Vec<(Symbol, ExposureError)>,
    /// The rows wanted, those that lose most first.
    pub rows: Vec<MovedRow>,
    /// Whether there are more.
    pub has_more: bool,
    /// The portfolio, or why nothing is said of it; `None` without one.
    pub portfolio: Option<Result<(Exposure, MoveDistribution), ExposureError>>,
    /// The worst first.
    pub episodes: Vec<EpisodeView>,
}

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The rate is not stored.
    #[error(
        "the store has no good series of {FX}, so nothing can be said of a move of it; leave it out, or bring the series in"
    )]
    NoRate,
    /// A holding is no share of the view.
    #[error(
        "{0} has no share in the scenario: its bars are missing, older than those of the market, or below the required quality"
    )]
    UnknownHolding(Symbol),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// What may come of the moves that are asked about.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] when the rate is asked about and not stored, or a holding is unknown.
    pub async fn scenario(
        &self,
        query: ScenarioQuery,
    ) -> Result<(Arc<MarketView>, Scenario), ScenarioError> {
        let view = self.market_view().await?;
        if query.moves.usdtry_share.is_some() && view.fx.is_none() {
            return Err(ScenarioError::NoRate);
        }
        let of_view = Arc::clone(&view);
        let scenario = blocking(move || of_view.scenario(&query)).await?;
        Ok((view, scenario))
    }
}

impl MarketView {
    fn scenario(&self, query: &ScenarioQuery) -> Result<Scenario, ScenarioError> {
        let holdings: Vec<(&History, f64)> = query
            .holdings
            .iter()
            .map(|holding| {
                let at = self.histories.iter().position(|one| one.symbol() == holding.symbol);
                let at = at.ok_or(ScenarioError::UnknownHolding(holding.symbol))?;
                Ok((&self.histories[at], holding.weight_share))
            })
            .collect::<Result<_, ScenarioError>>()?;
        let moves: Vec<f64> =
            [query.moves.market_share, query.moves.usdtry_share].into_iter().flatten().collect();
        let conditional = |exposure: &Exposure| -> f64 {
            exposure.betas.iter().zip(&moves).map(|(beta, share)| beta * share.ln_1p()).sum()
        };
        let exposed = self.exposures(query.moves);
        let mut known: Vec<(usize, &Exposure)> = exposed
            .iter()
            .enumerate()
            .filter_map(|(at, one)| Some((at, one.as_ref().ok()?)))
            .collect();
        known.sort_by(|a, b| conditional(a.1).total_cmp(&conditional(b.1)).then(a.0.cmp(&b.0)));
        let refused = exposed
            .iter()
            .zip(&self.shares)
            .filter_map(|(one, share)| Some((share.standing.symbol, *one.as_ref().err()?)));
        let rows =
            known.iter().skip(query.begin).take(query.limit).map(|(at, exposure)| MovedRow {
                symbol: self.shares[*at].standing.symbol,
                name: self.shares[*at].name.clone(),
                exposure: (*exposure).clone(),
                told: move_distribution(exposure, &moves, query.sessions),
            });
        let portfolio = (!holdings.is_empty()).then(|| {
            let returns = MarketReturns::weighted(&holdings);
            let exposure = exposures(&[returns], &self.factors(query.moves)).remove(0)?;
            let told = move_distribution(&exposure, &moves, query.sessions);
            Ok((exposure, told))
        });
        let episodes = worst_windows(&self.market, query.sessions, query.episodes_count);
        Ok(Scenario {
            benchmark: self.benchmark,
            known_count: known.len(),
            refused: refused.collect(),
            rows: rows.collect(),
            has_more: known.len() > query.begin.saturating_add(query.limit),
            portfolio,
            episodes: episodes.into_iter().map(|one| self.replayed(one, &holdings)).collect(),
        })
    }

    /// The returns of the factors that are asked about.
    fn factors(&self, moves: ScenarioMoves) -> Vec<&MarketReturns> {
        let market = moves.market_share.is_some().then_some(&self.market);
        let fx = self.fx.as_ref().filter(|_| moves.usdtry_share.is_some());
        market.into_iter().chain(fx).collect()
    }

    /// How the shares go with the factors that are asked about.
    fn exposures(&self, moves: ScenarioMoves) -> &[Result<Exposure, ExposureError>] {
        let place = match (moves.market_share, moves.usdtry_share) {
            (Some(_), None) => 0,
            (None, _) => 1,
            (Some(_), Some(_)) => 2,
        };
        self.exposures[place].get_or_init(|| {
            let series: Vec<MarketReturns> = self.histories.iter().map(MarketReturns::of).collect();
            exposures(&series, &self.factors(moves))
        })
    }

    fn replayed(&self, episode: Episode, holdings: &[(&History, f64)]) -> EpisodeView {
        let (from, to) = (episode.from, episode.to);
        let done: Vec<(Symbol, f64)> = self
            .histories
            .iter()
            .filter_map(|history| Some((history.symbol(), history.return_between(from, to)?)))
            .collect();
        let sum = |values: &mut dyn Iterator<Item = (f64, f64)>| {
            values.fold((0.0, 0.0), |(sum, whole), (value, weight)| {
                (sum + value * weight, whole + weight)
            })
        };
        let (all, all_weight) = sum(&mut done.iter().map(|(_, share)| (*share, 1.0)));
        let (held, held_weight) = sum(&mut holdings
            .iter()
            .filter_map(|(history, weight)| Some((history.return_between(from, to)?, *weight))));
        let usdtry = self.fx.as_ref().and_then(|fx| {
            let steps: Vec<_> =
                fx.0.range((from, from)..).take_while(|(days, _)| days.1 <= to).collect();
            let is_whole = steps.first()?.0.0 == from && steps.last()?.0.1 == to;
            is_whole.then(|| steps.iter().map(|(_, value)| **value).sum::<f64>().exp_m1())
        });
        EpisodeView {
            episode,
            usdtry_share: usdtry,
            known_count: done.len(),
            mean_share: (all_weight > 0.0).then(|| all / all_weight),
            worst: done.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)),
            portfolio_share: (held_weight > 0.0).then(|| held / held_weight),
            portfolio_known_share: (!holdings.is_empty()).then_some(held_weight),
        }
    }
}
