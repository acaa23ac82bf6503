//! The members of the ensemble: boosted trees, an elastic net, a recurrent network and Prophet.

use std::collections::BTreeMap;
use std::ops::Range;

use bist_models::{
    ElasticNet, FitError, FittedElasticNet, FittedForecaster, FittedGbdt, FittedLstm,
    FittedProphet, Gbdt, GbdtParams, Horizon, Known, Lstm, LstmParams, Prophet, ProphetParams,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::LearningTarget;
use crate::rank_ic::mean;

/// Hyperparameters of the members; one that is absent takes no part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberParams {
    /// Of the trees. `num_iterations` is the most that a fold may grow; `min_data_in_leaf` is
    /// lowered to a sixteenth of the rows where there are few.
    pub gbdt: GbdtParams,
    /// Of the elastic net.
    pub elastic_net: Option<ElasticNet>,
    /// Of the recurrent network.
    pub lstm: Option<LstmParams>,
    /// Of Prophet.
    pub prophet: Option<ProphetParams>,
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
    /// Fits all members; `y` is what is learned, for each row of `known`. The trees grow to
    /// `num_iterations` without stopping early.
    ///
    /// # Errors
    ///
    /// The kind of the member that could not be fitted, and why.
    pub(crate) fn fit(
        &self,
        known: &Known,
        y: &[f64],
        rows: MemberRows<'_>,
        horizon: Horizon,
        target: LearningTarget,
        seed: u64,
    ) -> Result<FittedMembers, (&'static str, FitError)> {
        let failed = |kind| move |source| (kind, source);
        let gbdt = Gbdt { params: self.gbdt, seed };
        let gbdt = gbdt.fit_trees(&known.features, y, rows.all, &[]).map_err(failed(Gbdt::KIND))?;
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
        forecasts.extend(self.prophet.as_ref().map(|prophet| match self.target {
            LearningTarget::Absolute => prophet.predict(known, rows),
            LearningTarget::RelativeToDay => relative_to_day(prophet, known, rows),
        }));
        forecasts
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
