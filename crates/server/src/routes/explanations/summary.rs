//! `/api/v1/explanations/summary`: what features did in many forecasts.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::explanations::words::feature_name;
use bist_app::explanations::{SummaryFeature, SummaryReport};
use bist_lifecycle::{HORIZON_DEFAULT, Horizon};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Text, problem};
use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader, horizon};
use crate::kept::Kept;
use crate::openapi::{NoSuchExplanation, Unchanged};
use crate::schema::{Day, OriginWord};

/// Moments of a summary unless the caller asks for another number.
const WINDOW_DEFAULT: usize = 60;

/// Most moments of a summary.
const WINDOW_MAX: usize = 250;

/// Features of a summary whose points are given.
const FEATURES_WITH_POINTS_COUNT: usize = 20;

/// Most points of each of them.
const POINTS_COUNT_MAX: usize = 500;

/// The route.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(summary))
}

/// What features did in many forecasts. Shares are log-returns over the horizon.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplanationSummary)]
struct SummaryResponse {
    /// The model that was asked.
    model_version: String,
    /// Whether the data are real.
    origin: OriginWord,
    /// How many sessions ahead it looks; one where the horizon lies within a session.
    horizon_sessions: u8,
    /// How far ahead it looks: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// Day of the first forecast.
    from: Day,
    /// Day of the last.
    to: Day,
    /// How many forecasts.
    rows_count: usize,
    /// The features, the largest mean size first.
    features: Vec<SummaryFeatureResponse>,
}

/// What one feature did in many forecasts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SummaryFeature)]
struct SummaryFeatureResponse {
    /// The feature, or the component of Prophet.
    feature: String,
    /// What it is called.
    name: Text,
    /// Mean size of what it adds.
    mean_abs_share: f64,
    /// Mean of what it adds.
    mean_share: f64,
    /// Some of the forecasts, evenly chosen: the same in the same order for each feature. Only of the
    /// first 20 features.
    points: Vec<PointResponse>,
}

/// A feature in one forecast.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SummaryPoint)]
struct PointResponse {
    /// Its value; null when it is not known, and for a component.
    #[schema(required)]
    value: Option<f64>,
    /// What it adds.
    contribution_share: f64,
}

impl From<SummaryReport> for SummaryResponse {
    fn from(report: SummaryReport) -> Self {
        let bars = report.horizon.interval();
        let step = report.rows_count.div_ceil(POINTS_COUNT_MAX).max(1);
        let feature = |(index, feature): (usize, SummaryFeature)| {
            let is_shown = index < FEATURES_WITH_POINTS_COUNT;
            let points = feature.points.into_iter().step_by(step).filter(|_| is_shown);
            SummaryFeatureResponse {
                name: Text::of(|language| feature_name(&feature.feature, bars, language)),
                feature: feature.feature,
                mean_abs_share: feature.mean_abs,
                mean_share: feature.mean,
                points: points
                    .map(|(value, contribution_share)| PointResponse { value, contribution_share })
                    .collect(),
            }
        };
        Self {
            model_version: report.model_version,
            origin: OriginWord(report.origin),
            horizon_sessions: report.horizon.sessions(),
            horizon: report.horizon.to_string(),
            from: Day(report.from),
            to: Day(report.to),
            rows_count: report.rows_count,
            features: report.features.into_iter().enumerate().map(feature).collect(),
        }
    }
}

/// Which forecasts are summarised.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SummaryParams {
    /// How far ahead the model looks: 1, 5 or 20 sessions, 1h for an hour, or eod for the end of the
    /// day.
    #[param(value_type = Option<String>, pattern = "^(1|5|20|1h|eod)$", default = "5", example = "5")]
    horizon: Horizon,
    /// How many of the last days, or hours where the horizon lies within a session.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250, default = 60)]
    window: usize,
}

impl FromQuery for SummaryParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let window = |text: &str| match text.parse() {
            Ok(window) if (1..=WINDOW_MAX).contains(&window) => Ok(window),
            _ => {
                Err(format!("'{text}' is not a window; give a whole number from 1 to {WINDOW_MAX}"))
            }
        };
        Ok(Self {
            horizon: query.optional("horizon", horizon)?.unwrap_or(HORIZON_DEFAULT),
            window: query.optional("window", window)?.unwrap_or(WINDOW_DEFAULT),
        })
    }
}

/// What features did in the latest forecasts of all symbols
///
/// The data of bars, beeswarms and dependence plots. Asks the model now, which may take seconds.
#[utoipa::path(
    get, path = "/api/v1/explanations/summary", tag = "explanations",
    operation_id = "summarise_explanations", params(SummaryParams),
    responses(
        (status = 200, description = "The summary.", body = SummaryResponse), Unchanged,
        NoSuchExplanation,
    )
)]
async fn summary(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: SummaryParams| {
        let SummaryParams { horizon, window } = params;
        let report = app.explanation_summary(horizon, window, Arc::new(|_| {})).await;
        Ok(SummaryResponse::from(report.map_err(problem)?))
    };
    kept.or_make(&app, DataClass::Explanations, make).await
}
