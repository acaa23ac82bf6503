//! What goes wrong, told as an RFC 9457 problem document: one table from cause to status and code.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bist_app::StoreError;
use bist_market::{Source, Symbol};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of problem documents.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Seconds after which a caller may try again.
const RETRY_AFTER_S: u16 = 5;

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// A parameter is missing or malformed.
    InvalidParameter {
        /// Its name.
        parameter: &'static str,
        /// What is wrong and what to give.
        problem: String,
    },
    /// A query parameter that the path does not take.
    UnknownParameter {
        /// Its name.
        parameter: String,
        /// Those it takes.
        known: Vec<&'static str>,
    },
    /// The URL or a header is malformed.
    Malformed(String),
    /// The store has no daily bars of a symbol.
    SymbolNotFound(Symbol),
    /// The bars of a symbol were never validated.
    NotValidated(Symbol),
    /// A symbol has bars of one source only.
    NoSecondSource(Symbol, Source),
    /// Nothing says what the prices of a source mean, so they cannot be adjusted.
    BasisUnknown(Symbol, Source),
    /// There is no such model version.
    ModelVersionNotFound(String),
    /// There is no study of that name.
    StudyNotFound(String),
    /// There is no experiment of that name.
    ExperimentNotFound(String),
    /// A study has one objective, so that nothing can be weighed against it.
    OneObjective(String),
    /// There is no explanation of that name, or of that symbol; the text says what to do.
    ExplanationNotFound(String),
    /// A feature that the model does not read, or a value that it cannot take.
    ChangeRefused(String),
    /// There is no such run of a job.
    JobNotFound(i64),
    /// A run cannot be begun, cancelled or begun again as it stands; the text says why.
    JobConflict(String),
    /// There is nothing at the path.
    NotFound,
    /// The path does not take the method.
    MethodNotAllowed,
    /// The request is for a host other than this machine.
    HostNotLocal(Option<String>),
    /// The body of the request is too large.
    BodyTooLarge,
    /// The answer took too long to make.
    TimedOut,
    /// The database failed.
    Store(StoreError),
    /// The program failed; the text is for the log.
    Internal(String),
}

/// The stable name of a kind of problem; `title` and `detail` may change, this does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProblemCode {
    /// A parameter is missing or malformed; `parameter` names it.
    InvalidParameter,
    /// The path does not take this query parameter; `parameter` names it.
    UnknownParameter,
    /// The request is malformed.
    MalformedRequest,
    /// The store has no daily bars of this symbol.
    SymbolNotFound,
    /// The bars of this symbol were never validated.
    NotValidated,
    /// This symbol has bars of one source only.
    NoSecondSource,
    /// Nothing says what the prices of this source mean, so they cannot be adjusted.
    BasisUnknown,
    /// There is no such model version.
    ModelVersionNotFound,
    /// There is no study of this name.
    StudyNotFound,
    /// There is no experiment of this name.
    ExperimentNotFound,
    /// This study has one objective, so that nothing can be weighed against it.
    OneObjective,
    /// There is no such signal, no forecast of this symbol, or no explanation was kept with it.
    ExplanationNotFound,
    /// The model reads no such feature, or the feature cannot have this value.
    ChangeRefused,
    /// There is no such run of a job.
    JobNotFound,
    /// A run of the job waits or runs already, or the run has ended, or has not.
    JobConflict,
    /// There is nothing at this path.
    NotFound,
    /// The path does not take this method; the header `allow` names those it takes.
    MethodNotAllowed,
    /// The body of the request is too large.
    BodyTooLarge,
    /// The request is for a host other than this machine.
    HostNotLocal,
    /// The server failed; its log has the cause under the request id.
    Internal,
    /// The answer took too long to make; try again later.
    TimedOut,
    /// Another process holds the database; try again later.
    StoreBusy,
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A name for the kind of problem, made of `code`.
    #[schema(format = "uri", example = "urn:bist:problem:symbol_not_found")]
    r#type: String,
    /// What kind of problem this is.
    #[schema(example = "symbol not found")]
    title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What went wrong this time, and what to do.
    #[schema(
        example = "there are no daily bars of THYAO; GET /api/v1/symbols lists what there is"
    )]
    detail: String,
    /// The stable code.
    code: ProblemCode,
    /// The parameter that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "limit")]
    parameter: Option<String>,
    /// The id under which the log has this request; the same as the header `x-request-id`.
    pub(crate) request_id: String,
}

impl ProblemCode {
    /// One line a code: its name and the status that goes with it.
    pub(crate) const fn name_and_status(self) -> (&'static str, StatusCode) {
        match self {
            Self::InvalidParameter => ("invalid_parameter", StatusCode::BAD_REQUEST),
            Self::UnknownParameter => ("unknown_parameter", StatusCode::BAD_REQUEST),
            Self::MalformedRequest => ("malformed_request", StatusCode::BAD_REQUEST),
            Self::SymbolNotFound => ("symbol_not_found", StatusCode::NOT_FOUND),
            Self::NotValidated => ("not_validated", StatusCode::NOT_FOUND),
            Self::NoSecondSource => ("no_second_source", StatusCode::NOT_FOUND),
            Self::BasisUnknown => ("basis_unknown", StatusCode::CONFLICT),
            Self::ModelVersionNotFound => ("model_version_not_found", StatusCode::NOT_FOUND),
            Self::StudyNotFound => ("study_not_found", StatusCode::NOT_FOUND),
            Self::ExperimentNotFound => ("experiment_not_found", StatusCode::NOT_FOUND),
            Self::OneObjective => ("one_objective", StatusCode::NOT_FOUND),
            Self::ExplanationNotFound => ("explanation_not_found", StatusCode::NOT_FOUND),
            Self::ChangeRefused => ("change_refused", StatusCode::UNPROCESSABLE_ENTITY),
            Self::JobNotFound => ("job_not_found", StatusCode::NOT_FOUND),
            Self::JobConflict => ("job_conflict", StatusCode::CONFLICT),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED),
            Self::BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::HostNotLocal => ("host_not_local", StatusCode::MISDIRECTED_REQUEST),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
            Self::TimedOut => ("timed_out", StatusCode::SERVICE_UNAVAILABLE),
            Self::StoreBusy => ("store_busy", StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// A document of this kind; the request id is not known yet.
    fn problem(self, detail: String, parameter: Option<String>) -> Problem {
        let (name, status) = self.name_and_status();
        Problem {
            r#type: format!("urn:bist:problem:{name}"),
            title: name.replace('_', " "),
            status: status.as_u16(),
            detail,
            code: self,
            parameter,
            request_id: String::new(),
        }
    }
}

impl ApiError {
    /// The error for a response of `status` that some layer made without saying more; `None` when
    /// it is not an error.
    pub(crate) fn of_bare(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::NOT_FOUND => Some(Self::NotFound),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::MethodNotAllowed),
            StatusCode::PAYLOAD_TOO_LARGE => Some(Self::BodyTooLarge),
            StatusCode::SERVICE_UNAVAILABLE => Some(Self::TimedOut),
            status if status.is_client_error() => {
                Some(Self::Malformed("the request cannot be read".to_owned()))
            }
            status if status.is_server_error() => Some(Self::Internal(format!("a bare {status}"))),
            _ => None,
        }
    }

    /// The document that tells of this; the request id is not known yet.
    pub(crate) fn problem(&self) -> Problem {
        let (code, parameter) = self.code_and_parameter();
        code.problem(self.detail(), parameter)
    }

    /// The code, and the parameter that is wrong.
    fn code_and_parameter(&self) -> (ProblemCode, Option<String>) {
        let code = match self {
            Self::InvalidParameter { parameter, .. } => {
                return (ProblemCode::InvalidParameter, Some((*parameter).to_owned()));
            }
            Self::UnknownParameter { parameter, .. } => {
                return (ProblemCode::UnknownParameter, Some(parameter.clone()));
            }
            Self::Malformed(_) => ProblemCode::MalformedRequest,
            Self::SymbolNotFound(_) => ProblemCode::SymbolNotFound,
            Self::NotValidated(_) => ProblemCode::NotValidated,
            Self::NoSecondSource(..) => ProblemCode::NoSecondSource,
            Self::BasisUnknown(..) => ProblemCode::BasisUnknown,
            Self::ModelVersionNotFound(_) => ProblemCode::ModelVersionNotFound,
            Self::StudyNotFound(_) => ProblemCode::StudyNotFound,
            Self::ExperimentNotFound(_) => ProblemCode::ExperimentNotFound,
            Self::OneObjective(_) => ProblemCode::OneObjective,
            Self::ExplanationNotFound(_) => ProblemCode::ExplanationNotFound,
            Self::ChangeRefused(_) => ProblemCode::ChangeRefused,
            Self::JobNotFound(_) => ProblemCode::JobNotFound,
            Self::JobConflict(_) => ProblemCode::JobConflict,
            Self::NotFound => ProblemCode::NotFound,
            Self::MethodNotAllowed => ProblemCode::MethodNotAllowed,
            Self::HostNotLocal(_) => ProblemCode::HostNotLocal,
            Self::BodyTooLarge => ProblemCode::BodyTooLarge,
            Self::TimedOut => ProblemCode::TimedOut,
            Self::Store(StoreError::Busy) => ProblemCode::StoreBusy,
            Self::Store(_) | Self::Internal(_) => ProblemCode::Internal,
        };
        (code, None)
    }

    /// What the caller is told. Of internal failures that is only where to look.
    fn detail(&self) -> String {
        match self {
            Self::InvalidParameter { parameter, problem } => format!("{parameter}: {problem}"),
            Self::UnknownParameter { parameter, known } if known.is_empty() => {
                format!("{parameter}: this path takes no query parameters")
            }
            Self::UnknownParameter { parameter, known } => {
                format!("{parameter}: this path takes the query parameters {}", known.join(", "))
            }
            Self::Malformed(problem) => problem.clone(),
            Self::SymbolNotFound(symbol) => format!(
                "there are no daily bars of {symbol}; GET /api/v1/symbols lists what there is"
            ),
            Self::NotValidated(symbol) => {
                format!("the bars of {symbol} were not validated yet; run `bist validate --all`")
            }
            Self::NoSecondSource(symbol, source) => {
                format!(
                    "{symbol} has bars of {source} only; `bist ingest` brings those of another source"
                )
            }
            Self::BasisUnknown(symbol, source) => format!(
                "the prices of {symbol} come from {source}, and nothing says whether they are raw; name it under data.price_basis in the configuration"
            ),
            Self::ModelVersionNotFound(version) => format!(
                "there is no model version '{version}'; GET /api/v1/models lists what there is"
            ),
            Self::StudyNotFound(name) => {
                format!("there is no study '{name}'; GET /api/v1/studies lists what there is")
            }
            Self::ExperimentNotFound(id) => {
                format!(
                    "there is no experiment '{id}'; GET /api/v1/experiments lists what there is"
                )
            }
            Self::OneObjective(name) => {
                format!("the study '{name}' has one objective; ask for its history instead")
            }
            Self::ExplanationNotFound(problem)
            | Self::ChangeRefused(problem)
            | Self::JobConflict(problem) => problem.clone(),
            Self::JobNotFound(id) => {
                format!("there is no run {id} of a job; GET /api/v1/jobs lists what there is")
            }
            Self::NotFound => {
                "there is nothing at this path; /api/openapi.json describes what there is"
                    .to_owned()
            }
            Self::MethodNotAllowed => {
                "this path does not take the method; the header 'allow' names those it takes"
                    .to_owned()
            }
            Self::HostNotLocal(None) => {
                "the header 'host' is missing; give a name of this machine such as localhost"
                    .to_owned()
            }
            Self::HostNotLocal(Some(host)) => format!(
                "'{host}' is not a name of this machine; without accounts only localhost and loopback addresses are served"
            ),
            Self::BodyTooLarge => "the body of the request is too large".to_owned(),
            Self::TimedOut => "the answer took too long to make; try again later".to_owned(),
            Self::Store(StoreError::Busy) => StoreError::Busy.to_string(),
            Self::Store(_) | Self::Internal(_) => {
                "the server failed; its log has the cause under the request id".to_owned()
            }
        }
    }
}

impl IntoResponse for ApiError {
    /// Leaves the document to [`crate::middleware`], which knows the request id.
    fn into_response(self) -> Response {
        let problem = self.problem();
        // The one place where failures of the server are logged.
        if let Self::Internal(cause) = &self {
            tracing::error!(error = %cause, "internal error: {cause}");
        } else if let Self::Store(error) = &self
            && problem.code == ProblemCode::Internal
        {
            tracing::error!(error = %error, "the store failed: {error}");
        }
        let (_, status) = problem.code.name_and_status();
        let mut response = status.into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_code_is_the_one_in_the_document() {
        for code in [ProblemCode::SymbolNotFound, ProblemCode::Internal, ProblemCode::HostNotLocal]
        {
            let document = serde_json::to_value(code.problem(String::new(), None)).unwrap();
            assert_eq!(document["code"], code.name_and_status().0);
        }
    }

    #[test]
    fn the_caller_does_not_see_why_the_server_failed() {
        let error = ApiError::Internal("table of secrets is missing".to_owned());
        assert_eq!(error.detail(), "the server failed; its log has the cause under the request id");
    }
}
