//! What is asked of jobs: a run, and a step of one, by whom and why.

use bist_app::jobs::JobAsked;
use serde::Deserialize;
use utoipa::ToSchema;

use super::tuning::TuningRequest;
use crate::error::ApiError;

/// Longest name of who asks, and longest reason, characters.
const NAME_CHARS_MAX: usize = 80;
const REASON_CHARS_MAX: usize = 500;

/// A run that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobRequest {
    /// Which job; backups are asked for at `/api/v1/admin/backups`.
    #[schema(example = "retraining", pattern = "^(nightly-ingest|retraining|key-care|tuning)$")]
    pub(super) job: String,
    /// Why; it is recorded.
    #[schema(
        example = "the market has changed",
        max_length = 500,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    pub(super) reason: String,
    /// Who; it is recorded.
    #[schema(
        example = "ayse",
        max_length = 80,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    pub(super) by: String,
    /// What a tuning is to do, where it is not what is usual; of a tuning only.
    #[serde(default)]
    pub(super) tuning: Option<TuningRequest>,
}

/// Who takes a step, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobStep)]
pub(crate) struct StepRequest {
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
    pub(crate) fn new(reason: String, by: String) -> Self {
        Self { reason, by }
    }

    /// Who asks and why, if both can be recorded.
    pub(crate) fn asked(&self) -> Result<JobAsked<'_>, ApiError> {
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
