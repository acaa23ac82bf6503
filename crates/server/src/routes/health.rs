//! Whether the server works.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bist_app::App;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::assets;
use crate::extract::{Checked, NoParameters};

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
    /// `ok` when every check is.
    status: Condition,
    /// The checks.
    checks: Checks,
}

/// What was checked.
#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    /// The database answers.
    database: Condition,
    /// The web app is in the binary.
    web_app: Condition,
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
        (status = 200, description = "Everything works.", body = Readiness),
        (status = 503, description = "Something does not; the checks say what.", body = Readiness),
    )
)]
async fn ready(
    State(app): State<Arc<App>>,
    _: Checked<NoParameters>,
) -> (StatusCode, Json<Readiness>) {
    let of = |works| if works { Condition::Ok } else { Condition::Failed };
    let ping = app.ping().await;
    if let Err(error) = &ping {
        tracing::error!(error = %error, "not ready, the database does not answer: {error}");
    }
    let checks = Checks { database: of(ping.is_ok()), web_app: of(assets::built()) };
    let ready = ping.is_ok() && assets::built();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { status: of(ready), checks }))
}
