//! The members of the ensemble: boosted trees, an elastic net, a recurrent network and Prophet.

mod given_trees;

use std::collections::BTreeMap;
use std::ops::Range;

use bist_models::{
    ElasticNet, FitError, FittedElasticNet, FittedForecaster, FittedGbdt, FittedLstm,
    FittedProphet, Gbdt, GbdtParams, Horizon, Known, Lstm, LstmParams, Objective, Prophet,
    ProphetParams,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::LearningTarget;
use crate::rank_ic::mean;

pub use given_trees::{GivenTrees, GivenTreesError};

/// Hyperparameters of the members; one that is absent takes no part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberParams {
    /// Of the trees. `num_iterations` is the most that a fold may grow; `min_data_in_leaf` is
    /// lowered to a sixteenth of the rows where there are few. Scores of a ranking are brought to the
    /// units of the target by the line through the origin that fits the rows learned from best.
    pub gbdt: GbdtParams,
    /// Trees that learned elsewhere, in the place of ours; then `gbdt` is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenTrees>,
    /// Of the elastic net.
    pub elastic_net: Option<ElasticNet>,
    /// Of the recurrent network.
    pub lstm: Option<LstmParams>,
    /// Of Prophet.
    pub prophet: Option<ProphetParams>,
}

/// A member of the ensemble that learns at one go; the network learns epoch by epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Trees,
    ElasticNet,
    Prophet,
}

/// What the members learn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learned<'a> {
    /// What was known at each row.
    pub(crate) known: &'a Known,
    /// What is learned, for each row of `known`.
    pub(crate) y: &'a [f64],
    /// How far ahead that is.
    pub(crate) horizon: Horizon,
    /// What it is of.
    pub(crate) target: LearningTarget,
}

/// The rows that the members learn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberRows<'a> {
    /// Rows whose labels were known before the first of `validation`.
    pub(crate) train: &'a [usize],
    /// Later rows, which tell the network when to stop.
    pub(crate) validation: &'a [usize],
    /// Both, sorted: what the others learn from.
    pub(crate) all: &'a [usize],
}

/// The members that have learned from the same rows, in the order of their weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedMembers {
    /// The trees.
    pub gbdt: FittedGbdt,
    /// The elastic net.
    pub elastic_net: Option<FittedElasticNet>,
    /// The recurrent network.
    pub lstm: Option<FittedLstm>,
    /// Prophet.
    pub prophet: Option<FittedProphet>,
    /// What their forecasts are of.
    pub target: LearningTarget,
}

impl MemberParams {
    /// Fits all members. The trees grow to `num_iterations` without stopping early.
    ///
    /// # Errors
    ///
    /// The kind of the member that could not be fitted, and why.
    pub(crate) fn fit(
        &self,
        learned: Learned<'_>,
        rows: MemberRows<'_>,
        seed: u64,
    ) -> Result<FittedMembers, (&'static str, FitError)> {
        let Learned { known, y, horizon, target } = learned;
        let failed = |kind| move |source| (kind, source);
        let gbdt = self.fit_trees(learned, rows.all, seed).map_err(failed(Gbdt::KIND))?;
        let elastic_net =
            self.elastic_net.map(|params| params.fit_coefficients(&known.features, y, rows.all));
        let lstm = self
            .lstm
            .map(|params| Lstm { params, seed }.fit_network(known, y, rows.train, rows.validation));
        let prophet = self
            .prophet
            .clone()
            .map(|params| Prophet { horizon, params }.fit_closes(known, y, rows.all));
        Ok(FittedMembers {
            gbdt,
            elastic_net: elastic_net.transpose().map_err(failed(ElasticNet::KIND))?,
            lstm: lstm.transpose().map_err(failed(Lstm::KIND))?,
            prophet: prophet.transpose().map_err(failed(Prophet::KIND))?,
            target,
        })
    }

    /// What `member` alone, having learned from `rows`, forecasts for `test_rows`; nothing when it
    /// takes no part.
    ///
    /// # Errors
    ///
    /// As [`Self::fit`].
    pub(crate) fn forecast_alone(
        &self,
        member: Member,
        learned: Learned<'_>,
        rows: MemberRows<'_>,
        test_rows: &[usize],
        seed: u64,
    ) -> Result<Option<Vec<f64>>, (&'static str, FitError)> {
        let Learned { known, y, horizon, target } = learned;
        let failed = |kind| move |source| (kind, source);
        Ok(match member {
            Member::Trees => {
                let fitted = self.fit_trees(learned, rows.all, seed);
                Some(fitted.map_err(failed(Gbdt::KIND))?.predict(known, test_rows))
            }
            Member::ElasticNet => match self.elastic_net {
                Some(params) => {
                    let fitted = params.fit_coefficients(&known.features, y, rows.all);
                    Some(fitted.map_err(failed(ElasticNet::KIND))?.predict(known, test_rows))
                }
                None => None,
            },
            Member::Prophet => match self.prophet.clone() {
                Some(params) => {
                    let fitted = Prophet { horizon, params }.fit_closes(known, y, rows.all);
                    let fitted = fitted.map_err(failed(Prophet::KIND))?;
                    Some(of_prophet(&fitted, target, known, test_rows))
                }
                None => None,
            },
        })
    }

    /// The trees alone, or those that were given.
    fn fit_trees(
        &self,
        learned: Learned<'_>,
        rows: &[usize],
        seed: u64,
    ) -> Result<FittedGbdt, FitError> {
        let Learned { known, y, .. } = learned;
        if let Some(given) = &self.given {
            let trees = given.trees(known.features.names());
            return Ok(trees.expect("a lesson has the trees that were given").clone());
        }
        let trees = Gbdt { params: self.gbdt, seed };
        let fitted = trees.fit_known(known, &BTreeMap::new(), y, rows, &[])?;
        Ok(match self.gbdt.objective {
            Objective::Lambdarank => {
                let factor = slope_through_origin(&fitted.predict(known, rows), y, rows);
                fitted.scaled(factor)
            }
            Objective::Regression
            | Objective::Huber { .. }
            | Objective::Quantile { .. }
            | Objective::Binary => fitted,
        })
    }

    /// The kinds of the members, in the order of their weights.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let elastic_net = self.elastic_net.map(|_| ElasticNet::KIND);
        let lstm = self.lstm.map(|_| Lstm::KIND);
        let prophet = self.prophet.as_ref().map(|_| Prophet::KIND);
        [Some(Gbdt::KIND), elastic_net, lstm, prophet].into_iter().flatten().collect()
    }
}

impl FittedMembers {
    /// Forecasts of each member for `rows`: `[member][row]`, of what was learned.
    ///
    /// Prophet knows nothing of other symbols; where symbols are compared, its forecasts are taken
    /// relative to their mean over all rows of the day.
    ///
    /// # Panics
    ///
    /// When the columns of `known` are not those they were fitted on, or there is no such row.
    pub fn predict(&self, known: &Known, rows: &[usize]) -> Vec<Vec<f64>> {
        let mut forecasts = vec![self.gbdt.predict(known, rows)];
        forecasts.extend(self.elastic_net.as_ref().map(|linear| linear.predict(known, rows)));
        forecasts.extend(self.lstm.as_ref().map(|lstm| lstm.predict(known, rows)));
        let prophet = self.prophet.as_ref();
        forecasts.extend(prophet.map(|prophet| of_prophet(prophet, self.target, known, rows)));
        forecasts
    }
}

/// By how much to multiply `scores` so that they come closest to the `targets` of `rows`; zero where
/// they tell the opposite, or nothing.
fn slope_through_origin(scores: &[f64], targets: &[f64], rows: &[usize]) -> f64 {
    let (mut products, mut squares) = (0.0, 0.0);
    for (score, &row) in scores.iter().zip(rows) {
        products += score * targets[row];
        squares += score * score;
    }
    if squares > 0.0 { (products / squares).max(0.0) } else { 0.0 }
}

/// The forecasts of `prophet`, relative to the day where that is what the others learned.
fn of_prophet(
    prophet: &FittedProphet,
    target: LearningTarget,
    known: &Known,
    rows: &[usize],
) -> Vec<f64> {
    match target {
        LearningTarget::Absolute => prophet.predict(known, rows),
        LearningTarget::RelativeToDay => relative_to_day(prophet, known, rows),
    }
}

/// The forecasts of `model` less their mean over the rows of the day.
fn relative_to_day(model: &FittedProphet, known: &Known, rows: &[usize]) -> Vec<f64> {
    let of_day = |day: Date| -> Range<usize> {
        let begin = known.keys.partition_point(|key| key.day < day);
        let end = known.keys.partition_point(|key| key.day <= day);
        begin..end
    };
    let mut days: BTreeMap<Date, (usize, Vec<f64>, f64)> = BTreeMap::new();
    rows.iter()
        .map(|&row| {
            let day = known.keys[row].day;
            let (begin, forecasts, common) = days.entry(day).or_insert_with(|| {
                let of_day = of_day(day);
                let begin = of_day.start;
                let forecasts = model.predict(known, &of_day.collect::<Vec<_>>());
                let common = mean(&forecasts);
                (begin, forecasts, common)
            });
            forecasts[row - *begin] - *common
        })
        .collect()
}
