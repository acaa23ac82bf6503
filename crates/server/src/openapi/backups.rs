//! What the paths of backups may answer besides.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use super::problem_responses;
use crate::error::ProblemCode;

/// The answers to a run of backups that cannot be asked for.
pub(crate) struct BackupConflict;

impl IntoResponses for BackupConflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::JobConflict, ProblemCode::BackupsUnavailable])
    }
}

/// The answers to a backup that cannot be gone back to.
pub(crate) struct RestoreConflict;

impl IntoResponses for RestoreConflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::BackupNotFound,
            ProblemCode::BackupsUnavailable,
            ProblemCode::RestoreUnderWay,
        ])
    }
}
