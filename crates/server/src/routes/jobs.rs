//! `/api/v1/jobs`: background work, watched, begun, cancelled and begun again.

mod tuning;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bist_app::jobs::{
    Job, JobAsked, JobLine, JobOrder, JobPart, JobSchedule, JobStage, JobState, JobView, UnknownJob,
};
use bist_app::{App, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::tuning::TuningRequest;
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, JsonBody, NoParameters, QueryReader, TextPath};
use crate::openapi::{JobConflict, NoSuchJob};
use crate::paging;
use crate::schema::{Instant, document, schema, text};
use crate::visitor::Asking;

/// Runs of a page unless the caller asks for another number, and at most.
const LIMIT_DEFAULT: u32 = 20;
const LIMIT_MAX: u32 = 200;

/// Most lines of a run in an answer.
const LINES_MAX: u32 = 200;

/// Longest name of who asks, and longest reason, characters.
const NAME_CHARS_MAX: usize = 80;
const REASON_CHARS_MAX: usize = 500;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, ask))
        .routes(routes!(one))
        .routes(routes!(cancel))
        .routes(routes!(retry))
}

/// A job.
#[derive(Clone, Copy, Debug, Serialize)]
struct JobWord(&'static str);

schema!(
    JobWord,
    "JobName",
    text(
        "A job: `nightly-ingest`, `retraining`, `key-care`, `tuning`, `backup` or `restore-drill`.",
        "retraining"
    )
    .enum_values(Some(Job::ALL.map(Job::as_str)))
);

/// Where a run or a stage stands.
#[derive(Clone, Copy, Debug, Serialize)]
struct StateWord(&'static str);

schema!(
    StateWord,
    "JobState",
    text(
        "Where a run or one of its stages stands: `waiting` for somebody to begin it, `running`, \
         `done`, `failed` or `cancelled`.",
        "running"
    )
    .enum_values(Some(JobState::ALL.map(JobState::as_str)))
);

/// What a run was to do, or what a stage found.
#[derive(Clone, Debug, Serialize)]
struct Kept(Value);

schema!(
    Kept,
    "JobDocument",
    document(
        "What a retraining was to do (`horizons`, `seed`, `rule` and its fingerprint) or a tuning \
         (`horizon`, `parts`, `trials_count`, `at_once`, `sampler`, `pruner`, `seed`), or what a stage \
         found; of the stage `decide` it is the list `decisions`."
    )
);

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobRun)]
pub(super) struct RunResponse {
    /// Its number.
    #[schema(example = 12)]
    id: i64,
    /// Which job.
    #[schema(
        example = "retraining",
        pattern = "^(nightly-ingest|retraining|key-care|tuning|backup|restore-drill)$"
    )]
    job: String,
    /// Where it stands.
    state: StateWord,
    /// Whether it was not heard of for so long that its process may have died; whoever looks next
    /// goes on with it.
    is_silent: bool,
    /// When it was due, or asked for.
    due_at: Instant,
    /// Who asked for it; null for the schedule.
    #[schema(required)]
    asked_by: Option<String>,
    /// Why it was asked for.
    #[schema(required)]
    reason: Option<String>,
    /// When it was begun, for the last time if it was begun several times.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    finished_at: Option<Instant>,
    /// How often it was begun.
    attempts_count: u64,
    /// Who wants it to end; it does at its next step.
    #[schema(required)]
    cancel_asked_by: Option<String>,
    /// When it is begun again, if it failed and is.
    #[schema(required)]
    retry_at: Option<Instant>,
    /// What came of it, in an English sentence.
    #[schema(required)]
    detail: Option<String>,
    /// The share of the work that is done, by how long the stages took the last time; null while that
    /// is not known.
    #[schema(required, minimum = 0, maximum = 1)]
    done_share: Option<f64>,
    /// When it will have ended, by how long the stages took the last time; null while that is not
    /// known.
    #[schema(required)]
    eta: Option<Instant>,
    /// Its stages, in their order; empty before it was begun.
    stages: Vec<StageResponse>,
    /// What it was cut into for whichever processes are free, in the order in which that was put in: the
    /// newest 50; empty where nothing was.
    parts: Vec<PartResponse>,
}

/// A part of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobPart)]
struct PartResponse {
    /// Its number.
    #[schema(example = 13)]
    id: i64,
    /// What is done in it.
    #[schema(example = "train 5")]
    name: String,
    /// Where it stands.
    state: StateWord,
    /// When it was begun, for the last time if it was begun several times.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    finished_at: Option<Instant>,
    /// How often it was begun.
    attempts_count: u64,
    /// What of it is being done, in English; empty when that has no name.
    part: String,
    /// How much of it is done.
    done: u64,
    /// How much there is; zero when that is not known.
    total: u64,
    /// What came of it, in an English sentence.
    #[schema(required)]
    detail: Option<String>,
}

/// A stage of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobStage)]
struct StageResponse {
    /// What is done in it: a word, and of a training the horizon.
    #[schema(example = "train 5")]
    name: String,
    /// Where it stands.
    state: StateWord,
    /// When it was begun.
    #[schema(required)]
    began_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    ended_at: Option<Instant>,
    /// Which part of it is being done; empty when it has none.
    part: String,
    /// How much of it is done.
    done: u64,
    /// How much there is; zero when that is not known.
    total: u64,
    /// What came of it, in an English sentence.
    #[schema(required)]
    told: Option<String>,
}

/// Something that a run said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobLine)]
struct LineResponse {
    /// Its place, from one.
    number: u64,
    /// When.
    at: Instant,
    /// Whether it tells of a failure.
    is_failure: bool,
    /// What, in English.
    line: String,
}

/// When a job runs by itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobSchedule)]
struct ScheduleResponse {
    /// Which.
    job: JobWord,
    /// Whether it does at all.
    is_enabled: bool,
    /// When it is due next, or a failed run is begun again; null when it does not, or beyond the
    /// calendar.
    #[schema(required)]
    next_at: Option<Instant>,
}

/// Runs, and when jobs run by themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Jobs)]
struct ListResponse {
    /// The runs, the newest first.
    items: Vec<RunResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    next: Option<String>,
    /// When each job runs by itself.
    schedules: Vec<ScheduleResponse>,
}

/// A run with what it is to do, what its stages found and what it said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobDetails)]
struct DetailsResponse {
    /// The run.
    #[serde(flatten)]
    run: RunResponse,
    /// What it is to do, put down before it began; null where there is nothing to decide.
    #[schema(required)]
    plan: Option<Kept>,
    /// The decisions of a retraining, one a horizon, with the rule, both records, the difference and
    /// a `sentence` in `tr` and `en`; empty before they are made.
    decisions: Vec<Kept>,
    /// What a retraining found of drift, one champion each: `sentence` in `tr` and `en`, `inputs` with
    /// the features and their distances and thresholds, `label`, `performance` and `is_alarm`.
    drift: Vec<Kept>,
    /// What it said, in order.
    lines: Vec<LineResponse>,
}

/// A run that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JobRequest {
    /// Which job; backups are asked for at `/api/v1/admin/backups`.
    #[schema(example = "retraining", pattern = "^(nightly-ingest|retraining|key-care|tuning)$")]
    job: String,
    /// Why; it is recorded.
    #[schema(
        example = "the market has changed",
        max_length = 500,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    reason: String,
    /// Who; it is recorded.
    #[schema(
        example = "ayse",
        max_length = 80,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    by: String,
    /// What a tuning is to do, where it is not what is usual; of a tuning only.
    #[serde(default)]
    tuning: Option<TuningRequest>,
}

/// Who takes a step, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobStep)]
pub(super) struct StepRequest {
    /// Why; it is recorded.
    #[schema(
        example = "the market has changed",
        max_length = 500,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    reason: String,
    /// Who; it is recorded.
    #[schema(
        example = "ayse",
        max_length = 80,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    by: String,
}

impl StepRequest {
    /// A step of `by`.
    pub(super) fn new(reason: String, by: String) -> Self {
        Self { reason, by }
    }

    /// Who asks and why, if both can be recorded.
    pub(super) fn asked(&self) -> Result<JobAsked<'_>, ApiError> {
        let checked = |what: &str, text: &'_ str, max: usize| match text.trim().chars().count() {
            0 => Err(ApiError::Malformed(format!("{what} is empty; it is recorded with the step"))),
            count if count > max => Err(ApiError::Malformed(format!(
                "{what} has {count} characters; give {max} at most"
            ))),
            // They would steer the terminal of whoever reads it.
            _ if text.trim().contains(char::is_control) => Err(ApiError::Malformed(format!(
                "{what} has control characters, such as the end of a line; give plain text"
            ))),
            _ => Ok(()),
        };
        checked("by", &self.by, NAME_CHARS_MAX)?;
        checked("reason", &self.reason, REASON_CHARS_MAX)?;
        Ok(JobAsked { by: self.by.trim(), reason: self.reason.trim() })
    }
}

/// Which runs.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only runs of this job: `nightly-ingest`, `retraining`, `key-care`, `tuning`, `backup` or `restore-drill`.
    #[param(value_type = Option<String>, pattern = "^(nightly-ingest|retraining|key-care|tuning|backup|restore-drill)$", example = "retraining")]
    job: Option<Job>,
    /// Most runs of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 20)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]{1,18}$", example = "before-12")]
    cursor: Option<i64>,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let job =
            |text: &str| Job::parse(text).map_err(|error| format!("{error}; give one of them"));
        Ok(Self {
            job: query.optional("job", job)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", |text| text.parse().ok())?,
        })
    }
}

/// What of a run.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct OneParams {
    /// Only lines after this one; of those at most the last 200.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 2_147_483_647, default = 0)]
    after: u64,
}

impl FromQuery for OneParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let number = |text: &str| {
            let number = text.parse::<u32>().map(u64::from);
            number.map_err(|_| format!("'{text}' is not the number of a line; give one such as 12"))
        };
        Ok(Self { after: query.optional("after", number)?.unwrap_or(0) })
    }
}

/// The runs of jobs, and when they run by themselves
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs", operation_id = "list_jobs",
    params(ListParams),
    responses((status = 200, description = "The runs, the newest first.", body = ListResponse))
)]
async fn list(
    State(app): State<Arc<App>>,
    Checked(params): Checked<ListParams>,
) -> Result<Json<ListResponse>, ApiError> {
    let mut views = app.jobs(params.job, params.cursor, params.limit + 1).await?;
    let has_more = views.len() > params.limit as usize;
    views.truncate(params.limit as usize);
    let next = views.last().filter(|_| has_more).map(|view| format!("before-{}", view.run.id));
    let schedules = app.job_schedules().await?;
    Ok(Json(ListResponse {
        items: views.into_iter().map(|view| RunResponse::of(&view)).collect(),
        next,
        schedules: schedules.into_iter().map(ScheduleResponse::from).collect(),
    }))
}

/// A run: its stages, how far it is, what it found and what it said
#[utoipa::path(
    get, path = "/api/v1/jobs/{run}", tag = "jobs", operation_id = "get_job",
    params(("run" = i64, Path, description = "The number of the run.", minimum = 1, maximum = 2_147_483_647, example = 12), OneParams),
    responses(
        (status = 200, description = "The run.", body = DetailsResponse),
        NoSuchJob,
    )
)]
async fn one(
    State(app): State<Arc<App>>,
    TextPath(run): TextPath,
    Checked(params): Checked<OneParams>,
) -> Result<Json<DetailsResponse>, ApiError> {
    let view = app.job(number(&run)?, params.after, LINES_MAX).await.map_err(problem)?;
    Ok(Json(DetailsResponse::of(&view)))
}

/// Ask for a run; the server begins it within seconds
#[utoipa::path(
    post, path = "/api/v1/jobs", tag = "jobs", operation_id = "ask_for_job",
    request_body(content = JobRequest, content_type = "application/json"),
    responses(
        (status = 202, description = "The run waits to be begun.", body = DetailsResponse),
        JobConflict,
    )
)]
async fn ask(
    Asking { app, .. }: Asking,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<JobRequest>,
) -> Result<(StatusCode, Json<DetailsResponse>), ApiError> {
    let JobRequest { job, reason, by, tuning } = request;
    let job = Job::parse(&job);
    let job = job.map_err(|error: UnknownJob| ApiError::Malformed(error.to_string()))?;
    if matches!(job, Job::Backup | Job::RestoreDrill) {
        return Err(ApiError::Malformed(
            "backups are asked for at /api/v1/admin/backups, by an administrator".to_owned(),
        ));
    }
    let step = StepRequest::new(reason, by);
    let order = match (job, tuning) {
        (Job::Tuning, tuning) => JobOrder::Tuning(tuning.unwrap_or_default().order()?),
        (job, None) => JobOrder::of(job),
        (job, Some(_)) => {
            let job = job.as_str();
            return Err(ApiError::Malformed(format!("tuning: a run of {job} has nothing of it")));
        }
    };
    let view = app.ask_for_job(&order, step.asked()?).await.map_err(problem)?;
    Ok((StatusCode::ACCEPTED, Json(DetailsResponse::of(&view))))
}

/// End a run: at once when it waits, otherwise at its next step
#[utoipa::path(
    post, path = "/api/v1/jobs/{run}/cancel", tag = "jobs", operation_id = "cancel_job",
    params(("run" = i64, Path, description = "The number of the run.", minimum = 1, maximum = 2_147_483_647, example = 12)),
    request_body(content = StepRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The run as it stands now.", body = DetailsResponse),
        JobConflict,
    )
)]
async fn cancel(
    Asking { app, .. }: Asking,
    TextPath(run): TextPath,
    _: Checked<NoParameters>,
    JsonBody(step): JsonBody<StepRequest>,
) -> Result<Json<DetailsResponse>, ApiError> {
    let view = app.cancel_job(number(&run)?, step.asked()?).await.map_err(problem)?;
    Ok(Json(DetailsResponse::of(&view)))
}

/// Let a run that failed or was cancelled be begun again; what it had done is not done again
#[utoipa::path(
    post, path = "/api/v1/jobs/{run}/retry", tag = "jobs", operation_id = "retry_job",
    params(("run" = i64, Path, description = "The number of the run.", minimum = 1, maximum = 2_147_483_647, example = 12)),
    request_body(content = StepRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The run as it stands now.", body = DetailsResponse),
        JobConflict,
    )
)]
async fn retry(
    Asking { app, .. }: Asking,
    TextPath(run): TextPath,
    _: Checked<NoParameters>,
    JsonBody(step): JsonBody<StepRequest>,
) -> Result<Json<DetailsResponse>, ApiError> {
    let view = app.retry_job(number(&run)?, step.asked()?).await.map_err(problem)?;
    Ok(Json(DetailsResponse::of(&view)))
}

fn number(text: &str) -> Result<i64, ApiError> {
    let problem = || format!("'{text}' is not the number of a run; give one such as 12");
    text.parse::<u32>()
        .map(i64::from)
        .map_err(|_| ApiError::InvalidParameter { parameter: "run", problem: problem() })
}

pub(super) fn problem(error: StoreError) -> ApiError {
    if let StoreError::NoSuchJob(id) = error {
        ApiError::JobNotFound(id)
    } else if matches!(
        error,
        StoreError::JobUnderWay { .. } | StoreError::JobMove { .. } | StoreError::JobPart { .. }
    ) {
        ApiError::JobConflict(error.to_string())
    } else {
        ApiError::Store(error)
    }
}

impl RunResponse {
    pub(super) fn of(view: &JobView) -> Self {
        let run = &view.run;
        Self {
            id: run.id,
            job: view.job().to_owned(),
            state: StateWord(run.state.as_str()),
            is_silent: view.is_silent,
            due_at: Instant(run.due_at),
            asked_by: run.asked_by.clone(),
            reason: run.reason.clone(),
            started_at: run.started_at.map(Instant),
            finished_at: run.finished_at.map(Instant),
            attempts_count: run.attempts_count,
            cancel_asked_by: run.cancel_asked_by.clone(),
            retry_at: run.retry_at.map(Instant),
            detail: run.detail.clone(),
            done_share: view.done_share,
            eta: view.eta.map(Instant),
            stages: view.stages.iter().map(StageResponse::of).collect(),
            parts: view.parts.iter().map(PartResponse::of).collect(),
        }
    }
}

impl PartResponse {
    fn of(part: &JobPart) -> Self {
        let JobPart { run, progress } = part;
        Self {
            id: run.id,
            name: part.title().to_owned(),
            state: StateWord(run.state.as_str()),
            started_at: run.started_at.map(Instant),
            finished_at: run.finished_at.map(Instant),
            attempts_count: run.attempts_count,
            part: progress.part.clone(),
            done: progress.done,
            total: progress.total,
            detail: run.detail.clone(),
        }
    }
}

impl DetailsResponse {
    fn of(view: &JobView) -> Self {
        let plan = (!view.run.plan.is_null()).then(|| Kept(view.run.plan.clone()));
        let found = |name: &str| -> Vec<Kept> {
            let stage = view.stages.iter().find(|stage| stage.name == name);
            let found = stage.and_then(|stage| stage.result.as_array());
            found.into_iter().flatten().cloned().map(Kept).collect()
        };
        Self {
            run: RunResponse::of(view),
            plan,
            decisions: found("decide"),
            drift: found("drift"),
            lines: view.lines.iter().map(LineResponse::of).collect(),
        }
    }
}

impl StageResponse {
    fn of(stage: &JobStage) -> Self {
        Self {
            name: stage.name.clone(),
            state: StateWord(stage.state.as_str()),
            began_at: stage.began_at.map(Instant),
            ended_at: stage.ended_at.map(Instant),
            part: stage.progress.part.clone(),
            done: stage.progress.done,
            total: stage.progress.total,
            told: stage.told.clone(),
        }
    }
}

impl LineResponse {
    fn of(line: &JobLine) -> Self {
        let JobLine { number, at, is_failure, line } = line;
        Self { number: *number, at: Instant(*at), is_failure: *is_failure, line: line.clone() }
    }
}

impl From<JobSchedule> for ScheduleResponse {
    fn from(schedule: JobSchedule) -> Self {
        Self {
            job: JobWord(schedule.job.as_str()),
            is_enabled: schedule.is_enabled,
            next_at: schedule.next_at.map(Instant),
        }
    }
}
