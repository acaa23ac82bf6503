//! Whether the server works.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bist_app::health::{self, HealthCheck};
use bist_app::{App, ProcessRole};
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

impl From<health::Condition> for Condition {
    fn from(condition: health::Condition) -> Self {
        match condition {
            health::Condition::Well => Self::Ok,
            health::Condition::Degraded => Self::Degraded,
            health::Condition::Failed => Self::Failed,
        }
    }
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
    /// Why each check that is not `ok` is not, by its name.
    reasons: BTreeMap<String, String>,
}

/// What was checked.
#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    /// The database answers.
    database: Condition,
    /// Its tables are what this program needs; left out when it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    migrations: Option<Condition>,
    /// The clock agrees with that of the database, and with what was recorded before; left out when the
    /// database does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    clock: Option<Condition>,
    /// There is room where the data directory is.
    disk: Condition,
    /// The web app is in the binary; left out of a process that serves none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    web_app: Option<Condition>,
    /// What else is outside and asked, as far as this process knows: `redis`, `object_store`, the
    /// `backup_copies` in a bucket, `mail`, `telegram` and the sources that are set up; and `backups`,
    /// where they are made, whose newest may be too old, and the `recovery_point`, where the log of the
    /// database is shipped.
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
    let seen = looked_at(&app, role).await;
    for check in &seen {
        let HealthCheck { name, cause, .. } = check;
        // What is outside says so itself, where it is asked.
        if let (Some(cause), Condition::Failed) = (cause, check.condition.into()) {
            tracing::error!(error = %cause, "not ready, the check of {name} failed: {cause}");
        }
    }
    let worst = |is_outside: bool| {
        let seen = seen.iter().filter(|check| check.is_outside == is_outside);
        seen.map(|check| check.condition).max().unwrap_or(health::Condition::Well)
    };
    // What is outside can be done without.
    let (code, status) = match (worst(false), worst(true)) {
        (health::Condition::Failed, _) => (StatusCode::SERVICE_UNAVAILABLE, Condition::Failed),
        (health::Condition::Well, health::Condition::Well) => (StatusCode::OK, Condition::Ok),
        (health::Condition::Well | health::Condition::Degraded, _) => {
            (StatusCode::OK, Condition::Degraded)
        }
    };
    let reasons = seen.iter().filter(|check| check.condition != health::Condition::Well);
    let reasons = reasons.map(|check| (check.name.clone(), check.found.clone())).collect();
    (code, Json(Readiness { status, role: role.into(), checks: Checks::of(seen), reasons }))
}

/// Whether requests can be answered, and what was checked by its names, with whether it works.
pub(super) async fn readiness(app: &App, role: ProcessRole) -> (bool, Vec<(String, bool)>) {
    let seen = looked_at(app, role).await;
    let fails =
        |check: &HealthCheck| !check.is_outside && check.condition == health::Condition::Failed;
    let is_ready = !seen.iter().any(fails);
    let works = |check: HealthCheck| (check.name, check.condition == health::Condition::Well);
    (is_ready, seen.into_iter().map(works).collect())
}

/// Everything that a process of this role stands on.
async fn looked_at(app: &App, role: ProcessRole) -> Vec<HealthCheck> {
    let mut seen = app.health().await;
    if role.answers_people() {
        seen.push(web_app());
    }
    seen
}

impl Checks {
    fn of(seen: Vec<HealthCheck>) -> Self {
        let (outside, own): (Vec<_>, Vec<_>) = seen.into_iter().partition(|check| check.is_outside);
        let of = |name: &str| {
            own.iter().find(|check| check.name == name).map(|check| check.condition.into())
        };
        Self {
            database: of("database").unwrap_or(Condition::Failed),
            migrations: of("migrations"),
            clock: of("clock"),
            disk: of("disk").unwrap_or(Condition::Failed),
            web_app: of("web_app"),
            outside: outside
                .into_iter()
                .map(|check| (check.name, check.condition.into()))
                .collect(),
        }
    }
}

/// Whether the web app is in the binary.
pub fn web_app() -> HealthCheck {
    let found = if assets::built() {
        (health::Condition::Well, "it is in the binary".to_owned())
    } else {
        (health::Condition::Failed, "it is not in the binary".to_owned())
    };
    HealthCheck::of("web_app", found, "build it before the binary, as `make run` does")
}
