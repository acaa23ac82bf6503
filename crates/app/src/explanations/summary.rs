//! What features did in many forecasts.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::{Explained, Horizon};
use bist_market::{Calendar, Origin};
use jiff::civil::Date;
use serde::Serialize;

use super::{ExplainError, evenly, last_moments};
use crate::progress::ProgressSink;
use crate::training::{TrainingError, known_symbols};
use crate::{App, blocking};

/// Most forecasts of a summary; of more, so many are evenly chosen.
const SUMMARY_ROWS_COUNT_MAX: usize = 2_000;

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

impl App {
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
        let fitted = self.fitted_model(&champion)?;
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
