//! How much each member counts, in calm markets and in turbulent ones.

use bist_models::{Known, StackingError, StackingWeights};
use serde::{Deserialize, Serialize};

/// The feature that tells the regime: the filtered probability that the market is turbulent.
const FEATURE: &str = "regime_turbulent";

/// The probability that the market is turbulent at each of `rows`, 0..=1; zero where it is not
/// known, that is in the first years of a market, and where there is no such feature.
pub(crate) fn turbulence(known: &Known, rows: &[usize]) -> Vec<f64> {
    let column = known.features.column_index(FEATURE);
    let of_row = |&row: &usize| column.map(|column| known.features.value(row, column));
    rows.iter().map(|row| or_calm(of_row(row))).collect()
}

/// The same of one row of feature values, whose columns have `names`.
pub(crate) fn turbulence_of_row(names: &[String], features: &[f64]) -> f64 {
    let column = names.iter().position(|name| name == FEATURE);
    or_calm(column.map(|column| features[column]))
}

fn or_calm(probability: Option<f64>) -> f64 {
    probability.filter(|probability| !probability.is_nan()).unwrap_or(0.0)
}

/// Forecasts of the members for one row, with what came.
#[derive(Clone, Debug)]
pub(crate) struct Stacked {
    /// One forecast of each member.
    pub(crate) forecasts: Vec<f64>,
    /// What came, in the same unit.
    pub(crate) outcome: f64,
    /// The probability that the market was turbulent.
    pub(crate) turbulence: f64,
}

/// The members' weights in either regime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeWeights {
    /// In a calm market.
    pub calm: StackingWeights,
    /// In a turbulent market.
    pub turbulent: StackingWeights,
}

impl RegimeWeights {
    /// The weights that `rows` teach: first those of all rows, drawn towards equal ones, then those
    /// of each regime, drawn towards those of all, each by `prior_share` as in
    /// [`StackingWeights::fit`]. A row belongs to the regime that is the more probable.
    ///
    /// # Errors
    ///
    /// [`StackingError`] when there are too many members or a number is not finite.
    pub(crate) fn fit(
        rows: &[Stacked],
        members_count: usize,
        prior_share: f64,
    ) -> Result<Self, StackingError> {
        let equal = StackingWeights::equal(members_count)?;
        let fit = |prior: &StackingWeights, wanted: &dyn Fn(&Stacked) -> bool| {
            let rows: Vec<&Stacked> = rows.iter().filter(|row| wanted(row)).collect();
            let of_member = |member: usize| rows.iter().map(|row| row.forecasts[member]).collect();
            let forecasts: Vec<Vec<f64>> = (0..members_count).map(of_member).collect();
            let outcomes: Vec<f64> = rows.iter().map(|row| row.outcome).collect();
            StackingWeights::fit(&forecasts, &outcomes, prior, prior_share)
        };
        let overall = fit(&equal, &|_| true)?;
        Ok(Self {
            calm: fit(&overall, &|row| row.turbulence < 0.5)?,
            turbulent: fit(&overall, &|row| row.turbulence >= 0.5)?,
        })
    }

    /// The weights when the market is turbulent with this probability: the mixture of both.
    pub(crate) fn at(&self, turbulence: f64) -> Vec<f64> {
        let pairs = self.calm.as_slice().iter().zip(self.turbulent.as_slice());
        pairs.map(|(calm, turbulent)| calm + turbulence * (turbulent - calm)).collect()
    }
}

/// The forecast of the ensemble, given a weight and a forecast of each member.
pub(crate) fn combine(weights: &[f64], forecasts: &[f64]) -> f64 {
    weights.iter().zip(forecasts).map(|(weight, value)| weight * value).sum()
}
