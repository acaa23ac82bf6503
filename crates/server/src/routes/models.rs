//! `/api/v1/models`: the models, where they come from, and what they were worth out of sample.

mod card;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::registry::VersionWithHistory;
use bist_lifecycle::evaluation::{Baseline, Rmse};
use bist_lifecycle::{
    Evaluation, Horizon, Lineage, ModelDifference, ModelState, ModelVersion, StateChange,
    UnknownState,
};
use bist_trading::Estimate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::KnownFormat;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, TextPath, horizon};
use crate::openapi::NoSuchModelVersion;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Day, Instant, OriginWord, document, schema, text};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(diff))
        .merge(card::router())
}

/// Where a model stands.
#[derive(Debug, Serialize)]
struct StateWord(ModelState);

schema!(
    StateWord,
    "ModelState",
    text(
        "Where a model stands. The forecasts and signals shown are those of the champion.",
        "champion"
    )
    .enum_values(Some(ModelState::ALL.map(ModelState::as_str)))
);

/// A change of state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateChange)]
struct StateChangeResponse {
    /// Where the version stood; null when it was registered.
    #[schema(required)]
    from: Option<StateWord>,
    /// Where it stands since.
    to: StateWord,
    /// When.
    at: Instant,
    /// Who: a person, or the command that follows a rule.
    #[schema(example = "bist train")]
    by: String,
    /// Why.
    reason: String,
}

impl From<StateChange> for StateChangeResponse {
    fn from(StateChange { from, to, signed, .. }: StateChange) -> Self {
        Self {
            from: from.map(StateWord),
            to: StateWord(to),
            at: Instant(signed.at),
            by: signed.by,
            reason: signed.reason,
        }
    }
}

/// The record out of sample, whole.
#[derive(Debug, Serialize)]
struct EvaluationDocument(Evaluation);

schema!(
    EvaluationDocument,
    "Evaluation",
    document(
        "The record out of sample as `bist evaluate --json` prints it: `sentence` (whether it can be \
         told from luck, `tr` and `en`), `alarm` (a result too good to be true, or null), `protocol` \
         (how the folds were laid, purged and embargoed, costs, seed), `skill` (the rule, condition \
         by condition), `rank_ic` and `ic` with their bootstrap and information ratio, `hit_rate`, \
         `rmse`, `skill_scores`, `comparisons` with every baseline and member by Diebold and \
         Mariano, `after_costs`, `coverage` of the bands by level and step, `folds` with their \
         dates, `members` of the ensemble with weights and records of their own, `by_year`, \
         `by_sector`, `by_symbol`, `caveats`."
    )
);

/// Everything that a model was made from.
#[derive(Debug, Serialize)]
struct LineageDocument(Lineage);

schema!(
    LineageDocument,
    "Lineage",
    document(
        "Everything that the model was made from: `snapshot_hash` of the bars, `feature_names`, \
         `spec` (hyperparameters, folds, seed, costs), `code_version`, `symbols`, `excluded` with \
         reasons, `first_day`, `last_day`, `rows_count`. The same lineage gives the same model."
    )
);

/// A model in short.
#[derive(Debug, Serialize, ToSchema)]
struct ModelSummary {
    /// The name of this version.
    #[schema(example = "gbdt-0123456789ab")]
    version: String,
    /// The kind of model.
    #[schema(example = "gbdt")]
    kind: String,
    /// How many sessions ahead it looks; one where the horizon lies within a session.
    #[schema(example = 5)]
    horizon_sessions: u8,
    /// How far ahead it looks: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// Where it stands; there is one champion for each horizon.
    state: StateWord,
    /// Whether it learned from real data.
    origin: OriginWord,
    /// When it was trained.
    trained_at: Instant,
    /// First day of the rows that it learned from.
    first_day: Day,
    /// Last day of the rows that it learned from.
    last_day: Day,
    /// Rows that it learned from.
    #[schema(example = 40000)]
    rows_count: u64,
    /// Symbols that it learned from.
    #[schema(example = 30)]
    symbols_count: u64,
    /// Fingerprint of the bars.
    snapshot_hash: String,
    /// The seed of everything random.
    #[schema(example = 7)]
    seed: u64,
    /// Whether a study found its configuration.
    is_tuned: bool,
    /// Whether skill was shown out of sample, by a rule fixed beforehand.
    skill_shown: bool,
    /// Rank information coefficient out of sample; null when there were too few days.
    #[schema(required)]
    rank_ic: Option<EstimateResponse>,
    /// How often the sign was right out of sample; null when there were too few days.
    #[schema(required)]
    hit_rate: Option<EstimateResponse>,
    /// Root mean squared errors out of sample, log-return over the horizon.
    rmse: RmseDocument,
}

/// A model with its record and its lineage.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModelVersion)]
struct ModelVersionResponse {
    /// The model in short.
    #[serde(flatten)]
    summary: ModelSummary,
    /// What it was made from.
    lineage: LineageDocument,
    /// SHA-256 of the model's bytes.
    artifact_sha256: String,
    /// How long training took, seconds; null for versions from before it was measured.
    #[schema(required, example = 12.5)]
    training_seconds: Option<f64>,
    /// What it was worth out of sample.
    evaluation: EvaluationDocument,
    /// Its changes of state, the first first.
    changes: Vec<StateChangeResponse>,
}

/// How two model versions differ.
#[derive(Debug, Serialize)]
struct DifferenceDocument(ModelDifference);

schema!(
    DifferenceDocument,
    "ModelDifference",
    document(
        "How the version `after` differs from `before`, as `bist models diff --json` prints it: \
         `same_artifact`, `same_bars` and `same_test_days`, `lineage` (field by field, `before` and \
         `after`), `symbols` and `features` that only one of them has, `metrics` of both records."
    )
);

/// An estimate with its interval.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Estimate)]
struct EstimateResponse {
    /// The estimate.
    #[schema(example = 0.021)]
    value: f64,
    /// Lower end of the interval.
    #[schema(example = -0.004)]
    low: f64,
    /// Higher end of the interval.
    #[schema(example = 0.046)]
    high: f64,
    /// How often such an interval holds the truth.
    #[schema(example = 0.95)]
    level: f64,
}

/// Root mean squared errors of a model and of those it is compared with.
#[derive(Debug, Serialize)]
struct RmseDocument(Rmse);

schema!(RmseDocument, "Rmse", rmse_schema());

/// A number for the model and for each baseline.
fn rmse_schema() -> ObjectBuilder {
    let names = std::iter::once("model").chain(Baseline::ALL.map(Baseline::word));
    let number = || {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
    };
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Root mean squared errors of a model and of those it is compared with."));
    names.fold(object, |object, name| object.property(name, number()).required(name))
}

impl From<Estimate> for EstimateResponse {
    fn from(Estimate { value, low, high, level }: Estimate) -> Self {
        Self { value, low, high, level }
    }
}

impl From<&ModelVersion> for ModelSummary {
    fn from(version: &ModelVersion) -> Self {
        let ModelVersion { lineage, evaluation, .. } = version;
        Self {
            version: version.id.clone(),
            kind: version.kind.clone(),
            horizon_sessions: evaluation.horizon.sessions(),
            horizon: evaluation.horizon.to_string(),
            state: StateWord(version.state),
            origin: OriginWord(version.origin),
            trained_at: Instant(version.trained_at),
            first_day: Day(lineage.first_day),
            last_day: Day(lineage.last_day),
            rows_count: lineage.rows_count,
            symbols_count: lineage.symbols.len() as u64,
            snapshot_hash: lineage.snapshot_hash.clone(),
            seed: lineage.spec.seed,
            is_tuned: !lineage.tuned.is_empty(),
            skill_shown: evaluation.skill.shown,
            rank_ic: evaluation.rank_ic.estimate.map(EstimateResponse::from),
            hit_rate: evaluation.hit_rate.estimate.map(EstimateResponse::from),
            rmse: RmseDocument(evaluation.rmse),
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,18}$", example = "from-100")]
    cursor: u64,
    /// Only those that look so far ahead: sessions, `1h` or `eod`.
    #[param(value_type = Option<String>, pattern = "^(1|5|20|1h|eod)$", example = "5")]
    horizon: Option<Horizon>,
    /// Only those that stand there.
    #[param(value_type = Option<StateWord>, example = "champion")]
    state: Option<ModelState>,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
            horizon: query.optional("horizon", horizon)?,
            state: query.optional("state", |word| {
                word.parse().map_err(|error: UnknownState| error.to_string())
            })?,
        })
    }
}

/// All model versions, the newest first
#[utoipa::path(
    get, path = "/api/v1/models", tag = "models", operation_id = "list_models",
    params(ListParams),
    responses((status = 200, description = "Model versions in short.", body = Page<ModelSummary>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Checked(params): Checked<ListParams>,
) -> Result<Json<Page<ModelSummary>>, ApiError> {
    let mut versions = app.model_versions().await?;
    versions.retain(|version| {
        params.horizon.is_none_or(|horizon| version.evaluation.horizon == horizon)
            && params.state.is_none_or(|state| version.state == state)
    });
    let page = paging::page(&versions, params.cursor, params.limit);
    Ok(Json(page.map(ModelSummary::from)))
}

/// One model version with its record and its lineage
#[utoipa::path(
    get, path = "/api/v1/models/{version}", tag = "models", operation_id = "get_model",
    params(("version" = String, Path, description = "The name of the version.", example = "gbdt-0123456789ab")),
    responses(
        (status = 200, description = "The model version.", body = ModelVersionResponse),
        NoSuchModelVersion,
    )
)]
async fn one(
    State(app): State<Arc<App>>,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<ModelVersionResponse>, ApiError> {
    let Some(version) = app.model_version(&id).await? else {
        return Err(ApiError::ModelVersionNotFound(id));
    };
    let VersionWithHistory { version, changes } = app.with_history(version).await?;
    let summary = ModelSummary::from(&version);
    let ModelVersion { lineage, artifact_sha256, training_seconds, evaluation, .. } = version;
    Ok(Json(ModelVersionResponse {
        summary,
        lineage: LineageDocument(lineage),
        artifact_sha256,
        training_seconds,
        evaluation: EvaluationDocument(evaluation),
        changes: changes.into_iter().map(StateChangeResponse::from).collect(),
    }))
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DiffParams {
    /// The version to compare with: it stands first.
    #[param(example = "ensemble-ba9876543210", pattern = "^[A-Za-z0-9-]+$")]
    against: String,
}

impl FromQuery for DiffParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let name = |text: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            match !text.is_empty() && text.bytes().all(is_plain) {
                true => Ok(text.to_owned()),
                false => Err(format!("'{text}' names no version; give one of GET /api/v1/models")),
            }
        };
        Ok(Self { against: query.required("against", "the name of a model version", name)? })
    }
}

/// How a model version differs from another
#[utoipa::path(
    get, path = "/api/v1/models/{version}/diff", tag = "models", operation_id = "diff_models",
    params(
        ("version" = String, Path, description = "The version that stands second.", example = "gbdt-0123456789ab"),
        DiffParams,
    ),
    responses(
        (status = 200, description = "What only one of them has, and both records.", body = DifferenceDocument),
        NoSuchModelVersion,
    )
)]
async fn diff(
    State(app): State<Arc<App>>,
    TextPath(id): TextPath,
    Checked(params): Checked<DiffParams>,
) -> Result<Json<DifferenceDocument>, ApiError> {
    let version = async |id: String| match app.model_version(&id).await? {
        Some(version) => Ok(version),
        None => Err(ApiError::ModelVersionNotFound(id)),
    };
    let (before, after) = (version(params.against).await?, version(id).await?);
    Ok(Json(DifferenceDocument(ModelDifference::of(&before, &after))))
}
