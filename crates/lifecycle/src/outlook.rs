//! What is said of a symbol besides its return: whether it will rise, how much it will move, and
//! which of two barriers its price will touch first.

use bist_models::{
    BarrierOutcome, FitError, FittedForecaster, FittedGbdt, Gbdt, GbdtParams, Known, Objective,
    Panel,
};
use serde::{Deserialize, Serialize};

use crate::rank_ic::mean;

/// Fewest labelled rows to learn from; with fewer nothing is said.
const ROWS_COUNT_MIN: usize = 200;

/// Shares of the three outcomes of [`BarrierOutcome`]; together one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BarrierShares {
    /// The upper barrier first.
    pub upper: f64,
    /// The lower barrier first.
    pub lower: f64,
    /// Neither.
    pub vertical: f64,
}

impl BarrierShares {
    /// The shares, given those of the two barriers, which are cut down in proportion when together
    /// they exceed one.
    fn of(upper: f64, lower: f64) -> Self {
        let excess = (upper + lower).max(1.0);
        let (upper, lower) = (upper / excess, lower / excess);
        Self { upper, lower, vertical: (1.0 - upper - lower).max(0.0) }
    }

    /// The share of `outcome`.
    pub fn share(&self, outcome: BarrierOutcome) -> f64 {
        match outcome {
            BarrierOutcome::Upper => self.upper,
            BarrierOutcome::Lower => self.lower,
            BarrierOutcome::Vertical => self.vertical,
        }
    }
}

/// What is said of one row; what could not be learned is absent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Probability that the price is higher at the end of the horizon, as the trees give it: not
    /// yet calibrated.
    pub up_share: f64,
    /// Standard deviation of daily log-returns over the horizon.
    pub volatility: Option<f64>,
    /// Probabilities of the barriers.
    pub barriers: Option<BarrierShares>,
}

impl Outlook {
    /// What the models' answers say of a row whose volatility over the last 20 sessions is
    /// `volatility`.
    fn of(
        up_share: f64,
        log_volatility_ratio: Option<f64>,
        barriers: Option<(f64, f64)>,
        volatility: f64,
    ) -> Self {
        Self {
            up_share,
            volatility: log_volatility_ratio.map(|ratio| volatility * ratio.exp()),
            barriers: barriers.map(|(upper, lower)| BarrierShares::of(upper, lower)),
        }
    }
}

/// Models of the outlook that have learned from the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedOutlook {
    /// Forecasts the probability of a rise.
    direction: FittedGbdt,
    /// Forecasts the logarithm of the volatility to come over that of the last 20 sessions.
    log_volatility_ratio: Option<FittedGbdt>,
    /// Forecast the probabilities of the upper and the lower barrier.
    barriers: Option<(FittedGbdt, FittedGbdt)>,
    /// What was so on average among the rows learned from: the same said of every row.
    average: Outlook,
}

impl FittedOutlook {
    /// Learns from `rows` of `panel`.
    ///
    /// # Errors
    ///
    /// [`FitError`] when a hyperparameter is outside its range, or too few prices moved at all.
    pub(crate) fn fit(
        panel: &Panel,
        rows: &[usize],
        params: GbdtParams,
        seed: u64,
    ) -> Result<Self, FitError> {
        let lesson = Lesson { panel, params, seed };
        let targets = &panel.targets;
        let rose = lesson.labels(rows, |row| targets.rose(row).map(f64::from));
        let log_ratio = lesson.labels(rows, |row| {
            let log_ratio = (targets.realised_volatility[row] / targets.volatility[row]).ln();
            Some(log_ratio).filter(|ratio| ratio.is_finite())
        });
        let touched = |wanted: BarrierOutcome| {
            lesson.labels(rows, |row| targets.barrier[row].map(|first| f64::from(first == wanted)))
        };
        let (upper, lower) = (touched(BarrierOutcome::Upper), touched(BarrierOutcome::Lower));
        let too_few =
            FitError::TooFewRows { rows_count: rose.rows.len(), rows_count_min: ROWS_COUNT_MIN };
        let direction = lesson.fit(&rose, Objective::Binary)?;
        let (Some(direction), Some(up_share)) = (direction, rose.mean()) else {
            return Err(too_few);
        };
        let average = Outlook {
            up_share,
            volatility: log_ratio.mean().map(f64::exp),
            barriers: upper.mean().zip(lower.mean()).map(|(u, l)| BarrierShares::of(u, l)),
        };
        let upper = lesson.fit(&upper, Objective::Binary)?;
        let lower = lesson.fit(&lower, Objective::Binary)?;
        Ok(Self {
            direction,
            log_volatility_ratio: lesson.fit(&log_ratio, Objective::Regression)?,
            barriers: upper.zip(lower),
            average,
        })
    }

    /// What is said of `rows`, whose volatility over the last 20 sessions is `volatility`.
    ///
    /// # Panics
    ///
    /// When the columns of `known` are not those it was fitted on, or there is no such row.
    pub(crate) fn predict(
        &self,
        known: &Known,
        rows: &[usize],
        volatility: &[f64],
    ) -> Vec<Outlook> {
        let of = |model: Option<&FittedGbdt>| model.map(|model| model.predict(known, rows));
        let up = self.direction.predict(known, rows);
        let log_ratio = of(self.log_volatility_ratio.as_ref());
        let upper = of(self.barriers.as_ref().map(|(upper, _)| upper));
        let lower = of(self.barriers.as_ref().map(|(_, lower)| lower));
        let at = |values: &Option<Vec<f64>>, i: usize| values.as_ref().map(|values| values[i]);
        let said = rows.iter().enumerate().map(|(i, &row)| {
            let barriers = at(&upper, i).zip(at(&lower, i));
            Outlook::of(up[i], at(&log_ratio, i), barriers, volatility[row])
        });
        said.collect()
    }

    /// What is said of one row of feature values in the order of the columns.
    ///
    /// # Panics
    ///
    /// When there are not as many values as columns.
    pub(crate) fn predict_row(&self, features: &[f64], volatility: f64) -> Outlook {
        let of = |model: &FittedGbdt| model.predict_row(features);
        let log_ratio = self.log_volatility_ratio.as_ref().map(of);
        let barriers = self.barriers.as_ref().map(|(upper, lower)| (of(upper), of(lower)));
        Outlook::of(of(&self.direction), log_ratio, barriers, volatility)
    }

    /// What was so on average among the rows learned from, said of a row whose volatility over the
    /// last 20 sessions is `volatility`: what the outlook is compared with.
    pub(crate) fn average(&self, volatility: f64) -> Outlook {
        let ratio = self.average.volatility;
        Outlook { volatility: ratio.map(|ratio| volatility * ratio), ..self.average }
    }
}

/// Rows with known labels.
struct Labels {
    rows: Vec<usize>,
    /// For each row of the panel; read at `rows` only.
    y: Vec<f64>,
}

impl Labels {
    /// The mean label; absent when there are too few to learn from.
    fn mean(&self) -> Option<f64> {
        let labels: Vec<f64> = self.rows.iter().map(|&row| self.y[row]).collect();
        (labels.len() >= ROWS_COUNT_MIN).then(|| mean(&labels))
    }
}

struct Lesson<'a> {
    panel: &'a Panel,
    params: GbdtParams,
    seed: u64,
}

impl Lesson<'_> {
    fn labels(&self, rows: &[usize], label: impl Fn(usize) -> Option<f64>) -> Labels {
        let mut y = vec![f64::NAN; self.panel.known.keys.len()];
        let mut labelled = Vec::with_capacity(rows.len());
        for &row in rows {
            if let Some(label) = label(row) {
                y[row] = label;
                labelled.push(row);
            }
        }
        Labels { rows: labelled, y }
    }

    fn fit(&self, labels: &Labels, objective: Objective) -> Result<Option<FittedGbdt>, FitError> {
        if labels.rows.len() < ROWS_COUNT_MIN {
            return Ok(None);
        }
        let params = GbdtParams { objective, ..for_rows_count(self.params, labels.rows.len()) };
        let trees = Gbdt { params, seed: self.seed };
        trees.fit_trees(&self.panel.known.features, &labels.y, &labels.rows, &[]).map(Some)
    }
}

/// The hyperparameters for this many rows: a leaf may have a sixteenth of them.
pub(crate) fn for_rows_count(params: GbdtParams, rows_count: usize) -> GbdtParams {
    let most = u32::try_from(rows_count / 16).unwrap_or(u32::MAX).max(1);
    GbdtParams { min_data_in_leaf: params.min_data_in_leaf.min(most), ..params }
}
