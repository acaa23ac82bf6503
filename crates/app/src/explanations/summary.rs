//! What features did in many forecasts.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::{Explained, Horizon};
use bist_market::{Calendar, Origin};
use bist_models::explain::{InteractionStrength, interaction_strengths};
use jiff::civil::Date;
use serde::Serialize;

use super::{ExplainError, evenly, last_moments};
use crate::progress::ProgressSink;
use crate::training::{TrainingError, known_symbols};
use crate::{App, blocking};

/// Most forecasts of a summary; of more, so many are evenly chosen.
const SUMMARY_ROWS_COUNT_MAX: usize = 2_000;

/// Most forecasts whose interactions are told; of more, so many are evenly chosen.
const INTERACTION_ROWS_COUNT_MAX: usize = 200;

/// What features did in many forecasts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryReport {
    /// The model that was asked.
    pub model_version: String,
    /// Whether the data are real.
    pub origin: Origin,
    /// How far ahead it looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// Day of the first forecast.
    pub from: Date,
    /// Day of the last.
    pub to: Date,
    /// How many forecasts.
    pub rows_count: usize,
    /// The features, the largest mean size first.
    pub features: Vec<SummaryFeature>,
}

/// What one feature did in many forecasts. Log-returns over the horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryFeature {
    /// The feature, or the component of Prophet.
    pub feature: String,
    /// Mean size of what it adds.
    pub mean_abs: f64,
    /// Mean of what it adds.
    pub mean: f64,
    /// Its value in each forecast, where it is known, and what it adds; the same forecasts in the
    /// same order for every feature.
    pub points: Vec<(Option<f64>, f64)>,
}

/// How much pairs of features did together in many forecasts of the trees, the one member that
/// takes features together and tells exactly what a pair makes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InteractionReport {
    /// The model that was asked.
    pub model_version: String,
    /// Whether the data are real.
    pub origin: Origin,
    /// How far ahead it looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// Day of the first forecast.
    pub from: Date,
    /// Day of the last.
    pub to: Date,
    /// How many forecasts.
    pub rows_count: usize,
    /// The features that do most with others, the first of them the most.
    pub features: Vec<String>,
    /// For each two of these the mean size of what they make together, as a share of that of all
    /// pairs of the model; zero on the diagonal, and everywhere when no pair makes anything.
    pub shares: Vec<Vec<f64>>,
}

impl App {
    /// How much pairs of features did together in the trees' forecasts of the last `window` moments
    /// by the champion for `horizon`; of the `features_count` features that do most.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] when there is no champion, or it cannot be asked.
    pub async fn explanation_interactions(
        &self,
        horizon: Horizon,
        window: usize,
        features_count: usize,
        progress: Arc<ProgressSink>,
    ) -> Result<InteractionReport, ExplainError> {
        let champion = self.champion(horizon).await?;
        let fitted = self.fitted_model(&champion).await?;
        let wanted = known_symbols(&champion);
        let shape = (horizon, champion.lineage.spec.features);
        let admitted = self.admit(Some(&wanted), &[shape], &*progress).await?;
        blocking(move || {
            let known = &admitted.panels[0].known;
            let window = last_moments(&admitted.panels[0], window);
            let rows = evenly(&window, INTERACTION_ROWS_COUNT_MAX);
            let days = || rows.iter().map(|&row| known.keys[row].day);
            let (Some(from), Some(to)) = (days().min(), days().max()) else {
                return Err(ExplainError::NothingToSum(horizon));
            };
            let explained = fitted.members.gbdt.interactions(&known.features, &rows);
            let pairs = interaction_strengths(known.features.names(), &explained);
            let (features, shares) = strongest(&pairs, features_count);
            Ok(InteractionReport {
                model_version: champion.id,
                origin: admitted.origin,
                horizon,
                from,
                to,
                rows_count: rows.len(),
                features,
                shares,
            })
        })
        .await
    }

    /// What features did in the forecasts of the last `window` moments by the champion for
    /// `horizon`: days, or hours for horizons within a session.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] when there is no champion, or it cannot be asked.
    pub async fn explanation_summary(
        &self,
        horizon: Horizon,
        window: usize,
        progress: Arc<ProgressSink>,
    ) -> Result<SummaryReport, ExplainError> {
        let champion = self.champion(horizon).await?;
        let fitted = self.fitted_model(&champion).await?;
        let wanted = known_symbols(&champion);
        let shape = (horizon, champion.lineage.spec.features);
        let admitted = self.admit(Some(&wanted), &[shape], &*progress).await?;
        blocking(move || {
            let panel = &admitted.panels[0];
            let rows = evenly(&last_moments(panel, window), SUMMARY_ROWS_COUNT_MAX);
            let explained = fitted.explain_rows(panel, &rows, Calendar::bist());
            let explained = explained.map_err(TrainingError::from)?;
            let explained: Vec<Explained> = explained.into_iter().flatten().collect();
            summary(champion.id, admitted.origin, horizon, &explained)
                .ok_or(ExplainError::NothingToSum(horizon))
        })
        .await
    }
}

/// The features that do most with others, and the share of each two of them in what all pairs do.
fn strongest(pairs: &[InteractionStrength], count: usize) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    let mut total = 0.0;
    for InteractionStrength { first, second, mean_abs } in pairs {
        total += mean_abs;
        for feature in [first, second] {
            *sums.entry(feature).or_default() += mean_abs;
        }
    }
    let mut features: Vec<(&str, f64)> = sums.into_iter().collect();
    features.sort_by(|a, b| b.1.total_cmp(&a.1));
    features.truncate(count);
    let place = |name: &str| features.iter().position(|(feature, _)| *feature == name);
    let mut shares = vec![vec![0.0; features.len()]; features.len()];
    for pair in pairs.iter().filter(|pair| pair.mean_abs > 0.0) {
        if let (Some(i), Some(j)) = (place(&pair.first), place(&pair.second)) {
            shares[i][j] = pair.mean_abs / total;
            shares[j][i] = shares[i][j];
        }
    }
    (features.into_iter().map(|(feature, _)| feature.to_owned()).collect(), shares)
}

/// What the features did in these forecasts; `None` when there are none.
fn summary(
    model_version: String,
    origin: Origin,
    horizon: Horizon,
    explained: &[Explained],
) -> Option<SummaryReport> {
    let mut features: BTreeMap<String, Vec<(Option<f64>, f64)>> = BTreeMap::new();
    for Explained { explanation, .. } in explained {
        for share in &explanation.features {
            let points = features.entry(share.feature.clone()).or_default();
            points.push((share.value, share.contribution));
        }
    }
    let rows_count = explained.len();
    #[expect(clippy::cast_precision_loss, reason = "rows are few")]
    let mean = |points: &[(Option<f64>, f64)], of: fn(f64) -> f64| {
        points.iter().map(|(_, contribution)| of(*contribution)).sum::<f64>() / rows_count as f64
    };
    let mut features: Vec<SummaryFeature> = features
        .into_iter()
        .map(|(feature, points)| SummaryFeature {
            feature,
            mean_abs: mean(&points, f64::abs),
            mean: mean(&points, |contribution| contribution),
            points,
        })
        .collect();
    features.sort_by(|a, b| b.mean_abs.total_cmp(&a.mean_abs));
    let days = || explained.iter().map(|explained| explained.forecast.as_of);
    Some(SummaryReport {
        model_version,
        origin,
        horizon,
        from: days().min()?,
        to: days().max()?,
        rows_count,
        features,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_that_do_most_with_others_are_told_by_their_shares() {
        let pair = |first: &str, second: &str, mean_abs| {
            let (first, second) = (first.to_owned(), second.to_owned());
            InteractionStrength { first, second, mean_abs }
        };
        let pairs = [pair("a", "b", 1.0), pair("b", "c", 5.0), pair("a", "c", 2.0)];
        let (features, shares) = strongest(&pairs, 2);
        assert_eq!(features, ["c", "b"]);
        assert_eq!(shares, [[0.0, 0.625], [0.625, 0.0]]);
        assert_eq!(strongest(&[pair("a", "b", 0.0)], 9).1, [[0.0, 0.0], [0.0, 0.0]]);
    }
}
