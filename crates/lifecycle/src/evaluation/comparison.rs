//! The model beside each of those it is compared with: who is better, and can it be told?

use bist_models::Horizon;
use bist_trading::Estimate;
use serde::{Deserialize, Serialize};

use super::errors::squared_errors;
use super::{Baseline, LEVEL, MemberWeights, OutOfFold, RankIcMethod};
use crate::diebold_mariano::DieboldMariano;
use crate::rank_ic::mean;

/// The model's squared errors beside those of another forecast, by the test of Diebold and Mariano
/// with the correction of Harvey, Leybourne and Newbold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The baseline or the member of the ensemble.
    pub against: String,
    /// Whether errors were measured relative to the mean of the day.
    pub relative_to_day: bool,
    /// Mean over days of the other's squared error less the model's, with the 95 % interval of the
    /// test: positive where the model is better. Absent when there are too few days or the forecasts
    /// never differ.
    pub loss_difference: Option<Estimate>,
    /// The statistic of the test, with the sign of the difference.
    pub statistic: Option<f64>,
    /// The two-sided p-value; comparisons are many, and no allowance is made for it.
    pub p_value: Option<f64>,
    /// Who is better.
    pub better: Better,
}

/// Who of two is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The model: the interval of the difference lies above zero.
    Model,
    /// The other: it lies below.
    Other,
    /// They cannot be told apart.
    NotToldApart,
}

/// Compares the model with every baseline and then with every member, on `records`, sorted by day; a
/// baseline that is a member too is one of the members.
pub(super) fn evaluate(
    records: &[OutOfFold],
    method: RankIcMethod,
    members: &[MemberWeights],
    horizon: Horizon,
) -> Vec<Comparison> {
    let is_member = |word: &str| members.iter().any(|member| member.kind == word);
    let baselines = with_baselines(records, method, horizon)
        .into_iter()
        .filter(|comparison| !is_member(&comparison.against));
    let members = members.iter().enumerate().map(|(member, weights)| {
        against(&weights.kind, records, method, horizon, &|record| record.members[member])
    });
    baselines.chain(members).collect()
}

/// Compares the model with every baseline, on `records`, sorted by day.
pub(crate) fn with_baselines(
    records: &[OutOfFold],
    method: RankIcMethod,
    horizon: Horizon,
) -> Vec<Comparison> {
    let against = |baseline: Baseline| {
        let forecast = |record: &OutOfFold| record.predicted.baselines[baseline];
        against(baseline.word(), records, method, horizon, &forecast)
    };
    Baseline::ALL.into_iter().map(against).collect()
}

/// Compares the model with another `forecast`.
fn against(
    name: &str,
    records: &[OutOfFold],
    method: RankIcMethod,
    horizon: Horizon,
    forecast: &dyn Fn(&OutOfFold) -> f64,
) -> Comparison {
    let of_model = squared_errors(records, method, |record| record.predicted.model);
    let of_other = squared_errors(records, method, forecast);
    let differences: Vec<f64> =
        of_other.iter().zip(&of_model).map(|(other, model)| other - model).collect();
    let mut rest = differences.as_slice();
    let daily: Vec<f64> = records
        .chunk_by(|a, b| a.day == b.day)
        .map(|day| {
            let (of_day, later) = rest.split_at(day.len());
            rest = later;
            mean(of_day)
        })
        .collect();
    Comparison::of(name, method, DieboldMariano::of(&daily, horizon.sessions()))
}

impl Comparison {
    fn of(against: &str, method: RankIcMethod, test: Option<DieboldMariano>) -> Self {
        let loss_difference = test.and_then(|test| test.estimate(LEVEL));
        Self {
            against: against.to_owned(),
            relative_to_day: method == RankIcMethod::CrossSectional,
            loss_difference,
            statistic: test.map(|test| test.statistic),
            p_value: test.map(|test| test.p_value),
            better: match loss_difference {
                Some(difference) if difference.low > 0.0 => Better::Model,
                Some(difference) if difference.high < 0.0 => Better::Other,
                _ => Better::NotToldApart,
            },
        }
    }
}
