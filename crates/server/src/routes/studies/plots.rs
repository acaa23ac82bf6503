//! What the plots of a study are drawn from.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::studies::StudyWithTrials;
use bist_lifecycle::search_space::{Choice, Distribution};
use bist_lifecycle::study::plots::{
    HistoryPoint, NoImportances, ParallelCoordinates, ParamAxis, history, parallel_coordinates,
    slice,
};
use bist_lifecycle::study::{StudyDirection, TrialState};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::trial::TrialStateWord;
use super::{DirectionWord, find, finite};
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, TextPath};
use crate::openapi::{NoSuchObjectives, NoSuchStudy, Unchanged};
use crate::schema::{schema, text};
use crate::unchanged::Known;

/// Longest name of a parameter that is looked for, bytes.
const PARAM_LENGTH_MAX: usize = 200;

/// The routes of the plots.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(study_history))
        .routes(routes!(study_importances))
        .routes(routes!(study_slice))
        .routes(routes!(study_parallel_coordinates))
        .routes(routes!(study_pareto))
}

/// One of the choices of a parameter.
#[derive(Clone, Debug, Serialize)]
struct ChoiceValue(Choice);

schema!(
    ChoiceValue,
    "ParamChoice",
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Boolean, Type::Number, Type::String, Type::Null]))
        .description(Some("One of the choices of a parameter."))
);

/// A parameter on the axis of a plot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParamAxis)]
struct AxisResponse {
    /// The name of the parameter.
    name: String,
    /// `float`, `int` or `categorical`.
    #[schema(example = "float")]
    kind: &'static str,
    /// Whether orders of magnitude count alike.
    log: bool,
    /// The lowest value; of a category zero, its first choice.
    low: f64,
    /// The highest value; of a category the place of its last choice.
    high: f64,
    /// What the places 0, 1, ... of a category stand for; null where the parameter is a number.
    #[schema(required)]
    choices: Option<Vec<ChoiceValue>>,
}

impl From<ParamAxis> for AxisResponse {
    #[expect(clippy::cast_precision_loss, reason = "ranges and places are far below 2^53")]
    fn from(ParamAxis { name, distribution }: ParamAxis) -> Self {
        match distribution {
            Distribution::Float { low, high, log, .. } => {
                Self { name, kind: "float", log, low, high, choices: None }
            }
            Distribution::Int { low, high, log, .. } => {
                let (low, high) = (low as f64, high as f64);
                Self { name, kind: "int", log, low, high, choices: None }
            }
            Distribution::Categorical { choices } => {
                let high = choices.len().saturating_sub(1) as f64;
                let choices = Some(choices.into_iter().map(ChoiceValue).collect());
                Self { name, kind: "categorical", log: false, low: 0.0, high, choices }
            }
        }
    }
}

/// A trial in the history of an objective.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudyHistoryPoint)]
struct PointResponse {
    /// The number of the trial.
    number: u64,
    /// How far it is.
    state: TrialStateWord,
    /// Its value, of a pruned trial the last intermediate one; null without one, or when infinite.
    #[schema(required)]
    value: Option<f64>,
    /// The best value of the complete trials up to this number.
    #[schema(required)]
    best: Option<f64>,
}

impl From<HistoryPoint> for PointResponse {
    fn from(HistoryPoint { number, state, value, best }: HistoryPoint) -> Self {
        Self { number, state: TrialStateWord(state), value, best }
    }
}

/// The history of an objective.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudyHistory)]
struct HistoryResponse {
    /// What is better.
    direction: DirectionWord,
    /// All trials by number.
    points: Vec<PointResponse>,
}

/// Why no parameter can be said to matter.
#[derive(Debug, Serialize)]
struct NoImportancesWord(NoImportances);

schema!(
    NoImportancesWord,
    "NoImportances",
    text(
        "Why no parameter can be said to matter: fewer than ten trials are complete, or all have the \
         same value.",
        "too_few_trials"
    )
    .enum_values(Some(NoImportances::ALL.map(NoImportances::as_str)))
);

/// A parameter with its importance.
#[derive(Debug, Serialize, ToSchema)]
struct Importance {
    /// The name of the parameter.
    param: String,
    /// The share of the variation that it alone explains.
    importance: f64,
}

/// How much each parameter mattered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudyImportances)]
struct ImportancesResponse {
    /// How it was told: `fanova`, functional analysis of variance.
    #[schema(example = "fanova")]
    method: &'static str,
    /// The parameters, the largest first and together one.
    items: Vec<Importance>,
    /// Complete trials that it was told from.
    trials_count: u64,
    /// Why there are no items; null where there are some.
    #[schema(required)]
    reason: Option<NoImportancesWord>,
}

/// A complete trial at the value of a parameter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudySlicePoint)]
struct SlicePointResponse {
    /// The number of the trial.
    number: u64,
    /// The value of the parameter; of a category the place of the choice.
    x: f64,
    /// The value of the objective.
    value: f64,
}

/// An objective over the values of one parameter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudySlice)]
struct SliceResponse {
    /// The parameter.
    axis: AxisResponse,
    /// The complete trials that have it, by number.
    points: Vec<SlicePointResponse>,
}

/// A complete trial over all parameters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudyLine)]
struct LineResponse {
    /// The number of the trial.
    number: u64,
    /// The value of the objective.
    value: f64,
    /// Its values on the axes, of a category the place of the choice; null where it has no such
    /// parameter.
    x: Vec<Option<f64>>,
}

/// The complete trials over all parameters at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudyParallelCoordinates)]
struct ParallelResponse {
    /// The parameters by name.
    axes: Vec<AxisResponse>,
    /// The trials by number.
    lines: Vec<LineResponse>,
}

/// A complete trial in the plot of several objectives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudyParetoPoint)]
struct ParetoPoint {
    /// The number of the trial.
    number: u64,
    /// Its values; null where one is infinite.
    values: Vec<Option<f64>>,
    /// Whether no other trial is better in every objective.
    on_front: bool,
}

/// Several objectives against each other.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudyPareto)]
struct ParetoResponse {
    /// The names of the objectives.
    objectives: Vec<String>,
    /// What is better of each.
    directions: Vec<DirectionWord>,
    /// The complete trials by number.
    points: Vec<ParetoPoint>,
}

/// Reads which objective is meant.
fn objective(query: &mut QueryReader) -> Result<usize, ApiError> {
    let parse = |text: &str| {
        text.parse().map_err(|_| {
            format!("'{text}' is no objective; give the place of one, 0 for the first")
        })
    };
    Ok(query.optional("objective", parse)?.unwrap_or_default())
}

/// What is better of the objective at that place of the study.
fn direction(study: &StudyWithTrials, objective: usize) -> Result<StudyDirection, ApiError> {
    study.overview.directions.get(objective).copied().ok_or_else(|| {
        let count = study.overview.directions.len();
        ApiError::InvalidParameter {
            parameter: "objective",
            problem: format!(
                "the study has {count} and none at {objective}; give a place below {count}"
            ),
        }
    })
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ObjectiveParams {
    /// The place of the objective, from 0.
    #[param(value_type = Option<u32>, minimum = 0, default = 0)]
    objective: usize,
}

impl FromQuery for ObjectiveParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self { objective: objective(query)? })
    }
}

/// Every trial of a study with the best value so far
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/history", tag = "studies", operation_id = "get_study_history",
    params(
        ("study" = String, Path, description = "The name of the study.", example = "trees-5-0123456789ab"),
        ObjectiveParams,
    ),
    responses((status = 200, description = "The history.", body = HistoryResponse), Unchanged, NoSuchStudy)
)]
async fn study_history(
    State(app): State<Arc<App>>,
    TextPath(name): TextPath,
    Checked(params): Checked<ObjectiveParams>,
    known: Known,
) -> Result<Response, ApiError> {
    let study = find(&app, name).await?;
    let direction = direction(&study, params.objective)?;
    let points = history(study.history.trials(), params.objective, direction);
    let points = points.into_iter().map(PointResponse::from).collect();
    known.or_json(&HistoryResponse { direction: DirectionWord(direction), points })
}

/// How much each parameter of a study mattered
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/importances", tag = "studies",
    operation_id = "get_study_importances",
    params(
        ("study" = String, Path, description = "The name of the study.", example = "trees-5-0123456789ab"),
        ObjectiveParams,
    ),
    responses(
        (status = 200, description = "The importances, or why there are none.", body = ImportancesResponse),
        Unchanged,
        NoSuchStudy,
    )
)]
async fn study_importances(
    State(app): State<Arc<App>>,
    TextPath(name): TextPath,
    Checked(params): Checked<ObjectiveParams>,
    known: Known,
) -> Result<Response, ApiError> {
    let study = find(&app, name).await?;
    direction(&study, params.objective)?;
    let told = app.importances(&study, params.objective).await;
    let (shares, reason) = match &told.shares {
        Ok(shares) => (shares.as_slice(), None),
        Err(reason) => (&[][..], Some(NoImportancesWord(*reason))),
    };
    let item = |(param, importance): &(String, f64)| Importance {
        param: param.clone(),
        importance: *importance,
    };
    known.or_json(&ImportancesResponse {
        method: "fanova",
        items: shares.iter().map(item).collect(),
        trials_count: told.trials_count,
        reason,
    })
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SliceParams {
    /// The name of the parameter.
    #[param(max_length = 200, example = "learning_rate")]
    param: String,
    /// The place of the objective, from 0.
    #[param(value_type = Option<u32>, minimum = 0, default = 0)]
    objective: usize,
}

impl FromQuery for SliceParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            param: query.required("param", "the name of a parameter", |name| {
                if name.len() <= PARAM_LENGTH_MAX {
                    return Ok(name.to_owned());
                }
                Err(format!("is too long; give a name of at most {PARAM_LENGTH_MAX} bytes"))
            })?,
            objective: objective(query)?,
        })
    }
}

/// An objective over the values of one parameter
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/slice", tag = "studies", operation_id = "get_study_slice",
    params(
        ("study" = String, Path, description = "The name of the study.", example = "trees-5-0123456789ab"),
        SliceParams,
    ),
    responses((status = 200, description = "The slice.", body = SliceResponse), Unchanged, NoSuchStudy)
)]
async fn study_slice(
    State(app): State<Arc<App>>,
    TextPath(name): TextPath,
    Checked(params): Checked<SliceParams>,
    known: Known,
) -> Result<Response, ApiError> {
    let study = find(&app, name).await?;
    direction(&study, params.objective)?;
    let trials = study.history.trials();
    let Some((axis, points)) = slice(trials, &params.param, params.objective) else {
        let axes = parallel_coordinates(trials, params.objective).axes;
        let names: Vec<String> = axes.into_iter().map(|axis| axis.name).collect();
        return Err(ApiError::InvalidParameter {
            parameter: "param",
            problem: format!(
                "no complete trial has a parameter '{}'; give one of: {}",
                params.param,
                names.join(", ")
            ),
        });
    };
    let points = points.into_iter().map(|point| SlicePointResponse {
        number: point.number,
        x: point.internal,
        value: point.value,
    });
    known.or_json(&SliceResponse { axis: axis.into(), points: points.collect() })
}

/// The complete trials of a study over all parameters at once
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/parallel-coordinates", tag = "studies",
    operation_id = "get_study_parallel_coordinates",
    params(
        ("study" = String, Path, description = "The name of the study.", example = "trees-5-0123456789ab"),
        ObjectiveParams,
    ),
    responses(
        (status = 200, description = "The axes and the trials.", body = ParallelResponse),
        Unchanged,
        NoSuchStudy,
    )
)]
async fn study_parallel_coordinates(
    State(app): State<Arc<App>>,
    TextPath(name): TextPath,
    Checked(params): Checked<ObjectiveParams>,
    known: Known,
) -> Result<Response, ApiError> {
    let study = find(&app, name).await?;
    direction(&study, params.objective)?;
    let ParallelCoordinates { axes, lines } =
        parallel_coordinates(study.history.trials(), params.objective);
    let lines = lines.into_iter().map(|line| LineResponse {
        number: line.number,
        value: line.value,
        x: line.internals,
    });
    let axes = axes.into_iter().map(AxisResponse::from).collect();
    known.or_json(&ParallelResponse { axes, lines: lines.collect() })
}

/// The objectives of a study against each other
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/pareto", tag = "studies", operation_id = "get_study_pareto",
    params(("study" = String, Path, description = "The name of the study.", example = "signal-5-0123456789ab")),
    responses(
        (status = 200, description = "The complete trials and the front.", body = ParetoResponse),
        Unchanged,
        NoSuchObjectives,
    )
)]
async fn study_pareto(
    State(app): State<Arc<App>>,
    TextPath(name): TextPath,
    _: Checked<NoParameters>,
    known: Known,
) -> Result<Response, ApiError> {
    let study = find(&app, name).await?;
    if study.overview.directions.len() < 2 {
        return Err(ApiError::OneObjective(study.overview.name));
    }
    let front: Vec<u64> = study.history.best().iter().map(|trial| trial.number).collect();
    let complete =
        study.history.trials().iter().filter(|trial| trial.state == TrialState::Complete);
    let points = complete.map(|trial| ParetoPoint {
        number: trial.number,
        values: finite(trial),
        on_front: front.binary_search(&trial.number).is_ok(),
    });
    known.or_json(&ParetoResponse {
        points: points.collect(),
        directions: study.overview.directions.iter().copied().map(DirectionWord).collect(),
        objectives: study.overview.objectives,
    })
}
