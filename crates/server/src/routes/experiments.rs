//! `/api/v1/experiments`: champions beside challengers, and what the declared rule says of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::experiments::{ExperimentError, ExperimentView};
use bist_lifecycle::evaluation::Sentence;
use bist_lifecycle::experiment::{
    ExperimentDesign, ExperimentReport, ExperimentState, JudgedDay, Mode, UnknownExperimentState,
};
use bist_lifecycle::{Horizon, Signed};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, TextPath, horizon};
use crate::openapi::NoSuchExperiment;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Day, Instant, document, schema, text};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one))
}

/// Where an experiment stands.
#[derive(Debug, Serialize)]
struct ExperimentStateWord(ExperimentState);

schema!(
    ExperimentStateWord,
    "ExperimentState",
    text(
        "Where an experiment stands. While it is `running` it is too early to say which arm is \
         better; every other word is an end.",
        "running"
    )
    .enum_values(Some(ExperimentState::ALL.map(ExperimentState::as_str)))
);

/// The state in words.
#[derive(Debug, Serialize)]
struct SentenceDocument(Sentence);

schema!(
    SentenceDocument,
    "ExperimentSentence",
    document("Where the experiment stands, in a sentence in Turkish and in English.")
        .property("tr", text("In Turkish.", "Henüz değerlendirilen gün yok."))
        .property("en", text("In English.", "No day is judged yet."))
        .required("tr")
        .required("en")
);

/// The rule.
#[derive(Debug, Serialize)]
struct DesignDocument(ExperimentDesign);

schema!(
    DesignDocument,
    "ExperimentDesign",
    document(
        "The rule as it was declared: `champion`, `challengers`, `mode` (`shadow`, or `split` with \
         the `weights` of the arms), `metric` that decides, `error_level`, `days_min`, `days_max`, \
         `improvement_min`, `guardrails` (each `metric` with its `loss_max`), `covariate` of CUPED \
         or null, `missing_share_max`, `watch_days`."
    )
);

/// What the rule says.
#[derive(Debug, Serialize)]
struct ReportDocument(ExperimentReport);

schema!(
    ReportDocument,
    "ExperimentReport",
    document(
        "What the rule says, with every number: `state`, `from` and `to` of the days judged, \
         `days_count`, `unit_days_count` and `missing_by_arm` in shadow mode, `units_by_arm` and \
         `sample_ratio_p_value` in split mode, `sentence`, and `challengers`, each with `verdict`, \
         `improvement` on the champion (`value`, `low`, `high`, `level`; an interval that holds at \
         any number of looks), `p_value`, `guardrails` and `sentence`. The champion comes first in \
         counts by arm."
    )
);

/// What was known after a day.
#[derive(Debug, Serialize)]
struct JudgedDayDocument(JudgedDay);

schema!(
    JudgedDayDocument,
    "ExperimentDay",
    document(
        "What was known after a day that was judged: `day`, `days_count` so far, and of each of \
         `challengers` that was not stopped before its `version`, `improvement` with the interval by \
         which it is judged (null while there are too few days), `p_value` and `verdict`."
    )
);

/// A step of an experiment: when, by whom and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExperimentStep)]
struct SignedResponse {
    /// When.
    at: Instant,
    /// Who: a person, or the experiment by its rule.
    #[schema(example = "experiment 5-2026-11-28")]
    by: String,
    /// Why.
    reason: String,
}

impl From<Signed> for SignedResponse {
    fn from(Signed { at, by, reason }: Signed) -> Self {
        Self { at: Instant(at), by, reason }
    }
}

/// An experiment in short.
#[derive(Debug, Serialize, ToSchema)]
struct ExperimentSummary {
    /// Its name.
    #[schema(example = "5-2026-11-28")]
    id: String,
    /// How many sessions ahead the forecasts look; one where the horizon lies within a session.
    #[schema(example = 5)]
    horizon_sessions: u8,
    /// How far ahead they look: sessions, `1h` or `eod`.
    #[schema(example = "5")]
    horizon: String,
    /// Where it stands.
    state: ExperimentStateWord,
    /// The version that was in force when it was declared.
    #[schema(example = "ensemble-0123456789ab")]
    champion: String,
    /// The versions that want its place.
    #[schema(example = json!(["ensemble-ba9876543210"]))]
    challengers: Vec<String>,
    /// Who is shown what: the champion to all in `shadow`, an arm to each symbol in `split`.
    #[schema(example = "shadow")]
    mode: &'static str,
    /// What decides: `rank_ic`, `brier`, `return_after_costs` or `coverage_error`.
    #[schema(example = "rank_ic")]
    metric: &'static str,
    /// When it was declared.
    declared_at: Instant,
    /// When it ended; null while it goes on.
    #[schema(required)]
    concluded_at: Option<Instant>,
    /// Days judged.
    #[schema(example = 34)]
    days_count: u32,
    /// Days before which nothing is decided.
    #[schema(example = 60)]
    days_min: u32,
    /// Days after which it ends without a decision.
    #[schema(example = 500)]
    days_max: u32,
    /// Where it stands, in words.
    sentence: SentenceDocument,
}

impl From<&ExperimentView> for ExperimentSummary {
    fn from(view: &ExperimentView) -> Self {
        let ExperimentView { design, report, .. } = view;
        Self {
            id: view.id.clone(),
            horizon_sessions: view.horizon.sessions(),
            horizon: view.horizon.to_string(),
            state: ExperimentStateWord(view.state),
            champion: design.champion.clone(),
            challengers: design.challengers.clone(),
            mode: match design.mode {
                Mode::Shadow => "shadow",
                Mode::Split { .. } => "split",
            },
            metric: design.metric.as_str(),
            declared_at: Instant(view.declared.at),
            concluded_at: view.concluded.as_ref().map(|concluded| Instant(concluded.at)),
            days_count: report.days_count,
            days_min: design.days_min,
            days_max: design.days_max,
            sentence: SentenceDocument(report.sentence.clone()),
        }
    }
}

/// An experiment with its rule, what the rule says, and the way there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Experiment)]
struct ExperimentResponse {
    /// The experiment in short.
    #[serde(flatten)]
    summary: ExperimentSummary,
    /// The rule.
    design: DesignDocument,
    /// SHA-256 of the rule: another rule has another one.
    design_sha256: String,
    /// When it was declared, by whom and why.
    declared: SignedResponse,
    /// When it ended, by whom and why; null while it goes on.
    #[schema(required)]
    concluded: Option<SignedResponse>,
    /// What the rule says.
    report: ReportDocument,
    /// Forecasts of all arms.
    #[schema(example = 1800)]
    exposures_count: u64,
    /// Of those, the ones whose outcome is not known yet.
    #[schema(example = 150)]
    open_count: u64,
    /// The first day with an outcome that is open; null when there is none.
    #[schema(required)]
    open_from: Option<Day>,
    /// What was known after each day that was judged, in their order.
    path: Vec<JudgedDayDocument>,
}

impl From<ExperimentView> for ExperimentResponse {
    fn from(view: ExperimentView) -> Self {
        Self {
            summary: ExperimentSummary::from(&view),
            design: DesignDocument(view.design),
            design_sha256: view.design_sha256,
            declared: view.declared.into(),
            concluded: view.concluded.map(SignedResponse::from),
            report: ReportDocument(view.report),
            exposures_count: view.exposures_count,
            open_count: view.open_count,
            open_from: view.open_from.map(Day),
            path: view.path.into_iter().map(JudgedDayDocument).collect(),
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
    #[param(value_type = Option<ExperimentStateWord>, example = "running")]
    state: Option<ExperimentState>,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
            horizon: query.optional("horizon", horizon)?,
            state: query.optional("state", |word| {
                word.parse().map_err(|error: UnknownExperimentState| error.to_string())
            })?,
        })
    }
}

/// All experiments, the newest first
#[utoipa::path(
    get, path = "/api/v1/experiments", tag = "experiments", operation_id = "list_experiments",
    params(ListParams),
    responses((status = 200, description = "Experiments in short.", body = Page<ExperimentSummary>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Checked(params): Checked<ListParams>,
) -> Result<Json<Page<ExperimentSummary>>, ApiError> {
    let views = app.experiments(params.horizon, params.state).await?;
    let page = paging::page(&views, params.cursor, params.limit);
    Ok(Json(page.map(ExperimentSummary::from)))
}

/// One experiment with its rule, what the rule says, and the way there day by day
#[utoipa::path(
    get, path = "/api/v1/experiments/{id}", tag = "experiments", operation_id = "get_experiment",
    params(("id" = String, Path, description = "The name of the experiment.", example = "5-2026-11-28")),
    responses(
        (status = 200, description = "The experiment.", body = ExperimentResponse),
        NoSuchExperiment,
    )
)]
async fn one(
    State(app): State<Arc<App>>,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<ExperimentResponse>, ApiError> {
    let view = app.experiment(&id).await?;
    // Only the command line takes the beginning of a name for the name.
    if view.id != id {
        return Err(ApiError::ExperimentNotFound(id));
    }
    Ok(Json(view.into()))
}

impl From<ExperimentError> for ApiError {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Unknown(name) | ExperimentError::Ambiguous { name, .. } => {
                Self::ExperimentNotFound(name)
            }
            ExperimentError::Store(error) => Self::Store(error),
            other @ (ExperimentError::Name(_)
            | ExperimentError::NoChallenger(_)
            | ExperimentError::OtherOrigin { .. }
            | ExperimentError::NoUnits
            | ExperimentError::Over { .. }
            | ExperimentError::Arm { .. }
            | ExperimentError::Design(_)
            | ExperimentError::Records(_)
            | ExperimentError::Reason(_)
            | ExperimentError::Registry(_)
            | ExperimentError::Training(_)) => Self::Internal(other.to_string()),
        }
    }
}
