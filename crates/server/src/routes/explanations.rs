//! `/api/v1/explanations`: why a forecast is what it is, and what it would be.

mod summary;
mod what_if;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::explanations::words::{
    Language, feature_name, feature_text, feature_value, member_name,
};
use bist_app::explanations::{ExplainError, ForecastExplanation, Method, Quality};
use bist_app::training::TrainingError;
use bist_lifecycle::{FeatureShare, HORIZON_DEFAULT, Horizon, MemberShare};
use bist_market::Symbol;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{
    FromQuery, NoParameters, QueryReader, SYMBOL_WANTED, TextPath, horizon, symbol,
};
use crate::kept::Kept;
use crate::openapi::{NoSuchExplanation, Unchanged};
use crate::schema::{Day, Instant, OriginWord, TimeOfDay};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(newest))
        .merge(summary::router())
        .merge(what_if::router())
        .routes(routes!(of_signal))
}

/// The same in both languages.
#[derive(Debug, Serialize, ToSchema)]
struct Text {
    /// In Turkish.
    #[schema(example = "14 günlük RSI 71: aşırı alım")]
    tr: String,
    /// In English.
    #[schema(example = "14-day RSI 71: overbought")]
    en: String,
}

impl Text {
    fn of(text: impl Fn(Language) -> String) -> Self {
        Self { tr: text(Language::Turkish), en: text(Language::English) }
    }
}

/// Why a forecast is what it is. Shares are log-returns over the horizon: `base_share`, the items and
/// `residual_share` add up to `forecast_share`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Whether the data behind it are real.
    origin: OriginWord,
    /// The model that made the forecast.
    #[schema(example = "ensemble-0123456789ab")]
    model_version: String,
    /// The signal that was made of it.
    #[schema(example = "ensemble-0123456789ab-THYAO-2026-11-23")]
    signal_id: String,
    /// When the forecast was made.
    made_at: Instant,
    /// The last day that it knows.
    as_of: Day,
    /// The time of that day at which the last bar that it knows closed, in Istanbul; only where the
    /// horizon lies within a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_time: Option<TimeOfDay>,
    /// How many sessions ahead it looks; one where the horizon lies within a session.
    #[schema(example = 5)]
    horizon_sessions: u8,
    /// How far ahead it looks: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// How it is explained: `shap`, `lime` or `kernel`.
    #[schema(example = "shap")]
    method: &'static str,
    /// The forecast for a symbol of which nothing is known; of LIME the value of its line without
    /// features.
    base_share: f64,
    /// The forecast.
    forecast_share: f64,
    /// What base and items leave of it: within 1e-6 of nothing but for LIME.
    residual_share: f64,
    /// What is added to the members' forecasts; null where members are not told apart.
    #[schema(required)]
    drift_share: Option<f64>,
    /// What each feature and component adds, the largest first.
    items: Vec<ItemResponse>,
    /// The members; empty where they are not told apart.
    members: Vec<MemberResponse>,
    /// The forecast, its three strongest reasons and its base, in a sentence.
    reasons: Text,
    /// How far it may be trusted; null where the parts are exact.
    #[schema(required)]
    quality: Option<QualityResponse>,
}

/// What one feature, or one component of Prophet, adds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplanationItem)]
struct ItemResponse {
    /// The feature.
    #[schema(example = "rsi_14")]
    feature: String,
    /// Its value; null when it is not known, and for a component.
    #[schema(required)]
    value: Option<f64>,
    /// The value alone, in its own unit; null where there is none.
    #[schema(required)]
    value_text: Option<Text>,
    /// What it adds, log-return.
    #[schema(example = 0.0031)]
    contribution_share: f64,
    /// What it is called.
    name: Text,
    /// The same with its value and what traders read in it.
    text: Text,
    /// What it adds through each member; empty where members are not told apart.
    by_member: BTreeMap<String, f64>,
    /// How it comes out when LIME draws again; only of LIME.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    repeats: Option<RepeatsResponse>,
}

/// A feature in repeated runs of LIME, which differ in what they draw.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplanationRepeats)]
struct RepeatsResponse {
    /// Share of the runs in which it was in the line.
    #[schema(minimum = 0, maximum = 1, example = 0.8)]
    selected_share: f64,
    /// Standard deviation of what it adds, over these runs, log-return; null where it was one run.
    #[schema(required, example = 0.0002)]
    deviation_share: Option<f64>,
}

/// A member of the ensemble.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplanationMember)]
struct MemberResponse {
    /// The kind of model.
    #[schema(example = "gbdt")]
    kind: String,
    /// What it is called.
    name: Text,
    /// How much it counts.
    #[schema(example = 0.41)]
    weight: f64,
    /// Its own forecast, before it is weighted.
    forecast_share: f64,
    /// What it says of a symbol of which nothing is known, weighted.
    base_share: f64,
    /// What its parts add, weighted.
    contribution_share: f64,
}

/// How far an explanation may be trusted. LIME gives the first six, `KernelSHAP` the last three.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ExplanationQuality)]
struct QualityResponse {
    /// Share of the variance around the row that LIME's line explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    r_squared: Option<f64>,
    /// Width of LIME's weights by distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kernel_width: Option<f64>,
    /// Mean share of features that two runs of LIME have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    stability: Option<f64>,
    /// Runs of LIME behind the stability.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    runs_count: Option<u32>,
    /// What decided LIME's draw; the runs have this seed and those after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    seed: Option<u64>,
    /// Rows drawn by LIME; sets of features that `KernelSHAP` asked the model about.
    samples_count: usize,
    /// Rows that unknown features were filled in from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    background_count: Option<usize>,
    /// Whether all sets were asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    is_exact: Option<bool>,
}

impl From<Quality> for QualityResponse {
    fn from(quality: Quality) -> Self {
        match quality {
            Quality::Lime {
                r_squared,
                kernel_width,
                samples_count,
                stability,
                runs_count,
                seed,
                ..
            } => Self {
                r_squared: Some(r_squared),
                kernel_width: Some(kernel_width),
                stability: Some(stability),
                runs_count: Some(runs_count),
                seed: Some(seed),
                samples_count,
                ..Self::default()
            },
            Quality::Kernel { samples_count, background_count, is_exact } => Self {
                samples_count,
                background_count: Some(background_count),
                is_exact: Some(is_exact),
                ..Self::default()
            },
        }
    }
}

impl From<ForecastExplanation> for ExplanationResponse {
    fn from(explained: ForecastExplanation) -> Self {
        let reasons = Text::of(|language| explained.sentence(language));
        let residual_share = explained.residual();
        let kinds: Vec<String> = explained.members.iter().map(|m| m.kind.clone()).collect();
        let horizon = explained.horizon;
        let quality = explained.quality.as_ref();
        let items = explained.features.into_iter().map(|share| {
            let repeats = quality.and_then(|quality| RepeatsResponse::of(&share.feature, quality));
            ItemResponse { repeats, ..ItemResponse::of(share, horizon, &kinds) }
        });
        let items = items.collect();
        Self {
            symbol: explained.symbol,
            origin: OriginWord(explained.origin),
            model_version: explained.model_version,
            signal_id: explained.signal_id,
            made_at: Instant(explained.made_at),
            as_of: Day(explained.as_of),
            as_of_time: explained.as_of_time.map(TimeOfDay),
            horizon_sessions: horizon.sessions(),
            horizon: horizon.to_string(),
            method: explained.method.as_str(),
            base_share: explained.base,
            forecast_share: explained.forecast,
            residual_share,
            drift_share: explained.drift,
            items,
            members: explained.members.into_iter().map(MemberResponse::from).collect(),
            reasons,
            quality: explained.quality.map(QualityResponse::from),
        }
    }
}

impl ItemResponse {
    fn of(share: FeatureShare, horizon: Horizon, kinds: &[String]) -> Self {
        let FeatureShare { feature, value, contribution, by_member } = share;
        let bars = horizon.interval();
        Self {
            name: Text::of(|language| feature_name(&feature, bars, language)),
            text: Text::of(|language| feature_text(&feature, value, bars, language)),
            value_text: value.map(|value| value_text(&feature, value)),
            by_member: kinds.iter().cloned().zip(by_member).collect(),
            feature,
            value,
            contribution_share: contribution,
            repeats: None,
        }
    }
}

impl RepeatsResponse {
    /// Of a feature of LIME's line; `None` of other methods.
    fn of(feature: &str, quality: &Quality) -> Option<Self> {
        let Quality::Lime { deviations, selected_shares, .. } = quality else { return None };
        Some(Self {
            selected_share: *selected_shares.get(feature)?,
            deviation_share: deviations.get(feature).copied(),
        })
    }
}

/// The value of a feature in its own unit.
fn value_text(feature: &str, value: f64) -> Text {
    Text::of(|language| feature_value(feature, value, language))
}

impl From<MemberShare> for MemberResponse {
    fn from(MemberShare { kind, weight, forecast, base, contribution }: MemberShare) -> Self {
        Self {
            name: Text::of(|language| member_name(&kind, language)),
            kind,
            weight,
            forecast_share: forecast,
            base_share: base,
            contribution_share: contribution,
        }
    }
}

/// Which forecast is explained, and how.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct NewestParams {
    /// The ticker; case does not matter.
    #[param(value_type = String, pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")]
    symbol: Symbol,
    /// How far ahead the model looks: 1, 5 or 20 sessions, 1h for an hour, or eod for the end of the
    /// day.
    #[param(value_type = Option<String>, pattern = "^(1|5|20|1h|eod)$", default = "5", example = "5")]
    horizon: Horizon,
    /// How to explain it: shap (the exact parts, as kept), lime or kernel (asked of the model now).
    #[param(value_type = Option<String>, pattern = "^(shap|lime|kernel)$", default = "shap", example = "lime")]
    method: Method,
    /// Decides what lime and kernel draw.
    #[param(value_type = Option<u64>, minimum = 0, default = 1)]
    seed: u64,
}

impl FromQuery for NewestParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let method = |text: &str| text.parse().map_err(|error| format!("{error}"));
        let seed = |text: &str| {
            text.parse().map_err(|_| format!("'{text}' is not a seed; give a whole number"))
        };
        Ok(Self {
            symbol: query.required("symbol", SYMBOL_WANTED, symbol)?,
            horizon: query.optional("horizon", horizon)?.unwrap_or(HORIZON_DEFAULT),
            method: query.optional("method", method)?.unwrap_or(Method::Shap),
            seed: query.optional("seed", seed)?.unwrap_or(1),
        })
    }
}

/// Why the newest forecast of a symbol is what it is
///
/// The methods lime and kernel ask the model now, which may take seconds.
#[utoipa::path(
    get, path = "/api/v1/explanations", tag = "explanations", operation_id = "explain_symbol",
    params(NewestParams),
    responses(
        (status = 200, description = "The explanation.", body = ExplanationResponse), Unchanged,
        NoSuchExplanation,
    )
)]
async fn newest(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: NewestParams| {
        let NewestParams { symbol, horizon, method, seed } = params;
        let explained = app.explain(symbol, horizon, method, seed, Arc::new(|_| {})).await;
        Ok(ExplanationResponse::from(explained.map_err(problem)?))
    };
    kept.or_make(&app, DataClass::Explanations, make).await
}

/// Why a signal says what it says, as it was kept
#[utoipa::path(
    get, path = "/api/v1/explanations/{signal}", tag = "explanations",
    operation_id = "explain_signal",
    params(("signal" = String, Path, description = "The id of the signal.", example = "ensemble-0123456789ab-THYAO-2026-11-23")),
    responses(
        (status = 200, description = "The explanation.", body = ExplanationResponse), Unchanged,
        NoSuchExplanation,
    )
)]
async fn of_signal(
    State(app): State<Arc<App>>,
    TextPath(id): TextPath,
    kept: Kept,
) -> Result<Response, ApiError> {
    let make = async |NoParameters| {
        Ok(ExplanationResponse::from(app.signal_explanation(&id).await.map_err(problem)?))
    };
    kept.or_make(&app, DataClass::Explanations, make).await
}

/// What a caller is told of it.
fn problem(error: ExplainError) -> ApiError {
    match error {
        ExplainError::Store(error) | ExplainError::Training(TrainingError::Store(error)) => {
            ApiError::Store(error)
        }
        ExplainError::Change(_) => ApiError::ChangeRefused(error.to_string()),
        ExplainError::UnknownSignal(_)
        | ExplainError::NoForecast { .. }
        | ExplainError::NothingToSum(_)
        | ExplainError::NotKept(_)
        | ExplainError::BarsMovedOn(_)
        | ExplainError::Training(TrainingError::NoModel(_)) => {
            ApiError::ExplanationNotFound(error.to_string())
        }
        ExplainError::Method(_) | ExplainError::Training(_) => {
            ApiError::Internal(error.to_string())
        }
    }
}
