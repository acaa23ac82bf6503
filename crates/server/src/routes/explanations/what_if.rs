//! `/api/v1/explanations/what-if`: what a forecast would be if features were others.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::explanations::words::{Language, feature_name};
use bist_app::explanations::{WhatIfReport, WhatIfSide};
use bist_lifecycle::HORIZON_DEFAULT;
use bist_market::Symbol;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ItemResponse, Text, problem, value_text};
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, horizon, symbol};
use crate::openapi::ChangeRefused;
use crate::schema::Day;

/// The route.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(what_if))
}

/// What is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhatIfRequest {
    /// The ticker.
    #[schema(example = "THYAO", pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$")]
    symbol: String,
    /// How far ahead the model looks; 5 sessions unless it is given.
    #[serde(default)]
    #[schema(example = "5", pattern = "^(1|5|20|1h|eod)$")]
    horizon: Option<String>,
    /// The features with the values to put in their place.
    #[schema(example = json!({"rsi_14": 30.0}))]
    changes: BTreeMap<String, f64>,
}

/// A forecast as it is and as it would be. Shares are log-returns over the horizon.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhatIf)]
struct WhatIfResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// The model that was asked.
    model_version: String,
    /// The day of the row that was changed.
    as_of: Day,
    /// How many sessions ahead it looks; one where the horizon lies within a session.
    horizon_sessions: u8,
    /// How far ahead it looks: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// What was changed.
    changes: Vec<ChangeResponse>,
    /// As it is.
    before: WhatIfSideResponse,
    /// As it would be.
    after: WhatIfSideResponse,
    /// What each feature adds before and after, the largest difference first; those that stay the
    /// same are left out.
    moved: Vec<MovedResponse>,
    /// What stays as it is.
    held_fixed: Text,
}

/// A feature that was changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeatureChange)]
struct ChangeResponse {
    /// The feature.
    feature: String,
    /// What it is called.
    name: Text,
    /// Its value; null when it is not known.
    #[schema(required)]
    before: Option<f64>,
    /// The same in the feature's own unit.
    #[schema(required)]
    before_text: Option<Text>,
    /// The value in its place.
    after: f64,
    /// The same in the feature's own unit.
    after_text: Text,
}

/// One of the two forecasts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhatIfSide)]
struct WhatIfSideResponse {
    /// The forecast for a symbol of which nothing is known.
    base_share: f64,
    /// The forecast.
    forecast_share: f64,
    /// Probability of a rise.
    #[schema(minimum = 0, maximum = 1)]
    probability_up: f64,
    /// What each feature adds, the largest first.
    items: Vec<ItemResponse>,
}

/// What a feature adds before and after.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MovedContribution)]
struct MovedResponse {
    /// The feature.
    feature: String,
    /// What it is called.
    name: Text,
    /// What it adds.
    before_share: f64,
    /// What it would add.
    after_share: f64,
    /// The difference.
    change_share: f64,
}

impl From<WhatIfReport> for WhatIfResponse {
    fn from(report: WhatIfReport) -> Self {
        let horizon = report.horizon;
        let name = |feature: &str| {
            Text::of(|language| feature_name(feature, horizon.interval(), language))
        };
        let mut moved: Vec<MovedResponse> = report
            .after
            .features
            .iter()
            .map(|share| {
                let before_share = report.before.contribution(&share.feature);
                MovedResponse {
                    feature: share.feature.clone(),
                    name: name(&share.feature),
                    before_share,
                    after_share: share.contribution,
                    change_share: share.contribution - before_share,
                }
            })
            .filter(|moved| moved.change_share.abs() > 0.0)
            .collect();
        moved.sort_by(|a, b| b.change_share.abs().total_cmp(&a.change_share.abs()));
        let side = |WhatIfSide { base, forecast, probability_up, features }: WhatIfSide| {
            let items = features.into_iter();
            WhatIfSideResponse {
                base_share: base,
                forecast_share: forecast,
                probability_up,
                items: items.map(|share| ItemResponse::of(share, horizon, &[])).collect(),
            }
        };
        Self {
            symbol: report.symbol,
            model_version: report.model_version,
            as_of: Day(report.as_of),
            horizon_sessions: horizon.sessions(),
            horizon: horizon.to_string(),
            changes: report
                .changes
                .into_iter()
                .map(|change| ChangeResponse {
                    name: name(&change.feature),
                    before_text: change.before.map(|value| value_text(&change.feature, value)),
                    after_text: value_text(&change.feature, change.after),
                    feature: change.feature,
                    before: change.before,
                    after: change.after,
                })
                .collect(),
            before: side(report.before),
            after: side(report.after),
            moved,
            held_fixed: Text::of(|language| match language {
                Language::Turkish => {
                    "Hissenin önceki satırları, öbür öznitelikler, gün ve Prophet'in söylediği \
                     olduğu gibi kalır; yinelemeli ağ değişikliği yalnız son adımında görür."
                        .to_owned()
                }
                Language::English => {
                    "The rows before it, all other features, the day and what Prophet says stay as \
                     they are; the recurrent network sees the change at its last step only."
                        .to_owned()
                }
            }),
        }
    }
}

/// What the newest forecast of a symbol would be if features were others
///
/// Nothing is kept.
#[utoipa::path(
    post, path = "/api/v1/explanations/what-if", tag = "explanations", operation_id = "what_if",
    request_body(content = WhatIfRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "Both forecasts.", body = WhatIfResponse),
        ChangeRefused,
    )
)]
async fn what_if(
    State(app): State<Arc<App>>,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<WhatIfRequest>,
) -> Result<Json<WhatIfResponse>, ApiError> {
    let WhatIfRequest { symbol: ticker, horizon: ahead, changes } = request;
    let invalid = |parameter| move |problem| ApiError::InvalidParameter { parameter, problem };
    let symbol = symbol(&ticker).map_err(invalid("symbol"))?;
    let horizon = match ahead {
        Some(text) => horizon(&text).map_err(invalid("horizon"))?,
        None => HORIZON_DEFAULT,
    };
    let report = app.what_if(symbol, horizon, changes, Arc::new(|_| {})).await;
    Ok(Json(report.map_err(problem)?.into()))
}
