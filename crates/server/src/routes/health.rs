//! Whether the server works.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bist_app::{App, ProcessRole, StoreError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::assets;
use crate::extract::{Checked, NoParameters};
use crate::middleware::Around;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Condition {
    /// It works.
    Ok,
    /// It does not, and the process goes on without: slower, or with what it knew before.
    Degraded,
    /// It does not.
    Failed,
}

/// Whether the process lives.
#[derive(Debug, Serialize, ToSchema)]
struct Liveness {
    /// Always `ok`: a process that does not live does not answer.
    status: Condition,
    /// The version of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// Whether requests can be answered.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// `ok` when every check is; `degraded` when requests are answered all the same.
    status: Condition,
    /// What this process does.
    role: RoleWord,
    /// The checks.
    checks: Checks,
}

/// What was checked.
#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    /// The database answers.
    database: Condition,
    /// The web app is in the binary; left out of a process that serves none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    web_app: Option<Condition>,
    /// What else is outside and asked, as far as this process knows: `redis`, `object_store`, the
    /// `backup_copies` in a bucket and the sources that are set up; and `backups`, where they are made, whose newest may be too old.
    outside: BTreeMap<String, Condition>,
}

/// What a process does.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = ProcessRole)]
#[serde(rename_all = "snake_case")]
enum RoleWord {
    /// Everything.
    All,
    /// It answers people and programs.
    Api,
    /// It does jobs.
    Worker,
    /// It puts in what is due.
    Scheduler,
}

impl From<ProcessRole> for RoleWord {
    fn from(role: ProcessRole) -> Self {
        match role {
            ProcessRole::All => Self::All,
            ProcessRole::Api => Self::Api,
            ProcessRole::Worker => Self::Worker,
            ProcessRole::Scheduler => Self::Scheduler,
        }
    }
}

/// Whether the process lives
#[utoipa::path(
    get, path = "/health/live", tag = "health", operation_id = "health_live",
    responses((status = 200, description = "It does.", body = Liveness))
)]
async fn live(_: Checked<NoParameters>) -> Json<Liveness> {
    Json(Liveness { status: Condition::Ok, version: env!("CARGO_PKG_VERSION") })
}

/// Whether requests can be answered
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "health_ready",
    responses(
        (status = 200, description = "Requests are answered; the checks say whether anything is missing.", body = Readiness),
        (status = 503, description = "Something does not; the checks say what.", body = Readiness),
    )
)]
async fn ready(
    State(app): State<Arc<App>>,
    around: Around,
    _: Checked<NoParameters>,
) -> (StatusCode, Json<Readiness>) {
    let role = around.role();
    let (checks, failure) = checks(&app, role).await;
    if let Some(error) = failure {
        tracing::error!(error = %error, "not ready, the database does not answer: {error}");
    }
    let (is_ready, is_whole) = (checks.are_ready(), checks.are_whole());
    let (code, status) = match (is_ready, is_whole) {
        (true, true) => (StatusCode::OK, Condition::Ok),
        (true, false) => (StatusCode::OK, Condition::Degraded),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, Condition::Failed),
    };
    (code, Json(Readiness { status, role: role.into(), checks }))
}

/// Whether requests can be answered, and what was checked by its names, with whether it works.
pub(super) async fn readiness(app: &App, role: ProcessRole) -> (bool, Vec<(String, bool)>) {
    let (checks, _) = checks(app, role).await;
    let is_ready = checks.are_ready();
    let own = [("database", Some(checks.database)), ("web_app", checks.web_app)];
    let own = own.into_iter().filter_map(|(name, condition)| Some((name.to_owned(), condition?)));
    let all = own.chain(checks.outside);
    (is_ready, all.map(|(name, condition)| (name, condition == Condition::Ok)).collect())
}

impl Checks {
    fn are_ready(&self) -> bool {
        self.database == Condition::Ok && self.web_app != Some(Condition::Failed)
    }

    /// Whether nothing is gone without.
    fn are_whole(&self) -> bool {
        self.outside.values().all(|condition| *condition == Condition::Ok)
    }
}

/// All checks, and why the database does not answer where it does not.
async fn checks(app: &App, role: ProcessRole) -> (Checks, Option<StoreError>) {
    let of = |works| if works { Condition::Ok } else { Condition::Failed };
    let failure = app.ping().await.err();
    // Asked here too, for nothing else may ask of a process that waits for work.
    if let Some(redis) = app.redis()
        && let Err(error) = redis.ping().await
    {
        tracing::debug!(%error, "Redis does not answer: {error}");
    }
    let outside = app.outside().into_iter().map(|part| {
        let condition = if part.is_well() { Condition::Ok } else { Condition::Degraded };
        (part.name, condition)
    });
    // That there is no new backup hinders nobody, and somebody has to be told.
    let backups = app.backups_state().await;
    let backups = match &backups {
        Ok(state) => state.is_enabled.then_some(!state.is_overdue),
        Err(_) => Some(false),
    };
    let backups = backups.map(|is_well| {
        let condition = if is_well { Condition::Ok } else { Condition::Degraded };
        ("backups".to_owned(), condition)
    });
    let checks = Checks {
        database: of(failure.is_none()),
        web_app: role.answers_people().then(|| of(assets::built())),
        outside: outside.chain(backups).collect(),
    };
    (checks, failure)
}
