//! Where one share stands on a day.

use bist_market::{Calendar, Price, Symbol};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::history::History;
use super::mean;
use crate::features::run::RunBar;
use crate::indicators::{Adx, CloseToClose, Indicator as _, Rsi};

/// Sessions over which changes are told: a day, a week, one, three and six months, a year.
pub const CHANGE_SESSIONS: [u32; 6] = [1, 5, 21, 63, 126, 252];

/// Sessions of the moving averages with which the close is compared.
pub const MEAN_SESSIONS: [usize; 3] = [20, 50, 200];

/// Sessions of 52 weeks.
pub const YEAR_SESSIONS: usize = 252;

/// Sessions of the mean with which volume and turnover are compared.
const VOLUME_SESSIONS: usize = 20;

/// A bar further before the session that is asked for says nothing about it.
const AGE_DAYS_MAX: i32 = 10;

/// The sessions before a day at which the changes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionMarks {
    as_of: Date,
    begins: [Option<Date>; CHANGE_SESSIONS.len()],
}

impl SessionMarks {
    /// Those before `as_of`; `None` in their places before the first day of the calendar.
    pub fn before(as_of: Date, calendar: &Calendar) -> Self {
        let mut day = Some(as_of);
        let mut done = 0;
        let begins = CHANGE_SESSIONS.map(|sessions| {
            while done < sessions {
                day = day.and_then(|day| calendar.previous_session(day));
                done += 1;
            }
            day
        });
        Self { as_of, begins }
    }

    /// The day that is looked back from.
    pub fn as_of(&self) -> Date {
        self.as_of
    }

    /// What `history` did from each of the sessions to its last bar, a share; `None` where it has no
    /// bar of the time, or a break lies in between.
    pub fn changes(&self, history: &History) -> [Option<f64>; CHANGE_SESSIONS.len()] {
        let run = history.last_run();
        self.begins.map(|begin| {
            let begin = begin?;
            let at = run.partition_point(|bar| bar.day <= begin).checked_sub(1)?;
            let (first, last) = (&run[at], run.last()?);
            let is_near = first.day >= begin.saturating_sub(AGE_DAYS_MAX.days());
            (is_near && first.day < last.day).then(|| last.bar.close / first.bar.close - 1.0)
        })
    }
}

/// Where a share stands on a day. What is not known of it is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Which.
    pub symbol: Symbol,
    /// The close as it was traded.
    pub close: Price,
    /// Its change over each of [`CHANGE_SESSIONS`], a share.
    pub changes: [Option<f64>; CHANGE_SESSIONS.len()],
    /// Turnover of the day, close as traded times shares, lira.
    pub turnover_try: Option<f64>,
    /// That over its mean of the 20 bars before.
    pub turnover_multiple: Option<f64>,
    /// Shares traded over their mean of the 20 bars before.
    pub volume_multiple: Option<f64>,
    /// Sample standard deviation of the last 20 log-returns, not annualised.
    pub volatility_20_share: Option<f64>,
    /// Relative strength index over 14 bars, 0..=100.
    pub rsi_14: Option<f64>,
    /// Average directional index over 14 bars, 0..=100.
    pub adx_14: Option<f64>,
    /// The close over each mean of [`MEAN_SESSIONS`] closes, less one.
    pub over_means: [Option<f64>; MEAN_SESSIONS.len()],
    /// The close over the highest price of 252 bars, less one; zero or below.
    pub from_high_252_share: Option<f64>,
    /// The close over the lowest price of 252 bars, less one; zero or above.
    pub from_low_252_share: Option<f64>,
    /// Whether the day's high is above all of the 251 bars before.
    pub is_new_high: Option<bool>,
    /// Whether the day's low is below all of the 251 bars before.
    pub is_new_low: Option<bool>,
}

impl Standing {
    /// Where the share of `history` stands on the day of `marks`; `None` when it has no bar of that
    /// day.
    pub fn of(history: &History, marks: &SessionMarks) -> Option<Self> {
        let close = history.last().filter(|bar| bar.day == marks.as_of)?.close;
        let run = history.last_run();
        let last = run.last()?;
        let closes = || run.iter().map(|bar| bar.bar.close);
        let over_means = MEAN_SESSIONS.map(|sessions| {
            let mean = mean_before(run, 0, sessions, |bar| bar.bar.close)?;
            known(last.bar.close / mean - 1.0)
        });
        let multiple = |value: fn(&RunBar) -> f64| {
            let mean = mean_before(run, 1, VOLUME_SESSIONS, value)?;
            if mean > 0.0 { known(value(last) / mean) } else { None }
        };
        let year = run.len().checked_sub(YEAR_SESSIONS).map(|first| &run[first..]);
        let high = |bars: &[RunBar]| bars.iter().map(|bar| bar.bar.high).fold(0.0, f64::max);
        let low = |bars: &[RunBar]| bars.iter().map(|bar| bar.bar.low).fold(f64::MAX, f64::min);
        let before = year.map(|year| &year[..YEAR_SESSIONS - 1]);
        Some(Self {
            symbol: history.symbol(),
            close,
            changes: marks.changes(history),
            turnover_try: known(last.turnover),
            turnover_multiple: multiple(|bar| bar.turnover),
            volume_multiple: multiple(|bar| bar.bar.volume),
            volatility_20_share: CloseToClose::new(20)
                .over(closes())
                .last()
                .copied()
                .and_then(known),
            rsi_14: Rsi::new(14).over(closes()).last().copied().and_then(known),
            adx_14: Adx::new(14)
                .over(run.iter().map(|bar| bar.bar))
                .last()
                .and_then(|value| known(value.adx)),
            over_means,
            from_high_252_share: year.map(|year| last.bar.close / high(year) - 1.0),
            from_low_252_share: year.map(|year| last.bar.close / low(year) - 1.0),
            is_new_high: before.map(|before| last.bar.high > high(before)),
            is_new_low: before.map(|before| last.bar.low < low(before)),
        })
    }
}

/// The mean of `value` over the `sessions` bars that end `skipped` bars before the last.
fn mean_before(
    run: &[RunBar],
    skipped: usize,
    sessions: usize,
    value: impl Fn(&RunBar) -> f64,
) -> Option<f64> {
    let end = run.len().checked_sub(skipped)?;
    let bars = &run[end.checked_sub(sessions)?..end];
    let values: Vec<f64> = bars.iter().map(value).collect();
    mean(&values).and_then(known)
}

fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use bist_testkit::bars::{random_walk, validated};
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_standing_counts_bars_by_hand() {
        let series = validated(random_walk("TEST1", date(2023, 1, 2), date(2024, 6, 28), 5));
        let bars = series.bars();
        let at = bars.len() - 3;
        let as_of = bars[at].day;
        let marks = SessionMarks::before(as_of, Calendar::bist());
        let standing = Standing::of(&History::of(&series, as_of), &marks).unwrap();
        // The walk gives adjusted closes on one scale; a break-free series is that scale.
        let close = |back: usize| bars[at - back].adjusted_close.unwrap();
        for (change, back) in standing.changes.iter().zip([1, 5, 21, 63, 126, 252]) {
            let expected = close(0) / close(back) - 1.0;
            assert!((change.unwrap() - expected).abs() < 1e-8, "{back}: {change:?} {expected}");
        }
        let mean = (0..50).map(close).sum::<f64>() / 50.0;
        assert!((standing.over_means[1].unwrap() - (close(0) / mean - 1.0)).abs() < 1e-8);
        let volume = |back: usize| bars[at - back].volume.unwrap().count();
        let expected = volume(0) / ((1..=20).map(volume).sum::<f64>() / 20.0);
        assert!((standing.volume_multiple.unwrap() - expected).abs() < 1e-12);
        assert_eq!(standing.close, bars[at].close);
        assert!(standing.from_high_252_share.unwrap() <= 0.0);

        let short = History::of(&series, bars[30].day);
        let marks = SessionMarks::before(bars[30].day, Calendar::bist());
        let standing = Standing::of(&short, &marks).unwrap();
        assert_eq!(standing.over_means[1], None);
        assert_eq!(standing.is_new_high, None);
        assert_eq!(standing.changes[3], None);
        // A series that ended before the day says nothing of it.
        assert!(Standing::of(&short, &SessionMarks::before(as_of, Calendar::bist())).is_none());
    }
}
