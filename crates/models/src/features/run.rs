//! The bars of one symbol between two breaks, as numbers on one scale.

use bist_market::{Bar, ExchangeRules, Price, ValidatedBars};
use jiff::civil::Date;

/// Bars that may be compared with each other: prices adjusted for splits and dividends (total
/// return), one value a session, in the order of time. Every window and indicator sees one run
/// only, and so begins anew after a break.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) days: Vec<Date>,
    /// NaN where the source has none.
    pub(crate) open: Vec<f64>,
    pub(crate) high: Vec<f64>,
    pub(crate) low: Vec<f64>,
    pub(crate) close: Vec<f64>,
    /// Shares; NaN where the source did not say.
    pub(crate) volume: Vec<f64>,
    /// Close as paid times shares, lira; NaN where the volume is unknown.
    pub(crate) turnover: Vec<f64>,
    /// 1 for a close at the upper price limit of the day, -1 at the lower, else 0; NaN where the
    /// limit is unknown.
    pub(crate) limit_hit: Vec<f64>,
}

impl Run {
    /// Cuts a series at its breaks. Where the vendor's adjusted close begins or ends is a break
    /// too: prices on either side are on different scales.
    pub(crate) fn cut(series: &ValidatedBars, rules: &ExchangeRules) -> Vec<Self> {
        let bars = series.bars();
        let breaks = |i: usize| {
            !series.continues(i)
                || bars[i].adjusted_close.is_some() != bars[i - 1].adjusted_close.is_some()
        };
        let mut starts: Vec<usize> = (0..bars.len()).filter(|&i| i == 0 || breaks(i)).collect();
        starts.push(bars.len());
        starts.windows(2).map(|ends| Self::of_bars(&bars[ends[0]..ends[1]], rules)).collect()
    }

    fn of_bars(bars: &[Bar], rules: &ExchangeRules) -> Self {
        let factors: Vec<f64> = bars.iter().map(|bar| relative_factor(bar, &bars[0])).collect();
        let adjusted = |price: fn(&Bar) -> Option<Price>| -> Vec<f64> {
            let lira = |bar| price(bar).map_or(f64::NAN, Price::lira);
            bars.iter().zip(&factors).map(|(bar, factor)| lira(bar) * factor).collect()
        };
        let volume: Vec<f64> =
            bars.iter().map(|bar| bar.volume.map_or(f64::NAN, |shares| shares.count())).collect();
        let before = std::iter::once(None).chain(bars.iter().map(Some));
        Self {
            days: bars.iter().map(|bar| bar.day).collect(),
            open: adjusted(|bar| bar.open),
            high: adjusted(|bar| Some(bar.high)),
            low: adjusted(|bar| Some(bar.low)),
            close: adjusted(|bar| Some(bar.close)),
            turnover: bars.iter().zip(&volume).map(|(bar, v)| bar.close.lira() * v).collect(),
            volume,
            limit_hit: before.zip(bars).map(|(last, bar)| limit_hit(last, bar, rules)).collect(),
        }
    }

    /// How many bars it has.
    pub(crate) fn len(&self) -> usize {
        self.days.len()
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

/// Whether `bar` closed at a limit. The base of the limits is the last close on the scale of the
/// new day, that is after a split or dividend, rounded to the tick.
fn limit_hit(last: Option<&Bar>, bar: &Bar, rules: &ExchangeRules) -> f64 {
    let limits = last.and_then(|last| {
        let base = last.close.lira() / relative_factor(bar, last);
        #[expect(clippy::cast_possible_truncation, reason = "a price has at most 63 bits of units")]
        let base = Price::from_units((base * 10_000.0).round() as i64).ok()?;
        rules.daily_limits(bar.day, rules.round_nearest(bar.day, base)?)
    });
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
