//! What came after each row: what models learn to forecast, and are judged by.
//!
//! A label needs prices that could be had. A session in which a share traded at its price limit and
//! nowhere else had buyers or sellers only, so no label reaches through one.

use bist_market::Calendar;
use jiff::civil::Date;

use super::run::RunBar;
use super::{Layout, SymbolColumns};
use crate::forecaster::Horizon;
use crate::indicators::garman_klass_variance;

/// Distance of the barriers from the price of entry, in standard deviations of the return over the
/// horizon: `exp(+-BARRIER_WIDTH * volatility * sqrt(sessions))` times the price.
pub const BARRIER_WIDTH: f64 = 1.0;

/// Which of three barriers a price touched first after entry at the next session's open.
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
    /// limit lies between.
    pub step_returns: Vec<Vec<f64>>,
    /// Log-return from the open of the next session, where one could buy, to the close of the last
    /// session of the horizon; NaN as above.
    pub tradable_return: Vec<f64>,
    /// Daily volatility of the sessions of the horizon: the root of the mean over them of squared
    /// overnight log-return plus the variance of Garman and Klass; NaN as above, or when a bar of
    /// them is absent or without open.
    pub realised_volatility: Vec<f64>,
    /// Which barrier was touched first, for an entry at the open of the next session; absent as
    /// above, or when the row's volatility is unknown or zero.
    pub barrier: Vec<Option<BarrierOutcome>>,
    /// The last session of the horizon, at whose close the targets become known; `None` past the
    /// end of the calendar.
    pub known_on: Vec<Option<Date>>,
    /// Standard deviation of the daily log-returns of the last 20 sessions, known at the row's
    /// close; NaN until there are 20.
    pub volatility: Vec<f64>,
}

impl Targets {
    /// Whether the price rose over the horizon; absent when that is not known or it did not move.
    pub fn rose(&self, row: usize) -> Option<bool> {
        let over_horizon = self.step_returns.last().map_or(f64::NAN, |returns| returns[row]);
        (over_horizon.abs() > 0.0).then_some(over_horizon > 0.0)
    }
}

/// The targets of all rows; `volatility` is that known at each row.
pub(super) fn of(
    symbols: &[SymbolColumns],
    layout: &Layout,
    calendar: &Calendar,
    horizon: Horizon,
    volatility: &[f64],
) -> Targets {
    let steps_count = usize::from(horizon.sessions());
    let rows_count = layout.keys.len();
    // The sessions after each day, and which of them the rows of the day share.
    let mut ahead: Vec<Vec<Option<Date>>> = Vec::with_capacity(layout.days.len());
    let mut day_of_row = vec![0; rows_count];
    for (index, rows) in layout.days.iter().enumerate() {
        let day = layout.keys[rows.start].day;
        ahead.push(
            (1..=u32::from(horizon.sessions())).map(|k| calendar.session_after(day, k)).collect(),
        );
        day_of_row[rows.clone()].fill(index);
    }

    let mut targets = Targets {
        horizon,
        step_returns: vec![vec![f64::NAN; rows_count]; steps_count],
        tradable_return: vec![f64::NAN; rows_count],
        realised_volatility: vec![f64::NAN; rows_count],
        barrier: vec![None; rows_count],
        known_on: day_of_row.iter().map(|&day| ahead[day][steps_count - 1]).collect(),
        volatility: volatility.to_vec(),
    };
    let runs = symbols.iter().flat_map(|symbol| &symbol.runs);
    for (run, rows) in runs.zip(&layout.runs) {
        for (t, &row) in rows.iter().enumerate() {
            let find = |day: Date| run.bars.binary_search_by_key(&day, |bar| bar.day).ok();
            let later = ahead[day_of_row[row]].iter().map(|day| find((*day)?)).collect();
            let path = Path::new(&run.bars, t, later);
            for (returns, value) in targets.step_returns.iter_mut().zip(path.step_returns()) {
                returns[row] = value;
            }
            targets.tradable_return[row] = path.tradable_return().unwrap_or(f64::NAN);
            targets.realised_volatility[row] = path.realised_volatility().unwrap_or(f64::NAN);
            targets.barrier[row] = path.barrier(volatility[row]);
        }
    }
    targets
}

/// The bars of a run from the close of its bar `t` to the end of the horizon.
struct Path<'a> {
    run: &'a [RunBar],
    t: usize,
    /// Where in the run the bar of each session ahead is, while the share could be traded.
    later: Vec<Option<usize>>,
}

impl<'a> Path<'a> {
    /// `later` tells where in the run the bar of each session ahead is, if it has one.
    fn new(run: &'a [RunBar], t: usize, mut later: Vec<Option<usize>>) -> Self {
        let locked = later.iter().position(|at| at.is_some_and(|at| is_locked(&run[at])));
        if let Some(locked) = locked {
            later[locked..].fill(None);
        }
        Self { run, t, later }
    }

    fn close(&self, at: usize) -> f64 {
        self.run[at].bar.close
    }

    /// The bars of all sessions ahead; `None` when one is absent.
    fn bars(&self) -> Option<Vec<usize>> {
        self.later.iter().copied().collect()
    }

    fn step_returns(&self) -> impl Iterator<Item = f64> {
        let last = self.close(self.t);
        self.later.iter().map(move |at| at.map_or(f64::NAN, |at| (self.close(at) / last).ln()))
    }

    fn tradable_return(&self) -> Option<f64> {
        let (first, last) = (*self.later.first()?, *self.later.last()?);
        Some((self.close(last?) / self.run[first?].bar.open).ln())
    }

    fn realised_volatility(&self) -> Option<f64> {
        let bars = self.bars()?;
        let variances = bars.iter().map(|&at| {
            let overnight = (self.run[at].bar.open / self.close(at - 1)).ln();
            overnight * overnight + garman_klass_variance(&self.run[at].bar)
        });
        Some(super::mean(&variances.collect::<Vec<_>>()).sqrt())
    }

    fn barrier(&self, volatility: f64) -> Option<BarrierOutcome> {
        let bars = self.bars()?;
        let entry = self.run[*bars.first()?].bar.open;
        let width = BARRIER_WIDTH * volatility * super::count(bars.len()).sqrt();
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
