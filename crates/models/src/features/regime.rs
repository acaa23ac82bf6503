//! Whether the market is calm or turbulent, as far as its past tells.
//!
//! A hidden Markov model of two states sees the mean return and the dispersion of each day. What it
//! has learned is used from the first session of a year on, and was learned from the days before
//! that year alone; the probability of a day is filtered, from the days up to it. So nothing
//! of a day's regime moves when a later day changes, in any fold of any evaluation.

use jiff::civil::Date;

use super::{FeatureTemplate, known_mean};
use crate::hmm::{GaussianHmm, RegimeFilter};

/// A year's worth of days before the first model.
const DAYS_COUNT_MIN: usize = 250;

const ITERATIONS_MAX: u16 = 50;

/// Least gain in log-likelihood that is worth another iteration.
const TOLERANCE: f64 = 1e-2;

/// What [`Regime`] gives.
pub(super) const DEFINITIONS: [FeatureTemplate; 1] = [FeatureTemplate {
    name: "regime_turbulent",
    formula: "filtered probability of the more dispersed of two states of (market_return_1, ln of \
              the standard deviation of return_1 over the symbols), learned each year from the \
              years before",
    source: "Hamilton (1989), Markov switching; Rabiner (1989)",
}];

/// The probability that each day is turbulent: one value a day, NaN before the first model.
///
/// `days` ascend; `returns` gives the log-returns of the symbols on day `t`, NaN where unknown.
pub(crate) fn of_days<'a>(days: &[Date], returns: impl Fn(usize) -> &'a [f64]) -> Vec<f64> {
    let mut regime = Regime::new();
    let probabilities = days.iter().enumerate().map(|(t, day)| {
        regime.begin(*day);
        regime.close(returns(t))
    });
    probabilities.collect()
}

/// What the days so far have taught of the regime.
#[derive(Clone, Debug)]
pub(crate) struct Regime {
    /// The observations of all closed days that had one.
    seen: Vec<[f64; 2]>,
    /// The year of the last day begun.
    year: Option<i16>,
    model: Option<GaussianHmm<2, 2>>,
    /// As of the last closed day.
    filtered: Filtered,
}

#[derive(Clone, Debug)]
struct Filtered {
    filter: Option<RegimeFilter<2, 2>>,
    /// Of the more dispersed state.
    probability: f64,
}

impl Regime {
    /// Before the first day.
    pub(crate) fn new() -> Self {
        let filtered = Filtered { filter: None, probability: f64::NAN };
        Self { seen: Vec::new(), year: None, model: None, filtered }
    }

    /// Begins a day, later than those before; with the first of a year learns from the years before.
    pub(crate) fn begin(&mut self, day: Date) {
        let year_begins = self.year.is_some_and(|year| year != day.year());
        self.year = Some(day.year());
        if year_begins && self.seen.len() >= DAYS_COUNT_MIN {
            self.learn();
        }
    }

    fn learn(&mut self) {
        // Learning goes on from what the years before taught.
        let begun = self.model.or_else(|| GaussianHmm::by_quantiles(&self.seen));
        self.model = begun
            .map(|begun| begun.learned(&self.seen, ITERATIONS_MAX, TOLERANCE).sorted_by_mean(1));
        self.filtered.filter = self.model.map(RegimeFilter::new);
        for observation in &self.seen {
            self.filtered.push(observation);
        }
    }

    /// The probability that the day in progress is turbulent, given the returns of its symbols.
    pub(crate) fn turbulent(&self, returns: &[f64]) -> f64 {
        let mut filtered = self.filtered.clone();
        if let Some(observation) = observation(returns) {
            filtered.push(&observation);
        }
        filtered.probability
    }

    /// The same when the day is over: what comes next knows it.
    pub(crate) fn close(&mut self, returns: &[f64]) -> f64 {
        if let Some(observation) = observation(returns) {
            self.seen.push(observation);
            self.filtered.push(&observation);
        }
        self.filtered.probability
    }
}

impl Filtered {
    fn push(&mut self, observation: &[f64; 2]) {
        if let Some(filter) = &mut self.filter {
            [_, self.probability] = filter.push(observation);
        }
    }
}

/// Mean and logarithm of the standard deviation of the known returns; `None` without spread.
fn observation(returns: &[f64]) -> Option<[f64; 2]> {
    let mean = known_mean(returns.iter().copied());
    let variance = known_mean(returns.iter().map(|value| (value - mean).powi(2)));
    (variance > 0.0).then(|| [mean, 0.5 * variance.ln()])
}

#[cfg(test)]
mod tests {
    use bist_market::Calendar;
    use jiff::civil::date;

    use super::*;

    /// Five symbols, calm but for a wild April to June of each year.
    fn market() -> (Vec<Date>, Vec<[f64; 5]>) {
        let sessions = Calendar::bist().sessions(date(2020, 1, 1), date(2023, 12, 31));
        let days: Vec<Date> = sessions.map(|(day, _)| day).collect();
        let returns = (0_u32..).zip(&days).map(|(t, day)| {
            let scale = if is_wild(*day) { 0.04 } else { 0.01 };
            std::array::from_fn(|i| {
                let noise = f64::from((t * 7919 + u32::try_from(i).unwrap() * 104_729) % 1009)
                    / 1009.0
                    - 0.5;
                scale * noise
            })
        });
        let returns = returns.collect();
        (days, returns)
    }

    fn is_wild(day: Date) -> bool {
        (4..=6).contains(&day.month())
    }

    #[test]
    fn wild_months_are_told_from_calm_ones_once_a_year_was_seen() {
        let (days, returns) = market();
        let turbulent = of_days(&days, |t| &returns[t]);
        let first = days.iter().position(|day| day.year() == 2021).unwrap();
        assert!(turbulent[..first].iter().all(|probability| probability.is_nan()));
        let right = (first..days.len()).filter(|&t| (turbulent[t] > 0.5) == is_wild(days[t]));
        let share = right.count() as f64 / (days.len() - first) as f64;
        assert!(share > 0.95, "{share}");
    }

    #[test]
    fn a_regime_knows_nothing_of_later_days() {
        let (days, returns) = market();
        let whole = of_days(&days, |t| &returns[t]);
        for end in [300, 500, 501, 740] {
            let part = of_days(&days[..end], |t| &returns[t]);
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&part), bits(&whole[..end]));
        }
    }

    #[test]
    fn days_without_returns_keep_the_last_probability() {
        let (mut days, mut returns) = market();
        days.truncate(400);
        returns.truncate(400);
        returns[399] = [f64::NAN; 5];
        let turbulent = of_days(&days, |t| &returns[t]);
        assert_eq!(turbulent[399].to_bits(), turbulent[398].to_bits());
    }
}
