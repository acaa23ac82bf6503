//! What came after each row: what models learn to forecast, and are judged by.
//!
//! A label needs prices that could be had. A session in which a share traded at its price limit and
//! nowhere else had buyers or sellers only, so no label reaches through one. What is said here of a
//! session holds for the hour of an hourly bar, whose labels never leave its session.

use std::collections::BTreeMap;

use bist_market::session_hours::later;
use bist_market::{Calendar, ExchangeRules, SessionHours};
use jiff::civil::{Date, DateTime, Time};

use super::run::RunBar;
use super::{Layout, SymbolColumns};
use crate::horizon::Horizon;
use crate::indicators::garman_klass_variance;

/// Distance of the barriers from the price of entry, in standard deviations of the return over the
/// horizon: `exp(+-BARRIER_WIDTH * volatility * sqrt(steps))` times the price.
///
/// A step is a session, or the whole of a horizon within one.
pub const BARRIER_WIDTH: f64 = 1.0;

/// Which of three barriers a price touched first after entry at the open of the next bar.
///
/// Source: Lopez de Prado (2018), "Advances in Financial Machine Learning", section 3.4; here the
/// barriers are touched by a session's high and low and not by its close only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BarrierOutcome {
    /// The upper one: the gain was taken.
    Upper,
    /// The lower one: the loss was cut. Of a session that touched both, of which the order is not
    /// known, this is supposed.
    Lower,
    /// Neither before the horizon ended.
    Vertical,
}

/// What came after each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    /// How far the targets look ahead.
    pub horizon: Horizon,
    /// `[k - 1][row]`: log-return from the close of the row's session to that of the `k`-th session
    /// after it, total return; NaN when either bar is absent, or a break or a session locked at its
    /// limit lies between. Within a session there is one step, to the close that ends the horizon;
    /// NaN also in a session of which the bars do not yet tell the end.
    pub step_returns: Vec<Vec<f64>>,
    /// Log-return from the open of the next bar, where one could buy, to the close that ends the
    /// horizon; NaN as above.
    pub tradable_return: Vec<f64>,
    /// Volatility of a step of the horizon, a session or the whole of a horizon within one: the
    /// root of the mean over the steps of the sum, over the bars of each, of the squared log-return
    /// from the close before to the open plus the variance of Garman and Klass; NaN as above, or
    /// when one of the bars is absent or without open.
    pub realised_volatility: Vec<f64>,
    /// Which barrier was touched first, for an entry at the open of the next bar; absent as above, or
    /// when the row's volatility is unknown or zero.
    pub barrier: Vec<Option<BarrierOutcome>>,
    /// The last session of the horizon, at whose close the targets are known; `None` past the end of
    /// the calendar, and where nothing of the session is left.
    pub known_on: Vec<Option<Date>>,
    /// Standard deviation of the return of a step, as known at the row's close: that of the last 20
    /// daily log-returns. Within a session that of the last 20 hourly ones, times the root of the
    /// bars to the end of the horizon, zero when none is left. NaN until there are 20.
    pub volatility: Vec<f64>,
}

impl Targets {
    /// Whether the price rose over the horizon; absent when that is not known or it did not move.
    pub fn rose(&self, row: usize) -> Option<bool> {
        let over_horizon = self.step_returns.last().map_or(f64::NAN, |returns| returns[row]);
        (over_horizon.abs() > 0.0).then_some(over_horizon > 0.0)
    }

    /// The targets of the first `rows_count` rows as they were known before `day` began.
    pub(super) fn before(&self, day: Date, rows_count: usize) -> Self {
        let was_known = |row: usize| self.known_on[row].is_some_and(|known_on| known_on < day);
        let of_rows = |values: &[f64]| -> Vec<f64> {
            (0..rows_count).map(|row| if was_known(row) { values[row] } else { f64::NAN }).collect()
        };
        Self {
            horizon: self.horizon,
            step_returns: self.step_returns.iter().map(|returns| of_rows(returns)).collect(),
            tradable_return: of_rows(&self.tradable_return),
            realised_volatility: of_rows(&self.realised_volatility),
            barrier: (0..rows_count)
                .map(|row| self.barrier[row].filter(|_| was_known(row)))
                .collect(),
            known_on: (0..rows_count)
                .map(|row| self.known_on[row].filter(|_| was_known(row)))
                .collect(),
            volatility: self.volatility[..rows_count].to_vec(),
        }
    }
}

/// The targets of all rows; `volatility` is that of the last 20 bars, known at each row.
pub(super) fn of(
    symbols: &[SymbolColumns],
    layout: &Layout,
    calendar: &Calendar,
    horizon: Horizon,
    volatility: &[f64],
) -> Targets {
    let steps_count = usize::from(horizon.sessions());
    let rows_count = layout.keys.len();
    let ways = match horizon {
        Horizon::Sessions(_) => over_sessions(layout, calendar, horizon.sessions()),
        Horizon::NextHour => within_session(layout, calendar, 1),
        Horizon::EndOfDay => within_session(layout, calendar, u8::MAX),
    };
    let mut way_of_row = vec![0; rows_count];
    for (index, rows) in layout.moments.iter().enumerate() {
        way_of_row[rows.clone()].fill(index);
    }

    let way_of = |row: usize| &ways[way_of_row[row]];
    let volatility: Vec<f64> =
        (0..rows_count).map(|row| volatility[row] * way_of(row).bars_of_step.sqrt()).collect();
    let mut targets = Targets {
        horizon,
        step_returns: vec![vec![f64::NAN; rows_count]; steps_count],
        tradable_return: vec![f64::NAN; rows_count],
        realised_volatility: vec![f64::NAN; rows_count],
        barrier: vec![None; rows_count],
        known_on: (0..rows_count).map(|row| way_of(row).known_on()).collect(),
        volatility,
    };
    let runs = symbols.iter().flat_map(|symbol| &symbol.runs);
    for (run, rows) in runs.zip(&layout.runs) {
        for (t, &row) in rows.iter().enumerate() {
            let find = |at: DateTime| run.bars.binary_search_by_key(&at, RunBar::moment).ok();
            let later = way_of(row).bars.iter().map(|at| find((*at)?)).collect();
            let path = Path::new(&run.bars, t, later, steps_count);
            for (returns, value) in targets.step_returns.iter_mut().zip(path.step_returns()) {
                returns[row] = value;
            }
            targets.tradable_return[row] = path.tradable_return().unwrap_or(f64::NAN);
            targets.realised_volatility[row] = path.realised_volatility().unwrap_or(f64::NAN);
            targets.barrier[row] = path.barrier(targets.volatility[row]);
        }
    }
    targets
}

/// The way from a moment to the end of the horizon.
struct Way {
    /// When the bars on it begin; `None` for one of which the end is not known.
    bars: Vec<Option<DateTime>>,
    /// How many bars of the row's kind a step of the horizon has.
    bars_of_step: f64,
}

impl Way {
    /// The day of its last bar.
    fn known_on(&self) -> Option<Date> {
        self.bars.last().copied().flatten().map(DateTime::date)
    }
}

/// The way over this many sessions, for each moment.
fn over_sessions(layout: &Layout, calendar: &Calendar, sessions: u8) -> Vec<Way> {
    let session = |day, k| Some(calendar.session_after(day, k)?.to_datetime(Time::midnight()));
    let way_from = |day: Date| Way {
        bars: (1..=u32::from(sessions)).map(|k| session(day, k)).collect(),
        bars_of_step: 1.0,
    };
    layout.days().into_iter().map(way_from).collect()
}

/// The way over at most `bars_max` bars of the same session, for each moment. In a session whose last
/// bar no symbol has, while none has a later one either, the bars are still to come.
fn within_session(layout: &Layout, calendar: &Calendar, bars_max: u8) -> Vec<Way> {
    let moments = || layout.moments.iter().map(|rows| layout.keys[rows.start].moment());
    let hours: BTreeMap<Date, SessionHours> = moments()
        .filter_map(|at| {
            let hours = SessionHours::on(at.date(), calendar, ExchangeRules::bist())?;
            Some((at.date(), hours))
        })
        .collect();
    let bars_after = |at: DateTime| hours.get(&at.date()).map_or(0, |h| h.bars_after(at.time()));
    let unfinished = moments().next_back().filter(|at| bars_after(*at) > 0).map(DateTime::date);
    moments()
        .map(|at| {
            let count = bars_after(at).min(bars_max);
            let known = |at: DateTime| (unfinished != Some(at.date())).then_some(at);
            let bars = (1..=count).map(|k| known(at.date().to_datetime(later(at.time(), k))));
            Way { bars: bars.collect(), bars_of_step: f64::from(count) }
        })
        .collect()
}

/// The bars of a run from the close of its bar `t` to the end of the horizon.
struct Path<'a> {
    run: &'a [RunBar],
    t: usize,
    /// Where in the run each bar ahead is, while the share could be traded.
    later: Vec<Option<usize>>,
    /// Steps of the horizon, each of one bar, or one of all bars.
    steps_count: usize,
}

impl<'a> Path<'a> {
    /// `later` tells where in the run each bar ahead is, if it has one.
    fn new(run: &'a [RunBar], t: usize, mut later: Vec<Option<usize>>, steps_count: usize) -> Self {
        let locked = later.iter().position(|at| at.is_some_and(|at| is_locked(&run[at])));
        if let Some(locked) = locked {
            later[locked..].fill(None);
        }
        Self { run, t, later, steps_count }
    }

    fn close(&self, at: usize) -> f64 {
        self.run[at].bar.close
    }

    /// All bars ahead; `None` when there is none or one is absent.
    fn bars(&self) -> Option<Vec<usize>> {
        self.later.iter().copied().collect::<Option<Vec<_>>>().filter(|bars| !bars.is_empty())
    }

    fn step_returns(&self) -> impl Iterator<Item = f64> {
        let last = self.close(self.t);
        let ends = &self.later[self.later.len().saturating_sub(self.steps_count)..];
        ends.iter().map(move |at| at.map_or(f64::NAN, |at| (self.close(at) / last).ln()))
    }

    fn tradable_return(&self) -> Option<f64> {
        let (first, last) = (*self.later.first()?, *self.later.last()?);
        Some((self.close(last?) / self.run[first?].bar.open).ln())
    }

    fn realised_volatility(&self) -> Option<f64> {
        let bars = self.bars()?;
        let variances = bars.iter().map(|&at| {
            let gap = (self.run[at].bar.open / self.close(at - 1)).ln();
            gap * gap + garman_klass_variance(&self.run[at].bar)
        });
        Some((variances.sum::<f64>() / super::count(self.steps_count)).sqrt())
    }

    fn barrier(&self, volatility: f64) -> Option<BarrierOutcome> {
        let bars = self.bars()?;
        let entry = self.run[*bars.first()?].bar.open;
        let width = BARRIER_WIDTH * volatility * super::count(self.steps_count).sqrt();
        if !(entry > 0.0 && width > 0.0) {
            return None;
        }
        let (upper, lower) = (entry * width.exp(), entry * (-width).exp());
        let touched = bars.iter().find_map(|&at| {
            let bar = self.run[at].bar;
            match (bar.low <= lower, bar.high >= upper) {
                (true, _) => Some(BarrierOutcome::Lower),
                (false, true) => Some(BarrierOutcome::Upper),
                (false, false) => None,
            }
        });
        Some(touched.unwrap_or(BarrierOutcome::Vertical))
    }
}

/// Whether a share traded at its price limit and nowhere else.
fn is_locked(bar: &RunBar) -> bool {
    bar.limit_hit.abs() > 0.0 && bar.bar.high <= bar.bar.low
}
