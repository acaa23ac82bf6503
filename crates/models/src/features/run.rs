//! The bars of one symbol between two breaks, as numbers on one scale.

use bist_market::{Bar, ExchangeRules, Price, ValidatedBars};
use jiff::civil::{Date, DateTime, Time};

use crate::indicators::Ohlcv;

/// A bar that may be compared with the others of its run: prices adjusted for splits and dividends
/// (total return).
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunBar {
    pub(crate) day: Date,
    /// When the bar began; midnight for a daily bar.
    pub(crate) time: Time,
    pub(crate) bar: Ohlcv,
    /// Close as paid times shares, lira; NaN where the volume is unknown.
    pub(crate) turnover: f64,
    /// 1 for a close at the upper price limit of the day, -1 at the lower, else 0; NaN where the
    /// limit is unknown.
    pub(crate) limit_hit: f64,
}

impl RunBar {
    pub(crate) const fn moment(&self) -> DateTime {
        self.day.to_datetime(self.time)
    }
}

/// Bars between two breaks, in the order of time. Every window and indicator sees
/// one run only, and so begins anew after a break.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) bars: Vec<RunBar>,
}

impl Run {
    /// Cuts a series at its breaks.
    pub(crate) fn cut(series: &ValidatedBars, rules: &'static ExchangeRules) -> Vec<Self> {
        let mut scale = Scale::new(rules);
        let mut runs: Vec<Self> = Vec::new();
        for (index, bar) in series.bars().iter().enumerate() {
            let (bar, begins) = scale.push(bar, series.continues(index));
            match runs.last_mut() {
                Some(run) if !begins => run.bars.push(bar),
                _ => runs.push(Self { bars: vec![bar] }),
            }
        }
        runs
    }

    /// How many bars it has.
    pub(crate) fn len(&self) -> usize {
        self.bars.len()
    }
}

/// Puts one bar after the other on the scale of the first of its run.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    rules: &'static ExchangeRules,
    /// The first bar of the run, and the last.
    ends: Option<(Bar, Bar)>,
    /// The last bar of the run before the day of its last bar: its close is the base of the day's
    /// limits.
    base: Option<Bar>,
}

impl Scale {
    pub(crate) fn new(rules: &'static ExchangeRules) -> Self {
        Self { rules, ends: None, base: None }
    }

    /// `bar` on the scale of its run, and whether it begins a new one: because it does not continue
    /// the bar before, or because the vendor's adjusted close begins or ends with it, so that
    /// prices on either side are on different scales.
    pub(crate) fn push(&mut self, bar: &Bar, continues: bool) -> (RunBar, bool) {
        let ends = self.ends.filter(|(_, last)| {
            continues && bar.adjusted_close.is_some() == last.adjusted_close.is_some()
        });
        let first = ends.map_or(*bar, |(first, _)| first);
        self.base = match ends {
            Some((_, last)) if last.day == bar.day => self.base,
            Some((_, last)) => Some(last),
            None => None,
        };
        let factor = relative_factor(bar, &first);
        let volume = bar.volume.map_or(f64::NAN, |shares| shares.count());
        let of_run = RunBar {
            day: bar.day,
            time: bar.opening_time(),
            bar: Ohlcv {
                open: bar.open.map_or(f64::NAN, Price::lira) * factor,
                high: bar.high.lira() * factor,
                low: bar.low.lira() * factor,
                close: bar.close.lira() * factor,
                volume,
            },
            turnover: bar.close.lira() * volume,
            limit_hit: self.base.map_or(f64::NAN, |last| limit_hit(&last, bar, self.rules)),
        };
        self.ends = Some((first, *bar));
        (of_run, ends.is_none())
    }
}

/// What turns a price of `bar` into a total-return price on the scale of `first`, the first bar of
/// its run.
///
/// Rounded to thirty binary digits: a vendor rescales all adjusted closes at each dividend, and
/// prices that are equal on paper (two highs one tick apart, say) must stay so. Otherwise the last
/// bit would decide between them, and the past would move with each dividend.
fn relative_factor(bar: &Bar, first: &Bar) -> f64 {
    match (bar.adjusted_close, first.adjusted_close) {
        (Some(adjusted), Some(first_adjusted)) => {
            rounded(adjusted / bar.close.lira() / (first_adjusted / first.close.lira()))
        }
        _ => 1.0,
    }
}

/// The nearest number with thirty binary digits after the first; `value` is positive.
fn rounded(value: f64) -> f64 {
    const DROPPED_BITS: u32 = 52 - 30;
    let half = 1 << (DROPPED_BITS - 1);
    f64::from_bits((value.to_bits() + half) >> DROPPED_BITS << DROPPED_BITS)
}

/// Whether `bar` closed at a limit. The base of the limits is the close of `last`, the last bar of an
/// earlier day, on the scale of the new day, that is after a split or dividend, rounded to the tick.
fn limit_hit(last: &Bar, bar: &Bar, rules: &ExchangeRules) -> f64 {
    let base = last.close.lira() / relative_factor(bar, last);
    #[expect(clippy::cast_possible_truncation, reason = "a price has at most 63 bits of units")]
    let base = Price::from_units((base * 10_000.0).round() as i64).ok();
    let limits =
        base.and_then(|base| rules.daily_limits(bar.day, rules.round_nearest(bar.day, base)?));
    match limits {
        None => f64::NAN,
        Some(limits) if bar.close >= limits.upper => 1.0,
        Some(limits) if bar.close <= limits.lower => -1.0,
        Some(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_nine_digits_and_no_more() {
        for value in [1.0, 0.99, 1.0 / 0.99, 12_345.678_9, 1e-12] {
            assert!((rounded(value) - value).abs() <= 5e-10 * value, "{value}");
            assert_eq!(rounded(value).to_bits(), rounded(value * (1.0 + 1e-15)).to_bits());
        }
        assert_eq!(rounded(1.0).to_bits(), 1.0_f64.to_bits());
    }
}
