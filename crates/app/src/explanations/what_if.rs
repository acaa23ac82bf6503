//! What a forecast would be if features were others.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::{Explained, FeatureChange, FeatureShare, Horizon, RowModel, change_features};
use bist_market::{Calendar, Symbol};
use jiff::civil::Date;
use serde::Serialize;

use super::{Asked, ExplainError, sort_by_size};
use crate::progress::ProgressSink;
use crate::training::TrainingError;
use crate::{App, blocking};

/// A forecast as it is and as it would be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIfReport {
    /// Whose.
    pub symbol: Symbol,
    /// The model that was asked.
    pub model_version: String,
    /// The day of the row that was changed.
    pub as_of: Date,
    /// How far ahead it looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// What was changed.
    pub changes: Vec<FeatureChange>,
    /// As it is.
    pub before: WhatIfSide,
    /// As it would be.
    pub after: WhatIfSide,
}

/// One of the two forecasts. Log-returns over the horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIfSide {
    /// The forecast for a row of which nothing is known.
    pub base: f64,
    /// The forecast.
    pub forecast: f64,
    /// Probability of a rise.
    pub probability_up: f64,
    /// What each feature adds, the largest first.
    pub features: Vec<FeatureShare>,
}

impl WhatIfSide {
    fn of(Explained { forecast, explanation }: Explained) -> Self {
        let mut features = explanation.features;
        sort_by_size(&mut features);
        Self {
            base: explanation.base,
            forecast: explanation.forecast,
            probability_up: forecast.probability_up,
            features,
        }
    }

    /// What `feature` adds; nothing when it is no part.
    pub fn contribution(&self, feature: &str) -> f64 {
        let found = self.features.iter().find(|share| share.feature == feature);
        found.map_or(0.0, |share| share.contribution)
    }
}

impl App {
    /// What the newest forecast of `symbol` for `horizon` would be if these features were others.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] when there is none, or a change cannot be made.
    pub async fn what_if(
        &self,
        symbol: Symbol,
        horizon: Horizon,
        changes: BTreeMap<String, f64>,
        progress: Arc<ProgressSink>,
    ) -> Result<WhatIfReport, ExplainError> {
        let asked = self.asked_about(symbol, horizon, &*progress).await?;
        blocking(move || asked.what_if(&changes)).await
    }
}

impl Asked {
    fn what_if(&self, changes: &BTreeMap<String, f64>) -> Result<WhatIfReport, ExplainError> {
        let day = self.fitted.prophet_day(self.panel(), self.row);
        let model = RowModel::of(&self.fitted, self.panel(), self.row, day.as_ref());
        let features = self.panel().known.features.row(self.row);
        let (changed, changes) = change_features(model.feature_names(), &features, changes)?;
        let side = |features: &[f64]| -> Result<WhatIfSide, ExplainError> {
            let explained = model.explain(features, Calendar::bist());
            let explained = explained.map_err(TrainingError::from)?;
            let nothing = ExplainError::NoForecast { symbol: self.symbol, horizon: self.horizon };
            explained.map(WhatIfSide::of).ok_or(nothing)
        };
        Ok(WhatIfReport {
            symbol: self.symbol,
            model_version: self.version.id.clone(),
            as_of: self.panel().known.keys[self.row].day,
            horizon: self.horizon,
            changes,
            before: side(&features)?,
            after: side(&changed)?,
        })
    }
}
