//! What may be lost in one session, by historical simulation, and what was lost at worst.

use bist_market::Notional;

/// The fewest returns that say something of a tail.
pub const RETURNS_MIN: usize = 100;

/// The most that are looked at: about a year.
pub const RETURNS_MAX: usize = 250;

/// By how much the count of a tail may be off for the rounding of the level.
const COUNT_ROUNDING: f64 = 1e-9;

/// The worst sessions of today's holdings, one session ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TailRisk {
    /// The part of the sessions that lost no more, such as 0.95.
    pub level: f64,
    /// The loss that was not exceeded in that part of the sessions, a share of the value; zero when
    /// even that session gained.
    pub value_at_risk_share: f64,
    /// The mean loss of the sessions from that one on, a share of the value; zero when they gained.
    pub expected_shortfall_share: f64,
    /// The returns that were looked at.
    pub returns_count: usize,
}

/// The deepest fall from a peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdown {
    /// What was lost, a share of the peak; zero when nothing ever was.
    pub share: f64,
    /// Where the peak stands.
    pub peak_index: usize,
    /// Where the lowest value after it stands.
    pub trough_index: usize,
}

/// Value at risk and expected shortfall of today's holdings, from what they would have returned in
/// past sessions, oldest first; the last [`RETURNS_MAX`] are looked at.
///
/// The quantile is one of the returns and is not interpolated: the inverse of the empirical
/// distribution (definition 1 of Hyndman and Fan, `inverted_cdf` of numpy).
///
/// `None` with fewer than [`RETURNS_MIN`] returns, when one of them is not finite, and for a level
/// that is not at least 0.5 and below 1.
pub fn tail_risk(returns: &[f64], level: f64) -> Option<TailRisk> {
    let newest = &returns[returns.len().saturating_sub(RETURNS_MAX)..];
    let sound = newest.len() >= RETURNS_MIN && newest.iter().all(|value| value.is_finite());
    if !sound || !(0.5..1.0).contains(&level) {
        return None;
    }
    let mut sorted = newest.to_vec();
    sorted.sort_by(f64::total_cmp);
    let tail = &sorted[..tail_count(sorted.len(), level)];
    let loss = |value: f64| (-value).max(0.0);
    Some(TailRisk {
        level,
        value_at_risk_share: loss(*tail.last()?),
        expected_shortfall_share: loss(mean(tail)),
        returns_count: sorted.len(),
    })
}

/// The deepest fall of `values`, oldest first; the earliest of equally deep ones. `None` when there
/// are none, or one is not positive.
pub fn drawdown(values: &[Notional]) -> Option<Drawdown> {
    if values.iter().any(|value| *value <= Notional::ZERO) {
        return None;
    }
    let first = *values.first()?;
    let (mut peak, mut peak_index) = (first, 0);
    let mut deepest = Drawdown { share: 0.0, peak_index: 0, trough_index: 0 };
    for (index, value) in values.iter().enumerate() {
        if *value > peak {
            (peak, peak_index) = (*value, index);
        }
        let share = 1.0 - ratio(*value, peak);
        if share > deepest.share {
            deepest = Drawdown { share, peak_index, trough_index: index };
        }
    }
    Some(deepest)
}

/// How many of `count` returns the tail has, at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts of at most RETURNS_MAX"
)]
fn tail_count(count: usize, level: f64) -> usize {
    let exact = (1.0 - level) * count as f64;
    ((exact - COUNT_ROUNDING).ceil() as usize).clamp(1, count)
}

#[expect(clippy::cast_precision_loss, reason = "counts of at most RETURNS_MAX")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[expect(clippy::cast_precision_loss, reason = "a share of money needs no last digit")]
fn ratio(part: Notional, whole: Notional) -> f64 {
    part.units() as f64 / whole.units() as f64
}
