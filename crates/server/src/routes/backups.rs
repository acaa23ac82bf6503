//! `/api/v1/admin/backups`: which backups there are, runs that make one or try one out, and going back to
//! one.

mod restore;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bist_app::App;
use bist_app::backups::{Backup, BackupError, LogSpan};
use bist_app::jobs::{Job, JobOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::restore::RestoringResponse;
use super::jobs::{self, RunResponse, StepRequest};
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters};
use crate::openapi::BackupConflict;
use crate::schema::Instant;
use crate::visitor::Person;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(drill))
        .routes(routes!(restore::restore))
}

/// A backup.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backup)]
struct BackupResponse {
    /// The name of its file.
    #[schema(example = "bist-20261130T230000Z.tar.zst.age")]
    name: String,
    /// The moment that it shows.
    created_at: Instant,
    /// The bytes of its file.
    size_bytes: u64,
    /// The SHA-256 of its file; null when nothing was noted of it.
    #[schema(required, pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
    /// The rows of all its tables; null when nothing was noted of it.
    #[schema(required)]
    rows_count: Option<u64>,
    /// The program that made it; null when nothing was noted of it.
    #[schema(required, example = "0.1.0")]
    program_version: Option<String>,
    /// How many artefacts of models it is without, for they were nowhere.
    #[schema(required)]
    missing_artifacts_count: Option<u64>,
    /// When it was read as a whole last and was right; null before.
    #[schema(required)]
    verified_at: Option<Instant>,
}

/// The moments that can be gone back to by the log of SQLite that is shipped.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShippedLog)]
struct LogResponse {
    /// The earliest one after which nothing is missing.
    from: Instant,
    /// The newest one.
    to: Instant,
    /// When it was last looked whether anything was written; everything before is in it.
    looked_at: Instant,
}

/// How backups stand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backups)]
struct ListResponse {
    /// The backups, the newest first.
    items: Vec<BackupResponse>,
    /// Where they are on the machine.
    directory: String,
    /// Whether one is made each night: somebody is named who can open it.
    is_enabled: bool,
    /// Whether this machine can open them, and tries the newest one out each week.
    has_identity: bool,
    /// Whether the newest is older than it should be, where they are made.
    is_overdue: bool,
    /// How many days are kept.
    kept_daily: u64,
    /// How many weeks are kept.
    kept_weekly: u64,
    /// How many months are kept.
    kept_monthly: u64,
    /// The moments that can be gone back to besides; null where no log is shipped, or none was yet.
    #[schema(required)]
    log: Option<LogResponse>,
    /// The backup that this server goes back to, or did not go back to the last time; null when it did
    /// neither since it began.
    #[schema(required)]
    restoring: Option<RestoringResponse>,
    /// When everything became what a backup had, the last time; null when it never did.
    #[schema(required)]
    restored_at: Option<Instant>,
}

/// Why a run is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BackupRequest)]
struct AskRequest {
    /// Why; it is recorded.
    #[schema(
        example = "before the upgrade",
        max_length = 500,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    reason: String,
}

impl From<Backup> for BackupResponse {
    fn from(backup: Backup) -> Self {
        let Backup { name, created_at, size_bytes, note } = backup;
        let note = note.as_ref();
        Self {
            name,
            created_at: Instant(created_at),
            size_bytes,
            sha256: note.map(|note| note.sha256.clone()),
            rows_count: note.map(|note| note.rows_count),
            program_version: note.map(|note| note.program_version.clone()),
            missing_artifacts_count: note.map(|note| note.missing_artifacts_count as u64),
            verified_at: note.and_then(|note| note.verified_at).map(Instant),
        }
    }
}

impl From<LogSpan> for LogResponse {
    fn from(span: LogSpan) -> Self {
        let LogSpan { from, to, looked_at } = span;
        Self { from: Instant(from), to: Instant(to), looked_at: Instant(looked_at) }
    }
}

/// The backups that there are
#[utoipa::path(
    get, path = "/api/v1/admin/backups", tag = "backups", operation_id = "list_backups",
    responses((status = 200, description = "How they stand.", body = ListResponse))
)]
async fn list(
    State(app): State<Arc<App>>,
    _: Checked<NoParameters>,
) -> Result<Json<ListResponse>, ApiError> {
    let state = app.backups_state().await.map_err(problem)?;
    let log = app.log_span().await.map_err(problem)?;
    let retention = state.retention;
    Ok(Json(ListResponse {
        items: state.backups.into_iter().map(BackupResponse::from).collect(),
        directory: state.directory.display().to_string(),
        is_enabled: state.is_enabled,
        has_identity: state.has_identity,
        is_overdue: state.is_overdue,
        kept_daily: retention.daily as u64,
        kept_weekly: retention.weekly as u64,
        kept_monthly: retention.monthly as u64,
        log: log.map(LogResponse::from),
        restoring: app.swap_state().map(RestoringResponse::from),
        restored_at: state.restored_at.map(Instant),
    }))
}

/// Ask for a backup; the server begins it within seconds
#[utoipa::path(
    post, path = "/api/v1/admin/backups", tag = "backups", operation_id = "ask_for_backup",
    request_body(content = AskRequest, content_type = "application/json"),
    responses(
        (status = 202, description = "The run waits to be begun.", body = RunResponse),
        BackupConflict,
    )
)]
async fn create(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<AskRequest>,
) -> Result<(StatusCode, Json<RunResponse>), ApiError> {
    if !person.app.backups_state().await.map_err(problem)?.is_enabled {
        return Err(ApiError::BackupsUnavailable(
            "backups are made for nobody: name a recipient as backup.recipients",
        ));
    }
    ask(person, Job::Backup, request).await
}

/// Ask for the newest backup to be tried out: restored beside and looked at
#[utoipa::path(
    post, path = "/api/v1/admin/backups/drill", tag = "backups", operation_id = "ask_for_restore_drill",
    request_body(content = AskRequest, content_type = "application/json"),
    responses(
        (status = 202, description = "The run waits to be begun.", body = RunResponse),
        BackupConflict,
    )
)]
async fn drill(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<AskRequest>,
) -> Result<(StatusCode, Json<RunResponse>), ApiError> {
    if !person.app.backups_state().await.map_err(problem)?.has_identity {
        return Err(ApiError::BackupsUnavailable(
            "this machine cannot open backups: name an identity as backup.identity, or verify them \
             elsewhere by bist backup verify",
        ));
    }
    ask(person, Job::RestoreDrill, request).await
}

fn problem(error: BackupError) -> ApiError {
    if let BackupError::Store(error) = error {
        error.into()
    } else {
        ApiError::Internal(error.to_string())
    }
}

async fn ask(
    person: Person,
    job: Job,
    request: AskRequest,
) -> Result<(StatusCode, Json<RunResponse>), ApiError> {
    let step = StepRequest::new(request.reason, person.account.user_name.to_string());
    let order = JobOrder::of(job);
    let view = person.app.ask_for_job(&order, step.asked()?).await.map_err(jobs::problem)?;
    Ok((StatusCode::ACCEPTED, Json(RunResponse::of(&view))))
}
