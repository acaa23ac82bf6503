//! Going back to a backup while the server runs, which ends and begins anew by that.

use axum::Json;
use axum::http::StatusCode;
use bist_app::backups::{BackupError, BackupsError, SwapRefused, SwapState, SwapWish};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters};
use crate::openapi::RestoreConflict;
use crate::routes::jobs::StepRequest;
use crate::schema::Instant;
use crate::visitor::Person;

/// What is gone back to, and that it is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RestoreRequest)]
pub(super) struct RestoreRequest {
    /// The name of a backup; either this or `at`.
    #[schema(example = "bist-20261130T230000Z.tar.zst.age", max_length = 100)]
    backup: Option<String>,
    /// A moment: everything becomes as it was then, by what the folder of backups has of it.
    #[schema(format = DateTime, max_length = 40)]
    at: Option<String>,
    /// The same once more, letter by letter.
    #[schema(example = "bist-20261130T230000Z.tar.zst.age", max_length = 100)]
    confirmation: String,
    /// Why; it is recorded.
    #[schema(
        example = "the import of this morning was wrong",
        max_length = 500,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    reason: String,
}

/// A backup that is being gone back to, or was not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Restoring)]
pub(super) struct RestoringResponse {
    /// The name of the backup, or the moment.
    #[schema(example = "bist-20261130T230000Z.tar.zst.age")]
    what: String,
    /// How far it has come.
    #[schema(pattern = "^(backing_up|reading|swapping|restarting|failed)$", example = "reading")]
    stage: &'static str,
    /// Since when.
    since: Instant,
    /// The backup of what was there before; null until it is made.
    #[schema(required, example = "bist-20261201T081500Z.tar.zst.age")]
    before: Option<String>,
    /// Why it was not done, in an English sentence; null unless it failed.
    #[schema(required)]
    error: Option<String>,
}

impl From<SwapState> for RestoringResponse {
    fn from(state: SwapState) -> Self {
        let SwapState { what, stage, since, before, error } = state;
        Self { what, stage: stage.as_str(), since: Instant(since), before, error }
    }
}

impl RestoreRequest {
    /// What is wished, if exactly one thing is, and it is typed once more.
    fn wish(&self, now: Timestamp) -> Result<SwapWish, ApiError> {
        let (wish, typed) = match (&self.backup, &self.at) {
            (Some(name), None) => (SwapWish::Backup(name.clone()), name),
            (None, Some(text)) => {
                let at: Timestamp = text.parse().map_err(|_| ApiError::InvalidParameter {
                    parameter: "at",
                    problem: format!(
                        "'{text}' is no instant; give one such as 2026-11-24T12:00:00Z"
                    ),
                })?;
                if at > now {
                    return Err(ApiError::InvalidParameter {
                        parameter: "at",
                        problem: format!("'{text}' is still to come; give a moment that is over"),
                    });
                }
                (SwapWish::Moment(at), text)
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(ApiError::Malformed(
                    "give either 'backup', the name of one, or 'at', a moment".to_owned(),
                ));
            }
        };
        if self.confirmation != *typed {
            return Err(ApiError::InvalidParameter {
                parameter: "confirmation",
                problem: format!("it is not '{typed}'; give the same once more"),
            });
        }
        Ok(wish)
    }
}

/// Go back to a backup: what is there is backed up, all rows are replaced, every process begins anew
#[utoipa::path(
    post, path = "/api/v1/admin/backups/restore", tag = "backups", operation_id = "restore_backup",
    request_body(content = RestoreRequest, content_type = "application/json"),
    responses(
        (status = 202, description = "It was begun.", body = RestoringResponse),
        RestoreConflict,
    )
)]
pub(super) async fn restore(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<RestoreRequest>,
) -> Result<(StatusCode, Json<RestoringResponse>), ApiError> {
    let wish = request.wish(person.app.now())?;
    let step = StepRequest::new(request.reason, person.account.user_name.to_string());
    let state = person.app.begin_swap(wish, step.asked()?.reason).await.map_err(problem)?;
    Ok((StatusCode::ACCEPTED, Json(state.into())))
}

fn problem(error: SwapRefused) -> ApiError {
    match error {
        SwapRefused::UnderWay(what) => ApiError::RestoreUnderWay(what),
        SwapRefused::KeyReadOnce => ApiError::BackupsUnavailable(
            "the master key was given to this server by a file descriptor, which is read once, so that it \
             cannot begin anew by itself; restore by bist backup restore, with the servers stopped",
        ),
        SwapRefused::Backups(BackupsError::NoRecipient) => ApiError::BackupsUnavailable(
            "what is there now would be backed up for nobody: name a recipient as backup.recipients",
        ),
        SwapRefused::Backups(BackupsError::NoIdentity) => ApiError::BackupsUnavailable(
            "this machine cannot open backups: name an identity as backup.identity, or restore where it is \
             by bist backup restore",
        ),
        SwapRefused::Backups(BackupsError::Backup(BackupError::NoSuchBackup(name))) => {
            ApiError::BackupNotFound(name)
        }
        SwapRefused::Backups(BackupsError::Store(error)) => error.into(),
        SwapRefused::Backups(error) => ApiError::Internal(error.to_string()),
    }
}
