//! `/api/v1/jobs`: background work, watched, begun, cancelled and begun again.

mod asked;
mod run;
mod tuning;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bist_app::jobs::{Job, JobOrder, JobSchedule, UnknownJob};
use bist_app::{App, StoreError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::asked::JobRequest;
use self::run::DetailsResponse;
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, JsonBody, NoParameters, QueryReader, TextPath};
use crate::openapi::{JobConflict, NoSuchJob};
use crate::paging;
use crate::schema::{Instant, schema, text};
use crate::visitor::Asking;

pub(super) use self::asked::StepRequest;
pub(super) use self::run::RunResponse;

/// Runs of a page unless the caller asks for another number, and at most.
const LIMIT_DEFAULT: u32 = 20;
const LIMIT_MAX: u32 = 200;

/// Most lines of a run in an answer.
const LINES_MAX: u32 = 200;

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

impl From<JobSchedule> for ScheduleResponse {
    fn from(schedule: JobSchedule) -> Self {
        Self {
            job: JobWord(schedule.job.as_str()),
            is_enabled: schedule.is_enabled,
            next_at: schedule.next_at.map(Instant),
        }
    }
}
