//! `/api/v1/studies`: how the settings of models were searched, trial by trial.

mod plots;
mod trial;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::studies::StudyWithTrials;
use bist_lifecycle::study::overview::{DEFLATED, HOLD_OUT};
use bist_lifecycle::study::plots::{TrialOrder, history, ordered};
use bist_lifecycle::study::{FrozenTrial, StudyDirection, StudyState, TrialCounts, TrialState};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::trial::{ParamsDocument, TrialResponse, params};
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, TextPath};
use crate::openapi::{NoSuchStudy, Unchanged};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Instant, OriginWord, document, schema, text};
use crate::unchanged::Known;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(trials))
        .merge(plots::router())
}

/// What is better of an objective.
#[derive(Clone, Copy, Debug, Serialize)]
struct DirectionWord(StudyDirection);

schema!(
    DirectionWord,
    "StudyDirection",
    text("Whether less or more is better of an objective.", "maximize")
        .enum_values(Some(["minimize", "maximize"]))
);

/// How far a study is.
#[derive(Clone, Copy, Debug, Serialize)]
struct StudyStateWord(StudyState);

schema!(
    StudyStateWord,
    "StudyState",
    text(
        "How far a study is: of a `running` one something was heard within the last minute, what a \
         `finished` one found was compared on the hold-out, and an `idle` one can be continued.",
        "running"
    )
    .enum_values(Some(StudyState::ALL.map(StudyState::as_str)))
);

/// What is remembered of a study or trial.
#[derive(Clone, Debug, Serialize)]
struct Attributes(BTreeMap<String, Value>);

schema!(
    Attributes,
    "StudyAttributes",
    document("What its owner wanted to be remembered, by name.")
);

/// What the best value of a study is worth, given that it is the best of many.
#[derive(Clone, Debug, Serialize)]
struct DeflatedDocument(Value);

schema!(
    DeflatedDocument,
    "DeflatedScore",
    document(
        "What the best value is worth, given that it is the best of many: `best`, `trials_count`, \
         `noise_maximum` (the largest that as many trials of noise would be expected to show) and \
         `deflated` (the one less the other)."
    )
);

/// The comparison on the hold-out.
#[derive(Clone, Debug, Serialize)]
struct HoldOutDocument(Value);

schema!(
    HoldOutDocument,
    "HoldOutComparison",
    document(
        "The tuned configuration beside the one in force on the days that no trial saw: `sentence` \
         (`tr` and `en`), `current` and `tuned` with their records, `difference` with its interval, \
         `trials_count`, `looks_count` and `verdict`."
    )
);

/// Trials by state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialCounts)]
struct CountsResponse {
    /// With a value for each objective.
    complete: u64,
    /// Stopped early.
    pruned: u64,
    /// Ended without a value.
    fail: u64,
    /// That a worker is at.
    running: u64,
    /// To be run.
    waiting: u64,
}

/// The best trial of a study with one objective.
#[derive(Debug, Serialize, ToSchema)]
struct BestTrial {
    /// The number of the trial.
    number: u64,
    /// Its value, one in a list; null when it is infinite.
    values: Vec<Option<f64>>,
    /// Its parameters.
    params: ParamsDocument,
}

/// A study in short.
#[derive(Debug, Serialize, ToSchema)]
struct StudySummary {
    /// Its name.
    #[schema(example = "trees-5-0123456789ab")]
    name: String,
    /// What is better of each objective.
    directions: Vec<DirectionWord>,
    /// The names of the objectives.
    objectives: Vec<String>,
    /// How far ahead the tuned models look: sessions, `1h` or `eod`; null of a study of somebody else.
    #[schema(required)]
    horizon: Option<String>,
    /// What is tuned, such as `trees`; null of a study of somebody else.
    #[schema(required)]
    part: Option<String>,
    /// How far it is.
    state: StudyStateWord,
    /// Whether the data are real; null of a study of somebody else.
    #[schema(required)]
    origin: Option<OriginWord>,
    /// Fingerprint of the bars; null of a study of somebody else.
    #[schema(required)]
    snapshot_hash: Option<String>,
    /// How many trials there are.
    trials: CountsResponse,
    /// The best trial; null when there is none yet, or several objectives.
    #[schema(required)]
    best: Option<BestTrial>,
    /// When its first trial began.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When something was last heard of it.
    #[schema(required)]
    as_of: Option<Instant>,
    /// Where it is kept.
    #[schema(example = "database")]
    source: &'static str,
}

/// A trial with one value.
#[derive(Debug, Serialize, ToSchema)]
struct PathPoint {
    /// The number of the trial.
    number: u64,
    /// Its value.
    value: f64,
}

/// A trial with a value for each objective.
#[derive(Debug, Serialize, ToSchema)]
struct FrontPoint {
    /// The number of the trial.
    number: u64,
    /// Its values; null where one is infinite.
    values: Vec<Option<f64>>,
}

/// A study with what it found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Study)]
struct StudyResponse {
    /// The study in short.
    #[serde(flatten)]
    summary: StudySummary,
    /// What its owner wanted to be remembered.
    user_attrs: Attributes,
    /// The trials that were the best so far, by number; empty where there are several objectives.
    best_path: Vec<PathPoint>,
    /// The trials that no other is better than in every objective; empty where there is one.
    pareto: Vec<FrontPoint>,
    /// What the best value is worth; null when it was not computed.
    #[schema(required)]
    deflated: Option<DeflatedDocument>,
    /// The comparison on the hold-out; null when it was not made.
    #[schema(required)]
    holdout: Option<HoldOutDocument>,
}

impl From<TrialCounts> for CountsResponse {
    fn from(TrialCounts { complete, pruned, fail, running, waiting }: TrialCounts) -> Self {
        Self { complete, pruned, fail, running, waiting }
    }
}

impl From<&StudyWithTrials> for StudySummary {
    fn from(study: &StudyWithTrials) -> Self {
        let overview = &study.overview;
        let best = study.history.best();
        let best = match (overview.directions.as_slice(), best.first()) {
            ([_], Some(trial)) => Some(BestTrial {
                number: trial.number,
                values: finite(trial),
                params: params(trial),
            }),
            _ => None,
        };
        Self {
            name: overview.name.clone(),
            directions: overview.directions.iter().copied().map(DirectionWord).collect(),
            objectives: overview.objectives.clone(),
            horizon: overview.horizon.map(|horizon| horizon.to_string()),
            part: overview.part.clone(),
            state: StudyStateWord(overview.state),
            origin: overview.origin.map(OriginWord),
            snapshot_hash: overview.snapshot_hash.clone(),
            trials: overview.trials.into(),
            best,
            started_at: overview.started_at.map(Instant),
            as_of: overview.as_of.map(Instant),
            source: "database",
        }
    }
}

impl From<StudyWithTrials> for StudyResponse {
    fn from(study: StudyWithTrials) -> Self {
        let summary = StudySummary::from(&study);
        let StudyWithTrials { record, overview, history } = study;
        let (best_path, pareto) = match overview.directions.as_slice() {
            [direction] => (best_path(history.trials(), *direction), Vec::new()),
            _ => (Vec::new(), history.best().iter().map(front_point).collect()),
        };
        Self {
            summary,
            best_path,
            pareto,
            deflated: record.user_attrs.get(DEFLATED).cloned().map(DeflatedDocument),
            holdout: record.user_attrs.get(HOLD_OUT).cloned().map(HoldOutDocument),
            user_attrs: Attributes(record.user_attrs),
        }
    }
}

/// The values of a trial; JSON has no infinite ones.
fn finite(trial: &FrozenTrial) -> Vec<Option<f64>> {
    let values = trial.values.as_deref().unwrap_or_default();
    values.iter().map(|value| value.is_finite().then_some(*value)).collect()
}

fn front_point(trial: &Arc<FrozenTrial>) -> FrontPoint {
    FrontPoint { number: trial.number, values: finite(trial) }
}

/// The trials that were better than all before them.
fn best_path(trials: &[Arc<FrozenTrial>], direction: StudyDirection) -> Vec<PathPoint> {
    let mut path: Vec<PathPoint> = Vec::new();
    let mut least = f64::INFINITY;
    for point in history(trials, 0, direction) {
        if let Some(value) = point.best
            && direction.loss(value) < least
        {
            least = direction.loss(value);
            path.push(PathPoint { number: point.number, value });
        }
    }
    path
}

/// The study of that name.
async fn find(app: &App, name: String) -> Result<StudyWithTrials, ApiError> {
    app.study(&name).await?.ok_or(ApiError::StudyNotFound(name))
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
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

/// All studies, the newest first
#[utoipa::path(
    get, path = "/api/v1/studies", tag = "studies", operation_id = "list_studies",
    params(ListParams),
    responses((status = 200, description = "Studies in short.", body = Page<StudySummary>), Unchanged)
)]
async fn list(
    State(app): State<Arc<App>>,
    Checked(params): Checked<ListParams>,
    known: Known,
) -> Result<Response, ApiError> {
    let studies = app.studies().await?;
    let page = paging::page(&studies, params.cursor, params.limit);
    known.or_json(&page.map(StudySummary::from))
}

/// One study with what it found
#[utoipa::path(
    get, path = "/api/v1/studies/{study}", tag = "studies", operation_id = "get_study",
    params(("study" = String, Path, description = "The name of the study.", example = "trees-5-0123456789ab")),
    responses(
        (status = 200, description = "The study.", body = StudyResponse),
        Unchanged,
        NoSuchStudy,
    )
)]
async fn one(
    State(app): State<Arc<App>>,
    TextPath(name): TextPath,
    _: Checked<NoParameters>,
    known: Known,
) -> Result<Response, ApiError> {
    known.or_json(&StudyResponse::from(find(&app, name).await?))
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct TrialsParams {
    /// Only trials in this state.
    #[param(value_type = Option<String>, pattern = "^(running|complete|pruned|fail|waiting)$", example = "complete")]
    state: Option<TrialState>,
    /// By what they are put in order: `number`, `value` (of the first objective) or `duration`.
    #[param(value_type = Option<String>, pattern = "^(number|value|duration)$", default = "number")]
    sort: TrialOrder,
    /// `asc` for the least first, `desc` for the most; those without a value come last.
    #[param(rename = "order", value_type = Option<String>, pattern = "^(asc|desc)$", default = "asc")]
    is_descending: bool,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,18}$", example = "from-100")]
    cursor: u64,
}

impl FromQuery for TrialsParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            state: query.optional("state", |word| {
                let state = TrialState::ALL.into_iter().find(|state| state.as_str() == word);
                state.ok_or_else(|| {
                    let words = TrialState::ALL.map(TrialState::as_str).join(", ");
                    format!("'{word}' is no state of a trial; give one of {words}")
                })
            })?,
            sort: query
                .optional("sort", |word| match word {
                    "number" => Ok(TrialOrder::Number),
                    "value" => Ok(TrialOrder::Value),
                    "duration" => Ok(TrialOrder::Duration),
                    _ => Err(format!("'{word}' is no order; give number, value or duration")),
                })?
                .unwrap_or_default(),
            is_descending: query
                .optional("order", |word| match word {
                    "asc" => Ok(false),
                    "desc" => Ok(true),
                    _ => Err(format!("'{word}' is no direction; give asc or desc")),
                })?
                .unwrap_or_default(),
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

/// The trials of a study
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/trials", tag = "studies", operation_id = "list_trials",
    params(
        ("study" = String, Path, description = "The name of the study.", example = "trees-5-0123456789ab"),
        TrialsParams,
    ),
    responses(
        (status = 200, description = "The trials.", body = Page<TrialResponse>),
        Unchanged,
        NoSuchStudy,
    )
)]
async fn trials(
    State(app): State<Arc<App>>,
    TextPath(name): TextPath,
    Checked(params): Checked<TrialsParams>,
    known: Known,
) -> Result<Response, ApiError> {
    let study = find(&app, name).await?;
    let trials = ordered(study.history.trials(), params.state, params.sort, params.is_descending);
    let page = paging::page(trials, params.cursor, params.limit);
    known.or_json(&page.map(|trial| TrialResponse::from(&*trial)))
}
