//! What may be lost with the holdings of today, and what was.

use std::collections::BTreeMap;

use bist_market::Notional;
use bist_trading::{DayValue, Portfolio, drawdown, tail_risk};
use jiff::civil::Date;

use super::{PortfolioRisk, PositionView, TAIL_LEVELS};
use crate::DailyBars;
use crate::paper_sessions::TradedShares;

/// The risk of `positions`, which with the cash are worth `value`.
pub(super) fn risk_of(
    portfolio: &Portfolio,
    positions: &[PositionView],
    (value, invested): (Notional, Notional),
    days: &[DayValue],
    (bars, traded): (&DailyBars, &TradedShares),
) -> PortfolioRisk {
    let weights: Option<Vec<(&PositionView, f64)>> =
        positions.iter().map(|position| Some((position, position.value_share?))).collect();
    let returns = weights
        .filter(|weights| !weights.is_empty())
        .map(|weights| past_returns(&weights, portfolio.through, (bars, traded)))
        .unwrap_or_default();
    let values: Vec<Notional> =
        std::iter::once(portfolio.opening_cash).chain(days.iter().map(|day| day.value)).collect();
    PortfolioRisk {
        tails: TAIL_LEVELS.iter().filter_map(|level| tail_risk(&returns, *level)).collect(),
        drawdown: drawdown(&values),
        invested_share: share(invested, value),
        largest_position_share: positions
            .iter()
            .filter_map(|position| position.value_share)
            .max_by(f64::total_cmp),
    }
}

/// `part` of `whole`, which is above nothing.
#[expect(clippy::cast_precision_loss, reason = "a share needs no last digit of an amount")]
pub(super) fn share(part: Notional, whole: Notional) -> Option<f64> {
    (whole > Notional::ZERO).then(|| part.units() as f64 / whole.units() as f64)
}

/// What holdings of these weights would have brought on each past session on which all of them have a
/// return, oldest first; what is not invested brings nothing.
fn past_returns(
    weights: &[(&PositionView, f64)],
    until: Date,
    (bars, traded): (&DailyBars, &TradedShares),
) -> Vec<f64> {
    let mut sums: BTreeMap<Date, (usize, f64)> = BTreeMap::new();
    for (position, weight) in weights {
        let Some(share) = traded.get(position.symbol) else { return Vec::new() };
        for (day, change) in share.returns(bars, until) {
            let sum = sums.entry(day).or_default();
            *sum = (sum.0 + 1, sum.1 + weight * change);
        }
    }
    let of_all = sums.into_values().filter(|(count, _)| *count == weights.len());
    of_all.map(|(_, sum)| sum).collect()
}
