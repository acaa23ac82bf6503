//! One series: its smoothing, its likelihood, and the model that suits it.

use serde::{Deserialize, Serialize};

use super::nelder_mead;

/// Bounds of `alpha`, `beta / alpha` and `phi`.
const BOUNDS: [(f64, f64); 3] = [(1e-4, 1.0 - 1e-4), (1e-4, 1.0 - 1e-4), (0.8, 0.98)];
/// Where searches start: `alpha`, `beta / alpha` and `phi`. The likelihood often has two tops, one
/// of a trend that hardly moves and one of a trend that does, so there is a search for each second
/// number.
const STARTS: [&[f64]; 3] = [&[0.05, 0.3, 0.8, 0.98], &[0.001, 0.015, 0.08, 0.4], &[0.85, 0.95]];
/// Length of the simplex's edges in a search and in the last one, on the logistic scale.
const EDGES: (f64, f64) = (0.7, 0.2);
/// A search ends when its points differ by less than this, in units of log-likelihood; the second is
/// for the last, which begins where the best one ended.
const TOLERANCES: (f64, f64) = (1e-3, 1e-8);
/// Most points of a search; some forty are usual.
const EVALUATIONS_MAX: usize = 300;
/// Least variance of the errors. The rounding of a series that a model meets exactly would otherwise
/// choose between models.
const VARIANCE_MIN: f64 = 1e-24;

/// What the level grows by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trend {
    /// ETS(A,N,N): nothing.
    None,
    /// ETS(A,A,N): the trend.
    Linear,
    /// ETS(A,Ad,N): ever less of the trend.
    Damped,
}

/// `y = l + phi b + e`; `l' = l + phi b + alpha e`; `b' = phi b + beta e`. Without a trend `beta` and
/// `phi` are zero; `phi` of a linear one is one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Smoothing {
    alpha: f64,
    beta: f64,
    phi: f64,
}

/// Level and trend after a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    level: f64,
    trend: f64,
}

/// The model of one series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FittedSeries {
    trend: Trend,
    smoothing: Smoothing,
    first_state: State,
    log_likelihood: f64,
    aicc: f64,
}

impl Trend {
    /// How many numbers are learned: of the smoothing, the first state, and the variance.
    const fn parameters_count(self) -> u32 {
        match self {
            Self::None => 3,
            Self::Linear => 5,
            Self::Damped => 6,
        }
    }
}

impl State {
    /// Whether what is left of a state of ones is below the rounding of sums over it.
    fn is_negligible(self) -> bool {
        self.level.abs() < 1e-20 && self.trend.abs() < 1e-20
    }
}

impl Smoothing {
    fn step(self, state: State, y: f64) -> State {
        let expected = state.level + self.phi * state.trend;
        let error = y - expected;
        State {
            level: expected + self.alpha * error,
            trend: self.phi * state.trend + self.beta * error,
        }
    }

    /// The first state with the least sum of squared errors, and that sum.
    ///
    /// Errors are linear in the first state: those of a start at zero, less those that the level and
    /// the trend of the start make of a series of zeros. The best start is least squares.
    fn best_start(self, values: &[f64], trend: Trend) -> (State, f64) {
        let mut own = State { level: 0.0, trend: 0.0 };
        let mut of_level = State { level: 1.0, trend: 0.0 };
        let mut of_trend = State { level: 0.0, trend: 1.0 };
        let (mut ee, mut el, mut eb, mut ll, mut lb, mut bb) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let mut values = values.iter();
        for y in values.by_ref() {
            let e = y - (own.level + self.phi * own.trend);
            let l = of_level.level + self.phi * of_level.trend;
            let b = of_trend.level + self.phi * of_trend.trend;
            ee += e * e;
            el += e * l;
            eb += e * b;
            ll += l * l;
            lb += l * b;
            bb += b * b;
            own = self.step(own, *y);
            of_level = self.step(of_level, 0.0);
            of_trend = self.step(of_trend, 0.0);
            if of_level.is_negligible() && of_trend.is_negligible() {
                break;
            }
        }
        for y in values {
            let e = y - (own.level + self.phi * own.trend);
            ee += e * e;
            own = self.step(own, *y);
        }
        if trend == Trend::None {
            let level = el / ll;
            return (State { level, trend: 0.0 }, ee - level * el);
        }
        let determinant = ll * bb - lb * lb;
        let level = (el * bb - eb * lb) / determinant;
        let trend = (eb * ll - el * lb) / determinant;
        (State { level, trend }, ee - level * el - trend * eb)
    }
}

impl FittedSeries {
    /// The model with the least `AICc`, the simpler one at a tie.
    ///
    /// `values` are equally spaced, and at least eight.
    pub(super) fn best_of(values: &[f64]) -> Self {
        let [mut best, linear, damped] =
            [Trend::None, Trend::Linear, Trend::Damped].map(|trend| Self::fit(values, trend));
        for other in [linear, damped] {
            if other.aicc < best.aicc {
                best = other;
            }
        }
        best
    }

    /// The parameters and first state of the highest likelihood.
    fn fit(values: &[f64], trend: Trend) -> Self {
        // Sums of squares about the first value keep more digits.
        let origin = values[0];
        let centred: Vec<f64> = values.iter().map(|value| value - origin).collect();
        let smoothing =
            match trend {
                Trend::None => searched(&centred, trend, |[alpha]: [f64; 1]| Smoothing {
                    alpha,
                    beta: 0.0,
                    phi: 0.0,
                }),
                Trend::Linear => searched(&centred, trend, |[alpha, share]: [f64; 2]| Smoothing {
                    alpha,
                    beta: alpha * share,
                    phi: 1.0,
                }),
                Trend::Damped => searched(&centred, trend, |[alpha, share, phi]: [f64; 3]| {
                    Smoothing { alpha, beta: alpha * share, phi }
                }),
            };
        let (start, squares_sum) = smoothing.best_start(&centred, trend);
        let first_state = State { level: start.level + origin, ..start };
        let log_likelihood = log_likelihood(values.len(), squares_sum);
        let aicc = aicc(log_likelihood, values.len(), trend);
        Self { trend, smoothing, first_state, log_likelihood, aicc }
    }

    pub(super) const fn first_state(&self) -> State {
        self.first_state
    }

    /// The state after a row with value `y`.
    pub(super) fn smoothed(&self, state: State, y: f64) -> State {
        self.smoothing.step(state, y)
    }

    /// The value expected `steps` rows after a state: level, and the trend as far as it goes.
    pub(super) fn extended(&self, state: State, steps: u8) -> f64 {
        let phi = self.smoothing.phi;
        let mut reach = 0.0;
        for _ in 0..steps {
            reach = phi * (1.0 + reach);
        }
        state.level + reach * state.trend
    }
}

/// The smoothing with the highest likelihood of all that `smoothing` makes of numbers within their
/// bounds.
fn searched<const N: usize>(
    values: &[f64],
    trend: Trend,
    smoothing: impl Fn([f64; N]) -> Smoothing,
) -> Smoothing {
    let at = |point: &[f64; N]| smoothing(std::array::from_fn(|i| within(BOUNDS[i], point[i])));
    let loss = |point: &[f64; N]| {
        let (_, squares_sum) = at(point).best_start(values, trend);
        -log_likelihood(values.len(), squares_sum)
    };
    let search = |start, edge, tolerance| {
        let point = nelder_mead::minimise(loss, start, edge, tolerance, EVALUATIONS_MAX);
        (point, loss(&point))
    };
    let tops = starts().into_iter().map(|starts| {
        let start = starts.into_iter().map(|start| (start, loss(&start))).reduce(lower);
        search(start.expect("there are starts").0, EDGES.0, TOLERANCES.0)
    });
    let (top, _) = tops.reduce(lower).expect("there are starts");
    at(&search(top, EDGES.1, TOLERANCES.1).0)
}

/// The one of two points with the lower loss, the first at a tie.
fn lower<const N: usize>(a: ([f64; N], f64), b: ([f64; N], f64)) -> ([f64; N], f64) {
    if b.1 < a.1 { b } else { a }
}

/// The points of [`STARTS`] on the logistic scale, those with one second number together.
fn starts<const N: usize>() -> Vec<Vec<[f64; N]>> {
    // Of a number that is not searched for any value will do.
    let values = |axis: usize| &STARTS[axis][..if axis < N { STARTS[axis].len() } else { 1 }];
    let point = |values: [f64; 3]| std::array::from_fn(|axis| logit(BOUNDS[axis], values[axis]));
    let with_beta = |beta: f64| {
        let with_alpha = |alpha: f64| values(2).iter().map(move |phi| point([alpha, beta, *phi]));
        values(0).iter().copied().flat_map(with_alpha).collect()
    };
    values(1).iter().copied().map(with_beta).collect()
}

/// The value between the bounds at `x` of the logistic scale.
fn within((low, high): (f64, f64), x: f64) -> f64 {
    low + (high - low) / (1.0 + (-x).exp())
}

/// Where on the logistic scale `value` is.
fn logit((low, high): (f64, f64), value: f64) -> f64 {
    ((value - low) / (high - value)).ln()
}

/// The logarithm of the likelihood of `n` normal errors with this sum of squares, at the variance
/// that makes it highest.
fn log_likelihood(n: usize, squares_sum: f64) -> f64 {
    let n = count(n);
    let variance = (squares_sum / n).max(VARIANCE_MIN);
    -n / 2.0 * ((std::f64::consts::TAU * variance).ln() + 1.0)
}

/// Akaike's information criterion, corrected for few rows.
fn aicc(log_likelihood: f64, n: usize, trend: Trend) -> f64 {
    let (n, k) = (count(n), f64::from(trend.parameters_count()));
    -2.0 * log_likelihood + 2.0 * k * n / (n - k - 1.0)
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    /// What `tests/golden/ets_statsmodels.py` made.
    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<GoldenCase>,
    }

    #[derive(Deserialize)]
    struct GoldenCase {
        name: String,
        values: Vec<f64>,
        fits: BTreeMap<String, GoldenFit>,
    }

    #[derive(Deserialize)]
    struct GoldenFit {
        alpha: f64,
        beta: f64,
        phi: f64,
        level: f64,
        trend: f64,
        log_likelihood: f64,
        aicc: f64,
        forecast: Vec<f64>,
    }

    const TRENDS: [(Trend, &str); 3] =
        [(Trend::None, "none"), (Trend::Linear, "linear"), (Trend::Damped, "damped")];

    fn golden() -> Vec<GoldenCase> {
        let text = include_str!("../../tests/golden/ets_statsmodels.json");
        serde_json::from_str::<Golden>(text).unwrap().cases
    }

    fn forecast(series: &FittedSeries, values: &[f64]) -> Vec<f64> {
        let first = series.first_state();
        let last = values.iter().fold(first, |state, y| series.smoothed(state, *y));
        (1..=5).map(|steps| series.extended(last, steps)).collect()
    }

    fn distance(ours: &[f64], theirs: &[f64]) -> f64 {
        assert_eq!(ours.len(), theirs.len());
        ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// With their parameters everything is the same up to rounding.
    #[test]
    fn smoothing_likelihood_and_forecasts_are_those_of_statsmodels() {
        for case in golden() {
            for (trend, name) in TRENDS {
                let theirs = &case.fits[name];
                let smoothing =
                    Smoothing { alpha: theirs.alpha, beta: theirs.beta, phi: theirs.phi };
                let first_state = State { level: theirs.level, trend: theirs.trend };
                let (mut state, mut squares_sum) = (first_state, 0.0);
                for y in &case.values {
                    squares_sum += (y - (state.level + theirs.phi * state.trend)).powi(2);
                    state = smoothing.step(state, *y);
                }
                let log_likelihood = log_likelihood(case.values.len(), squares_sum);
                let aicc = aicc(log_likelihood, case.values.len(), trend);
                let what = format!("{name} of {}", case.name);
                assert!((log_likelihood - theirs.log_likelihood).abs() < 1e-8, "{what}");
                assert!((aicc - theirs.aicc).abs() < 1e-8, "{what}");
                let series = FittedSeries { trend, smoothing, first_state, log_likelihood, aicc };
                let forecast = forecast(&series, &case.values);
                assert!(distance(&forecast, &theirs.forecast) < 1e-10, "{what}");
            }
        }
    }

    /// Both searches end at the same height, and so the forecasts are one, to a thousandth of the
    /// noise of 0.02: a likelihood that is 1e-6 below its maximum is `sqrt(2e-6)` standard errors
    /// of the parameters away.
    #[test]
    fn the_likelihood_is_as_high_as_that_of_statsmodels() {
        for case in golden() {
            for (trend, name) in TRENDS {
                let theirs = &case.fits[name];
                let ours = FittedSeries::fit(&case.values, trend);
                let gain = ours.log_likelihood - theirs.log_likelihood;
                assert!(gain.abs() < 1e-6, "{name} of {}: {gain}", case.name);
                let distance = distance(&forecast(&ours, &case.values), &theirs.forecast);
                assert!(distance < 2e-5, "{name} of {}: {distance}", case.name);
            }
        }
    }

    #[test]
    fn the_trend_is_the_one_that_made_the_series() {
        let chosen: Vec<Trend> =
            golden().iter().map(|case| FittedSeries::best_of(&case.values).trend).collect();
        // Of pure noise about a level of 250 rows the criterion cannot tell no trend from a tiny one.
        let expected = [Trend::None, Trend::None, Trend::Linear, Trend::Damped];
        assert_eq!(chosen[1..], expected);
    }

    #[test]
    fn no_first_state_near_the_best_has_smaller_errors() {
        let values = &golden()[3].values;
        let smoothing = Smoothing { alpha: 0.3, beta: 0.1, phi: 0.9 };
        let squares_sum = |first: State| {
            let (mut state, mut sum) = (first, 0.0);
            for y in values {
                sum += (y - (state.level + 0.9 * state.trend)).powi(2);
                state = smoothing.step(state, *y);
            }
            sum
        };
        let (best, least) = smoothing.best_start(values, Trend::Damped);
        assert!((squares_sum(best) - least).abs() < 1e-10);
        for (level, trend) in [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)] {
            let moved = State { level: best.level + level, trend: best.trend + trend };
            assert!(squares_sum(moved) > least);
        }
    }

    #[test]
    fn a_series_that_stands_still_or_rises_evenly_goes_on_so() {
        let still = FittedSeries::best_of(&[4.0; 40]);
        assert_eq!(still.trend, Trend::None);
        assert!(distance(&forecast(&still, &[4.0; 40]), &[4.0; 5]) < 1e-12);
        let rising: Vec<f64> = (0..60).map(|i| 2.0 + 0.01 * f64::from(i)).collect();
        let series = FittedSeries::best_of(&rising);
        assert_eq!(series.trend, Trend::Linear);
        let expected: Vec<f64> = (60..65).map(|i| 2.0 + 0.01 * f64::from(i)).collect();
        assert!(distance(&forecast(&series, &rising), &expected) < 1e-9);
    }
}
