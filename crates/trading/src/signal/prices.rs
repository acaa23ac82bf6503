//! Target and stop: prices that the exchange accepts in the session for which a signal is made.

use bist_market::Price;
use bist_market::price::UNITS_PER_LIRA;

use super::SignalInput;
use super::reason::Reason;

/// Where a forecast is fulfilled and where it is refuted, on the two sides of the last close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prices {
    pub(super) target: Price,
    pub(super) stop: Price,
}

impl Prices {
    /// Distance of the target from the last close over that of the stop.
    #[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 units")]
    pub(super) fn risk_reward(self, last_close: Price) -> f64 {
        let distance = |price: Price| (price.units() - last_close.units()).abs() as f64;
        distance(self.target) / distance(self.stop)
    }
}

/// Target and stop of a forecast, or why there are none.
///
/// The target is the centre, rounded towards the last close, so that it never promises more than
/// the forecast. The stop is the end of the 80 % interval on the other side, rounded away from the
/// last close, so that it is not hit more often than the interval says; it lies at least one step
/// from the last close. Both are moved inside the limits of the session if they lie outside.
pub(super) fn of(input: &SignalInput<'_>) -> Result<Prices, Reason> {
    let SignalInput { last_close, expected_log_return, interval_80, rules, .. } = *input;
    let day = input.session().ok_or(Reason::NextSessionUnknown { as_of: input.as_of })?;
    // A symbol with a limit of its own: the usual one says nothing about it.
    let usual = rules.limit_share_of(day, input.symbol) == rules.limit_share(day);
    let limits = input.base_price().and_then(|base| rules.daily_limits(day, base));
    let limits = limits.filter(|_| usual);
    let limits = limits.ok_or(Reason::LimitsUnknown { day })?;
    let down = |price| rules.round_down(day, price);
    let up = |price| rules.round_up(day, price);
    let prices = if expected_log_return > 0.0 {
        let target = moved(last_close, expected_log_return).and_then(down);
        let edge = moved(last_close, interval_80.low).map(|edge| edge.min(below(last_close)));
        // A price below the lowest step has no step below it: the limit takes its place.
        let stop = edge.and_then(down).unwrap_or(limits.lower);
        target.map(|target| (target.min(limits.upper), stop.max(limits.lower)))
    } else {
        let target = moved(last_close, expected_log_return).and_then(up);
        let edge = moved(last_close, interval_80.high).map(|edge| edge.max(above(last_close)));
        let stop = edge.and_then(up).unwrap_or(limits.upper);
        target.map(|target| (target.max(limits.lower), stop.min(limits.upper)))
    };
    prices
        .map(|(target, stop)| Prices { target, stop })
        .filter(|Prices { target, stop }| {
            if expected_log_return > 0.0 {
                *target > last_close && *stop < last_close
            } else {
                *target < last_close && *stop > last_close
            }
        })
        .ok_or_else(|| Reason::WithinOneStep {
            last_close,
            tick: rules.tick(day, last_close),
            expected_return_share: expected_log_return.exp_m1(),
        })
}

/// The price after a log-return, to the nearest unit; `None` when it is below one unit or beyond
/// what can be counted exactly.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the bounds are checked before the cast"
)]
fn moved(price: Price, log_return: f64) -> Option<Price> {
    let units = (price.lira() * log_return.exp() * UNITS_PER_LIRA as f64).round();
    (units < 2_f64.powi(53)).then_some(units as i64).and_then(|units| Price::from_units(units).ok())
}

/// The next unit below, or the same price when it is the lowest.
fn below(price: Price) -> Price {
    Price::from_units(price.units() - 1).unwrap_or(price)
}

/// The next unit above, or the same price when it is the highest.
fn above(price: Price) -> Price {
    price.units().checked_add(1).and_then(|units| Price::from_units(units).ok()).unwrap_or(price)
}
