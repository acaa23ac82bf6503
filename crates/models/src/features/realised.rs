//! What came after one bar: the way to the end of a horizon, by the definition of [`Targets`].
//!
//! [`Targets`]: super::Targets

use bist_market::session_hours::later;
use bist_market::{Bar, Calendar, ExchangeRules, SessionHours, ValidatedBars};
use jiff::civil::{Date, DateTime, Time};

use super::run::{Run, RunBar};
use crate::horizon::Horizon;

/// A bar of the way. Prices are of total return, on one scale for the whole way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WayBar {
    /// The bar as it was traded.
    pub traded: Bar,
    /// First price; `None` when the source has none.
    pub open: Option<f64>,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Whether it traded at its price limit and nowhere else: above zero at the upper one, where
    /// there was nobody to buy from, below zero at the lower one, where there was nobody to sell to.
    pub locked: i8,
}

impl WayBar {
    /// When it began; midnight for a daily bar.
    pub fn begins(&self) -> DateTime {
        self.traded.day.to_datetime(self.traded.opening_time())
    }
}

/// The way from one bar to the end of a horizon, as far as there are bars of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RealisedWay {
    /// The bar from whose close it goes.
    pub from: WayBar,
    /// The bars after it up to the end, none of which lies behind a break.
    pub bars: Vec<WayBar>,
    /// When the first bar of the way begins, and when the last one does.
    pub ends: (DateTime, DateTime),
    /// The day of the first bar behind a break that nothing explains, if there is one on the way.
    pub broken_on: Option<Date>,
}

impl RealisedWay {
    /// The way from the last bar of `day` that had closed by `known_at`, or from that of the day, to
    /// the end of `horizon`.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when it cannot be told where it begins or ends.
    pub fn of(
        series: &ValidatedBars,
        day: Date,
        known_at: Option<Time>,
        horizon: Horizon,
        calendar: &Calendar,
    ) -> Result<Self, NoWay> {
        let rules = ExchangeRules::bist();
        let begins_the_way = |bar: &Bar| {
            bar.day == day && known_at.is_none_or(|known_at| bar.opening_time() < known_at)
        };
        let from = series.bars().iter().rposition(begins_the_way).ok_or(NoWay::NoFirstBar)?;
        let begin = moment(&series.bars()[from]);
        let ends = ends(begin, horizon, calendar, rules).ok_or(NoWay::EndUnknown)?;

        // Runs are cut from the whole series, so that the scale is the one that models learn on.
        let mut start = 0;
        for run in Run::cut(series, rules) {
            let bars = &series.bars()[start..start + run.len()];
            start += run.len();
            if from >= start {
                continue;
            }
            let at = bars.len() - (start - from);
            let way_bar = |index: usize| way_bar(&run.bars[index], &bars[index]);
            let on_the_way =
                (at + 1..bars.len()).take_while(|&index| moment(&bars[index]) <= ends.1);
            let behind = series.bars().get(start).filter(|bar| moment(bar) <= ends.1);
            return Ok(Self {
                from: way_bar(at),
                bars: on_the_way.map(way_bar).collect(),
                ends,
                broken_on: behind.map(|bar| bar.day),
            });
        }
        Err(NoWay::NoFirstBar)
    }

    /// The bar that ends the way, if there is one.
    pub fn last(&self) -> Option<&WayBar> {
        self.bars.last().filter(|bar| bar.begins() == self.ends.1)
    }

    /// The bar at whose open one could act, if there is one.
    pub fn first(&self) -> Option<&WayBar> {
        self.bars.first().filter(|bar| bar.begins() == self.ends.0)
    }

    /// The log-return over the whole way, total return: what is forecast.
    pub fn log_return(&self) -> Option<f64> {
        Some((self.last()?.close / self.from.close).ln())
    }

    /// The log-return from the open of the first bar, where one could act, to the end.
    pub fn tradable_log_return(&self) -> Option<f64> {
        Some((self.last()?.close / self.first()?.open?).ln())
    }
}

/// Why there is no way from a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWay {
    /// The series has no such bar.
    NoFirstBar,
    /// The calendar does not reach so far, the hours of the session are not known, or nothing of it
    /// was left.
    EndUnknown,
}

fn moment(bar: &Bar) -> DateTime {
    bar.day.to_datetime(bar.opening_time())
}

/// When the first and the last bar of the way from the bar that began at `from` begin.
fn ends(
    from: DateTime,
    horizon: Horizon,
    calendar: &Calendar,
    rules: &ExchangeRules,
) -> Option<(DateTime, DateTime)> {
    let within = |bars_max: u8| {
        let hours = SessionHours::on(from.date(), calendar, rules)?;
        let count = hours.bars_after(from.time()).min(bars_max);
        let at = |bars| from.date().to_datetime(later(from.time(), bars));
        (count > 0).then(|| (at(1), at(count)))
    };
    match horizon {
        Horizon::Sessions(sessions) => {
            let session = |count| calendar.session_after(from.date(), count);
            let day = |day: Date| day.to_datetime(Time::midnight());
            Some((day(session(1)?), day(session(u32::from(sessions.get()))?)))
        }
        Horizon::NextHour => within(1),
        Horizon::EndOfDay => within(u8::MAX),
    }
}

fn way_bar(bar: &RunBar, traded: &Bar) -> WayBar {
    let is_locked = bar.limit_hit.abs() > 0.0 && bar.bar.high <= bar.bar.low;
    let side = if bar.limit_hit > 0.0 { 1 } else { -1 };
    WayBar {
        traded: *traded,
        open: (!bar.bar.open.is_nan()).then_some(bar.bar.open),
        high: bar.bar.high,
        low: bar.bar.low,
        close: bar.bar.close,
        locked: if is_locked { side } else { 0 },
    }
}
