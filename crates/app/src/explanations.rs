//! Why a forecast is what it is: kept with its signal, asked of any method, or changed and asked
//! again.

mod summary;
mod what_if;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bist_lifecycle::{
    ChangeError, FeatureShare, FittedModel, Horizon, MemberShare, ModelVersion, RowModel,
};
use bist_market::{Calendar, Origin, Symbol};
use bist_models::explain::words::{Language, Reason, Told, sentence};
use bist_models::explain::{
    ExplanationError, KernelShapParams, Lime, LimeParams, Neighbourhood, WeightSpread, kernel_shap,
};
use bist_models::{FeatureMatrix, Panel};
use bist_store::{SignalRecord, StoreError};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Serialize;

pub use bist_models::explain::words;
pub use summary::{InteractionReport, SummaryFeature, SummaryReport};
pub use what_if::{WhatIfReport, WhatIfSide};

use crate::progress::ProgressSink;
use crate::training::{Admitted, TrainingError, known_symbols};
use crate::{App, blocking};

/// Rows that stand for what is usual when a method compares with a background: the year before the
/// explained row, evenly chosen.
const BACKGROUND_ROWS_COUNT: usize = 50;

/// Rows of the year from which LIME learns how features spread.
const SPREAD_ROWS_COUNT: usize = 2_000;

/// Draws by which LIME's stability is judged.
const LIME_RUNS_COUNT: u32 = 5;

/// How far a forecast made anew may be from the one that was kept to be the same.
const SAME_FORECAST_GAP_MAX: f64 = 1e-9;

/// Moments of a year of sessions.
const YEAR_MOMENTS_COUNT: usize = 250;

/// How a forecast is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By the parts of each member, as kept with the signal: exact.
    Shap,
    /// By a linear model around the row.
    Lime,
    /// By Shapley values of the ensemble as a whole, beside rows of the last year.
    Kernel,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Shap, Self::Lime, Self::Kernel];

    /// The word of the command line and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shap => "shap",
            Self::Lime => "lime",
            Self::Kernel => "kernel",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no [`Method`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a method of explaining; give shap, lime or kernel")]
pub struct UnknownMethod(String);

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let found = Self::ALL.into_iter().find(|method| method.as_str() == text);
        found.ok_or_else(|| UnknownMethod(text.to_owned()))
    }
}

/// How far an explanation may be trusted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Quality {
    /// Of LIME.
    Lime {
        /// Share of the variance around the row that the linear model explains.
        r_squared: f64,
        /// Width of the weights by distance.
        kernel_width: f64,
        /// Rows drawn around it.
        samples_count: usize,
        /// What decided the draw; the runs have this seed and those after it.
        seed: u64,
        /// Mean share of features that two runs with other seeds have in common, 0..=1.
        stability: f64,
        /// How many runs.
        runs_count: u32,
        /// Standard deviation of each weight over the runs, by feature; of those that were in two
        /// runs or more.
        #[serde(skip)]
        deviations: BTreeMap<String, f64>,
        /// Share of the runs in which each feature was in the linear model, by feature.
        #[serde(skip)]
        selected_shares: BTreeMap<String, f64>,
    },
    /// Of `KernelSHAP`.
    Kernel {
        /// Sets of features that the model was asked about.
        samples_count: usize,
        /// Rows that unknown features were filled in from.
        background_count: usize,
        /// Whether all sets were asked about.
        is_exact: bool,
    },
}

/// Why one forecast is what it is. Log-returns over the horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForecastExplanation {
    /// Whose.
    pub symbol: Symbol,
    /// Whether the data behind it are real.
    pub origin: Origin,
    /// The model that made the forecast.
    pub model_version: String,
    /// The signal that was made of it.
    pub signal_id: String,
    /// When the forecast was made.
    pub made_at: Timestamp,
    /// The day of the last bar it knows.
    pub as_of: Date,
    /// The time at which that bar closed, where it is not that of a whole day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of_time: Option<Time>,
    /// How far ahead it looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// How it is explained.
    pub method: Method,
    /// The forecast for a row of which nothing is known; of LIME the line's value without features.
    pub base: f64,
    /// The forecast.
    pub forecast: f64,
    /// What the model adds to its members' forecasts; only where members are told apart.
    pub drift: Option<f64>,
    /// The members; none where they are not told apart.
    pub members: Vec<MemberShare>,
    /// What each feature adds, the largest first.
    pub features: Vec<FeatureShare>,
    /// How far it may be trusted; `None` where the parts are exact.
    pub quality: Option<Quality>,
}

impl ForecastExplanation {
    /// The forecast less the base and all parts: nothing for exact methods; what a line does not
    /// tell for LIME.
    pub fn residual(&self) -> f64 {
        let parts: f64 = self.features.iter().map(|feature| feature.contribution).sum();
        self.forecast - self.base - parts
    }

    /// The forecast with its strongest reasons in a sentence.
    pub fn sentence(&self, language: Language) -> String {
        told(self.symbol, self.horizon, self.base, self.forecast, &self.features, language)
    }

    fn of(signal: SignalRecord, method: Method) -> Self {
        let SignalRecord { id, origin, model_version, made_at, signal, .. } = signal;
        Self {
            symbol: signal.symbol,
            origin,
            model_version,
            signal_id: id,
            made_at,
            as_of: signal.as_of,
            as_of_time: signal.as_of_time,
            horizon: signal.horizon,
            method,
            base: 0.0,
            forecast: signal.contributions.total_share,
            drift: None,
            members: Vec::new(),
            features: Vec::new(),
            quality: None,
        }
    }

    fn sorted(mut self) -> Self {
        sort_by_size(&mut self.features);
        self
    }
}

fn sort_by_size(features: &mut [FeatureShare]) {
    features.sort_by(|a, b| {
        let by_size = b.contribution.abs().total_cmp(&a.contribution.abs());
        by_size.then_with(|| a.feature.cmp(&b.feature))
    });
}

fn told(
    symbol: Symbol,
    horizon: Horizon,
    base: f64,
    forecast: f64,
    features: &[FeatureShare],
    language: Language,
) -> String {
    let reasons: Vec<Reason<'_>> = features
        .iter()
        .map(|share| Reason {
            feature: &share.feature,
            value: share.value,
            contribution: share.contribution,
        })
        .collect();
    sentence(&Told { symbol: symbol.as_str(), horizon, forecast, base }, &reasons, language)
}

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No signal of this name.
    #[error("there is no signal '{0}'; `bist signals` makes and names them")]
    UnknownSignal(String),
    /// No signal of the symbol for the horizon.
    #[error("there is no forecast of {symbol} {} yet; `bist signals` makes them", horizon.in_words())]
    NoForecast {
        /// Which symbol.
        symbol: Symbol,
        /// How far ahead.
        horizon: Horizon,
    },
    /// No row of the last moments can be forecast.
    #[error("no row of that time can be forecast {}; `bist validate --all` tells what the bars lack", .0.in_words())]
    NothingToSum(Horizon),
    /// The signal was made before explanations were kept.
    #[error("no explanation was kept with the signal '{0}'; `bist signals` makes the latest anew")]
    NotKept(String),
    /// A kept signal is explained by its own parts alone.
    #[error(
        "the signal '{0}' rests on other bars than the newest; only the method shap, which was kept, \
         explains it"
    )]
    BarsMovedOn(String),
    /// A change that cannot be made.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The method gave nothing.
    #[error(transparent)]
    Method(#[from] ExplanationError),
    /// The model could not be asked.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Why the newest forecast of `symbol` for `horizon` is what it is; `seed` decides what LIME and
    /// `KernelSHAP` draw.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] when there is none, or it cannot be explained.
    pub async fn explain(
        &self,
        symbol: Symbol,
        horizon: Horizon,
        method: Method,
        seed: u64,
        progress: Arc<ProgressSink>,
    ) -> Result<ForecastExplanation, ExplainError> {
        let signal = self.signals(horizon, Some(symbol)).await?.into_iter().next();
        let signal = signal.ok_or(ExplainError::NoForecast { symbol, horizon })?;
        match method {
            Method::Shap => self.kept_explanation(signal).await,
            Method::Lime | Method::Kernel => {
                self.explain_anew(signal, method, seed, progress).await
            }
        }
    }

    /// Why the signal named `id` says what it says, as it was kept.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] when there is none.
    pub async fn signal_explanation(&self, id: &str) -> Result<ForecastExplanation, ExplainError> {
        let signal = self.store.signal(id).await?;
        let signal = signal.ok_or_else(|| ExplainError::UnknownSignal(id.to_owned()))?;
        self.kept_explanation(signal).await
    }

    async fn kept_explanation(
        &self,
        signal: SignalRecord,
    ) -> Result<ForecastExplanation, ExplainError> {
        let explanation = self.store.explanation(&signal.id).await?;
        let explanation = explanation.ok_or_else(|| ExplainError::NotKept(signal.id.clone()))?;
        let explained = ForecastExplanation {
            base: explanation.base,
            forecast: explanation.forecast,
            drift: Some(explanation.drift),
            members: explanation.members,
            features: explanation.features,
            ..ForecastExplanation::of(signal, Method::Shap)
        };
        Ok(explained.sorted())
    }

    async fn explain_anew(
        &self,
        signal: SignalRecord,
        method: Method,
        seed: u64,
        progress: Arc<ProgressSink>,
    ) -> Result<ForecastExplanation, ExplainError> {
        let asked =
            self.asked_about(signal.signal.symbol, signal.signal.horizon, &*progress).await?;
        blocking(move || asked.by_method(signal, method, seed)).await
    }

    async fn asked_about(
        &self,
        symbol: Symbol,
        horizon: Horizon,
        progress: &ProgressSink,
    ) -> Result<Asked, ExplainError> {
        let version = self.version_shown(horizon, symbol).await?;
        let fitted = self.fitted_model(&version).await?;
        let wanted = known_symbols(&version);
        let shape = (horizon, version.lineage.spec.features);
        let admitted = self.admit(Some(&wanted), &[shape], progress).await?;
        let rows = fitted.latest_rows(&admitted.panels[0], Calendar::bist());
        let row = rows.get(&symbol).copied();
        let row = row.ok_or(ExplainError::NoForecast { symbol, horizon })?;
        Ok(Asked { version, fitted, admitted, symbol, horizon, row })
    }
}

/// A model that is asked about the newest row of a symbol.
struct Asked {
    version: ModelVersion,
    fitted: FittedModel,
    admitted: Admitted,
    symbol: Symbol,
    horizon: Horizon,
    row: usize,
}

impl Asked {
    fn panel(&self) -> &Panel {
        &self.admitted.panels[0]
    }

    fn by_method(
        &self,
        signal: SignalRecord,
        method: Method,
        seed: u64,
    ) -> Result<ForecastExplanation, ExplainError> {
        let day = self.fitted.prophet_day(self.panel(), self.row);
        let model = RowModel::of(&self.fitted, self.panel(), self.row, day.as_ref());
        let features = self.panel().known.features.row(self.row);
        let gap = model.expected(&features) - signal.signal.contributions.total_share;
        if gap.abs() > SAME_FORECAST_GAP_MAX {
            return Err(ExplainError::BarsMovedOn(signal.id));
        }
        let predict = |x: &FeatureMatrix| model.expected_of(x);
        let share = |feature: String, value: f64, contribution: f64| FeatureShare {
            feature,
            value: Some(value).filter(|value| value.is_finite()),
            contribution,
            by_member: Vec::new(),
        };
        let blank = ForecastExplanation::of(signal, method);
        let names = model.feature_names();
        let explained = match method {
            Method::Shap | Method::Kernel => {
                let background = self.background(BACKGROUND_ROWS_COUNT);
                let params = KernelShapParams { seed, ..KernelShapParams::default() };
                let found = kernel_shap(predict, &features, &background, params)?;
                let values = names.iter().zip(&features).zip(&found.contributions.values);
                ForecastExplanation {
                    base: found.contributions.base,
                    features: values.map(|((name, x), v)| share(name.clone(), *x, *v)).collect(),
                    quality: Some(Quality::Kernel {
                        samples_count: found.sets_count,
                        background_count: background.rows_count(),
                        is_exact: found.is_exact,
                    }),
                    ..blank
                }
            }
            Method::Lime => {
                let spread = self.background(SPREAD_ROWS_COUNT);
                let lime = Lime::new(&spread, Neighbourhood::Quartiles)?;
                let params = LimeParams { seed, ..LimeParams::default() };
                let found = lime.explain(predict, &features, params)?;
                let stability = lime.stability(predict, &features, params, LIME_RUNS_COUNT)?;
                let name = |of: &WeightSpread| names[of.feature].clone();
                let spreads = || stability.features.iter();
                let deviations = spreads().filter_map(|of| Some((name(of), of.deviation?)));
                let selected_shares = spreads().map(|of| (name(of), of.selected_share));
                ForecastExplanation {
                    base: found.intercept,
                    features: found
                        .features
                        .iter()
                        .map(|of| share(names[of.feature].clone(), features[of.feature], of.weight))
                        .collect(),
                    quality: Some(Quality::Lime {
                        r_squared: found.r2,
                        kernel_width: found.kernel_width,
                        samples_count: found.samples_count,
                        stability: stability.overlap,
                        runs_count: LIME_RUNS_COUNT,
                        seed: found.seed,
                        deviations: deviations.collect(),
                        selected_shares: selected_shares.collect(),
                    }),
                    ..blank
                }
            }
        };
        Ok(explained.sorted())
    }

    /// Rows of the last year, up to that which is explained, evenly chosen.
    fn background(&self, rows_count_max: usize) -> FeatureMatrix {
        let rows = last_moments(self.panel(), YEAR_MOMENTS_COUNT);
        let rows: Vec<usize> = rows.into_iter().filter(|row| *row <= self.row).collect();
        let rows = evenly(&rows, rows_count_max);
        let features = &self.panel().known.features;
        let column = |j: usize| rows.iter().map(|&row| features.value(row, j)).collect();
        let columns = (0..features.columns_count()).map(column).collect();
        FeatureMatrix::from_columns(features.names().to_vec(), columns)
            .expect("rows of a matrix are a matrix")
    }
}

/// The rows of the last so many moments.
fn last_moments(panel: &Panel, count: usize) -> Vec<usize> {
    let keys = &panel.known.keys;
    let moments: BTreeSet<_> = keys.iter().map(bist_models::RowKey::moment).collect();
    let first = moments.iter().rev().nth(count - 1).or_else(|| moments.first()).copied();
    let begin = keys.partition_point(|key| first.is_some_and(|first| key.moment() < first));
    (begin..keys.len()).collect()
}

/// At most so many of `rows`, evenly chosen, the last among them.
fn evenly(rows: &[usize], count_max: usize) -> Vec<usize> {
    if rows.len() <= count_max {
        return rows.to_vec();
    }
    (1..=count_max).map(|number| rows[number * rows.len() / count_max - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_evenly_and_the_last_is_among_them() {
        let rows: Vec<usize> = (10..20).collect();
        assert_eq!(evenly(&rows, 20), rows);
        assert_eq!(evenly(&rows, 5), [11, 13, 15, 17, 19]);
        assert_eq!(evenly(&rows, 3), [12, 15, 19]);
    }

    #[test]
    fn methods_are_read_by_their_words() {
        for method in Method::ALL {
            assert_eq!(method.as_str().parse(), Ok(method));
        }
        let refused = "magic".parse::<Method>().unwrap_err();
        assert!(refused.to_string().contains("give shap, lime or kernel"));
    }
}
