//! What goes wrong, told as an RFC 9457 problem document: one table from cause to status and code.

mod codes;
mod trading;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bist_access::Role;
use bist_app::StoreError;
use bist_app::access::AccessError;
use bist_app::personal::PersonalError;
use bist_app::portfolios::TradingError;
use bist_market::{Source, Symbol};

use crate::middleware::rate_limit::Spent;

pub(crate) use codes::{Problem, ProblemCode};

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
    /// There is no such group of errors.
    ErrorGroupNotFound(String),
    /// A run cannot be begun, cancelled or begun again as it stands; the text says why.
    JobConflict(String),
    /// Nobody has signed in, and no key in force is shown.
    NotSignedIn,
    /// Who asks does so from elsewhere, and does not show the token of those who watch.
    NotWatching,
    /// The code is owed.
    SecondFactorRequired,
    /// The account needs a second factor for this, and has none.
    EnrolmentRequired,
    /// A fresh code is needed.
    StepUpRequired,
    /// It is for this role.
    Forbidden(Role),
    /// It is for people and not for programs.
    NotForKeys,
    /// It is for an API key itself.
    KeyNeeded,
    /// No page of the session asks for the change.
    CsrfToken,
    /// The page has no host name, for which alone passkeys are made.
    PasskeysUnavailable,
    /// No backup is made, or none can be opened; the text says why.
    BackupsUnavailable(&'static str),
    /// There is no backup of that name here.
    BackupNotFound(String),
    /// This backup, or moment, is being gone back to already.
    RestoreUnderWay(String),
    /// Something about access was not done.
    Access(AccessError),
    /// Something of somebody's own was not done.
    Personal(PersonalError),
    /// Something of paper trading was not done.
    Trading(TradingError),
    /// There is nothing at the path.
    NotFound,
    /// The path does not take the method.
    MethodNotAllowed,
    /// The request is for a host other than this server.
    HostNotLocal(Option<String>),
    /// A page of another site would change something.
    CrossSite,
    /// Whoever asks has to wait.
    RateLimited(Spent),
    /// The account listens to so many live streams already.
    TooManyStreams(usize),
    /// There are as many live streams as there may be.
    StreamsFull,
    /// The path is for `WebSocket`s.
    UpgradeRequired,
    /// The body of the request is too large.
    BodyTooLarge,
    /// The body of the request did not come in time.
    BodyTooSlow,
    /// As many requests are under way as may be.
    Overloaded,
    /// The answer took too long to make.
    TimedOut,
    /// The database failed.
    Store(StoreError),
    /// The program failed; the text is for the log.
    Internal(String),
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
        let problem = code.problem(self.detail(), parameter);
        let Self::Trading(TradingError::Denied(denial)) = self else { return problem };
        problem.denied(denial.code(), trading::numbers(denial))
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
            Self::ErrorGroupNotFound(_) => ProblemCode::ErrorGroupNotFound,
            Self::JobConflict(_) => ProblemCode::JobConflict,
            Self::NotSignedIn | Self::NotWatching => ProblemCode::NotSignedIn,
            Self::SecondFactorRequired => ProblemCode::SecondFactorRequired,
            Self::EnrolmentRequired => ProblemCode::EnrolmentRequired,
            Self::StepUpRequired => ProblemCode::StepUpRequired,
            Self::Forbidden(_) | Self::NotForKeys | Self::KeyNeeded => ProblemCode::Forbidden,
            Self::CsrfToken => ProblemCode::CrossSite,
            Self::PasskeysUnavailable => ProblemCode::PasskeysUnavailable,
            Self::BackupsUnavailable(_) => ProblemCode::BackupsUnavailable,
            Self::BackupNotFound(_) => ProblemCode::BackupNotFound,
            Self::RestoreUnderWay(_) => ProblemCode::RestoreUnderWay,
            Self::Access(error) => code_of(error),
            Self::Personal(error) => personal_code_of(error),
            Self::Trading(error) => trading::code_of(error),
            Self::NotFound => ProblemCode::NotFound,
            Self::MethodNotAllowed => ProblemCode::MethodNotAllowed,
            Self::HostNotLocal(_) => ProblemCode::HostNotLocal,
            Self::CrossSite => ProblemCode::CrossSite,
            Self::RateLimited(_) => ProblemCode::RateLimited,
            Self::TooManyStreams(_) => ProblemCode::TooManyStreams,
            Self::StreamsFull => ProblemCode::StreamsFull,
            Self::UpgradeRequired => ProblemCode::UpgradeRequired,
            Self::BodyTooLarge => ProblemCode::BodyTooLarge,
            Self::BodyTooSlow => ProblemCode::BodyTooSlow,
            Self::Overloaded => ProblemCode::Overloaded,
            Self::TimedOut => ProblemCode::TimedOut,
            Self::Store(StoreError::Busy | StoreError::Unreachable(_)) => ProblemCode::StoreBusy,
            Self::Store(_) | Self::Internal(_) => ProblemCode::Internal,
        };
        (code, None)
    }

    /// What the caller is told. Of internal failures that is only where to look.
    pub(crate) fn detail(&self) -> String {
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
            Self::NotSignedIn => {
                "nobody has signed in, or the session or the API key is not in force; sign in, or send \
                 a key as 'authorization: Bearer KEY'"
                    .to_owned()
            }
            Self::NotWatching => {
                "metrics are for those who ask from this machine; others send the secret \
                 'metrics.token' of the server as 'authorization: Bearer TOKEN'"
                    .to_owned()
            }
            Self::SecondFactorRequired => {
                "the password was right, and the code of the second factor is owed".to_owned()
            }
            Self::EnrolmentRequired => {
                "this needs a second factor, and the account has none; set one up first".to_owned()
            }
            Self::StepUpRequired => {
                "this needs a fresh code of the second factor; give one and repeat it".to_owned()
            }
            Self::Forbidden(role) => format!("this is for the role {role} and above"),
            Self::NotForKeys => {
                "this is for people who have signed in, not for API keys".to_owned()
            }
            Self::KeyNeeded => {
                "this is for programs that ask with an API key, not for people who have signed in".to_owned()
            }
            Self::CsrfToken => {
                "a change by a session needs the header 'x-csrf-token' with what GET \
                 /api/v1/auth/session says; reload the page"
                    .to_owned()
            }
            Self::PasskeysUnavailable => {
                "passkeys are made for a host name, and this page was asked for by an address; open it \
                 as localhost, or have server.public_url name a host"
                    .to_owned()
            }
            Self::BackupsUnavailable(why) => (*why).to_owned(),
            Self::BackupNotFound(name) => format!(
                "there is no backup '{name}' on this machine; GET /api/v1/admin/backups lists what there is"
            ),
            Self::RestoreUnderWay(what) => {
                format!("{what} is being restored already; GET /api/v1/admin/backups tells how far")
            }
            Self::Access(error) if code_of(error) == ProblemCode::Internal => {
                "the server failed; its log has the cause under the request id".to_owned()
            }
            Self::Access(error) => error.to_string(),
            Self::Personal(error) if personal_code_of(error) == ProblemCode::Internal => {
                "the server failed; its log has the cause under the request id".to_owned()
            }
            Self::Personal(error) => error.to_string(),
            Self::Trading(TradingError::Store(error)) => Self::store_detail(error),
            Self::Trading(error) => error.to_string(),
            Self::JobNotFound(id) => {
                format!("there is no run {id} of a job; GET /api/v1/jobs lists what there is")
            }
            Self::ErrorGroupNotFound(id) => format!(
                "there is no group of errors '{id}'; GET /api/v1/admin/errors lists what there is"
            ),
            Self::NotFound => {
                "there is nothing at this path; /api/openapi.json describes what there is"
                    .to_owned()
            }
            Self::MethodNotAllowed => {
                "this path does not take the method; the header 'allow' names those it takes"
                    .to_owned()
            }
            Self::HostNotLocal(None) => {
                "the header 'host' is missing; give a name of this server such as localhost"
                    .to_owned()
            }
            Self::HostNotLocal(Some(host)) => format!(
                "'{host}' is not a name of this server; ask for localhost, or for the host of server.public_url in its configuration"
            ),
            Self::CrossSite => {
                "the request comes from a page of another site; open the page of this \
                                server, or have server.cors_origins list the origin"
                    .to_owned()
            }
            Self::RateLimited(spent) => {
                format!("more than {} requests; try again in {} s", spent.quota, spent.wait_s())
            }
            Self::TooManyStreams(max) => format!(
                "this account listens to {max} live streams already, which is the most; close one of \
                 them, such as a page in another tab"
            ),
            Self::StreamsFull => {
                "there are as many live streams as there may be; try again later, or ask for what is \
                 needed by the other paths"
                    .to_owned()
            }
            Self::UpgradeRequired => {
                "this path is for WebSockets; ask for an upgrade, or use /api/v1/live/events or \
                 /api/v1/live/poll"
                    .to_owned()
            }
            Self::BodyTooSlow => {
                "the body of the request did not come in time; send it again".to_owned()
            }
            Self::BodyTooLarge => "the body of the request is too large".to_owned(),
            Self::Overloaded => {
                "as many requests are under way as may be; try again in a moment".to_owned()
            }
            Self::TimedOut => "the answer took too long to make; try again later".to_owned(),
            Self::Store(error) => Self::store_detail(error),
            Self::Internal(_) => {
                "the server failed; its log has the cause under the request id".to_owned()
            }
        }
    }

    /// What the caller is told of a failure of the database.
    fn store_detail(error: &StoreError) -> String {
        let detail = if matches!(error, StoreError::Busy) {
            return error.to_string();
        } else if matches!(error, StoreError::Unreachable(_)) {
            "the database does not answer; try again when it does"
        } else {
            "the server failed; its log has the cause under the request id"
        };
        detail.to_owned()
    }
}

impl IntoResponse for ApiError {
    /// Leaves the document to [`crate::middleware`], which knows the request id.
    fn into_response(self) -> Response {
        self.tell();
        self.into_untold_response()
    }
}

impl ApiError {
    /// Logs a failure of the server, which is an error of somebody's to look into: the one place where
    /// they are. That a request is sent away because there are too many is none.
    fn tell(&self) {
        let (code, _) = self.code_and_parameter();
        let has_failed =
            [ProblemCode::Internal, ProblemCode::StoreBusy, ProblemCode::TimedOut].contains(&code);
        if !has_failed {
            return;
        }
        if let Self::Internal(cause) = self {
            tracing::error!(error = %cause, "internal error: {cause}");
        } else if let Self::Access(error) = self {
            tracing::error!(error = %error, "access failed: {error}");
        } else if let Self::Personal(error) = self {
            tracing::error!(error = %error, "what belongs to somebody failed: {error}");
        } else if let Self::Trading(error) = self {
            tracing::error!(error = %error, "paper trading failed: {error}");
        } else if let Self::Store(error) = self {
            tracing::error!(error = %error, "the store failed: {error}");
        } else {
            let detail = self.detail();
            tracing::error!(error = %detail, "a request was not answered: {detail}");
        }
    }

    /// The answer of a failure that was logged already.
    pub(crate) fn into_untold_response(self) -> Response {
        let problem = self.problem();
        let (_, status) = problem.code.name_and_status();
        let mut response = status.into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if let Self::UpgradeRequired = &self {
            response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        if let Self::RateLimited(spent) = &self {
            spent.tell(response.headers_mut());
            if let Some(class) = spent.class() {
                response.extensions_mut().insert(class);
            }
        }
        response.extensions_mut().insert(problem);
        response
    }
}

/// What a failure of access is called.
fn code_of(error: &AccessError) -> ProblemCode {
    match error {
        AccessError::WrongCredentials => ProblemCode::WrongCredentials,
        AccessError::Busy => ProblemCode::SignInBusy,
        AccessError::Weak(_) => ProblemCode::WeakPassword,
        AccessError::InvitationInvalid => ProblemCode::InvitationInvalid,
        AccessError::SecondFactorOn
        | AccessError::SecondFactorOff
        | AccessError::NothingToConfirm
        | AccessError::NoPasskey
        | AccessError::TooManyPasskeys
        | AccessError::PasswordNeeded => ProblemCode::SecondFactorState,
        AccessError::UserName(_)
        | AccessError::Key(_)
        | AccessError::PasskeyName(_)
        | AccessError::PasskeyAnswer(_) => ProblemCode::MalformedRequest,
        AccessError::PasskeyRefused => ProblemCode::PasskeyRefused,
        AccessError::NoSuchPasskey(_) => ProblemCode::PasskeyNotFound,
        AccessError::NoSuchUser(_) => ProblemCode::UserNotFound,
        AccessError::NoSuchSession(_) => ProblemCode::SessionNotFound,
        AccessError::NoSuchKey(_) => ProblemCode::ApiKeyNotFound,
        AccessError::KeyNotActive { .. } => ProblemCode::ApiKeyNotActive,
        AccessError::KeyUncollected(_)
        | AccessError::NothingToCollect(_)
        | AccessError::NoSuccessor => ProblemCode::ApiKeyCollection,
        AccessError::LastAdministrator => ProblemCode::LastAdministrator,
        AccessError::Store(StoreError::UserNameTaken(_)) => ProblemCode::UserNameTaken,
        AccessError::Store(StoreError::Busy | StoreError::Unreachable(_)) => ProblemCode::StoreBusy,
        AccessError::Store(_) | AccessError::Secrets(_) | AccessError::PasskeyState(_) => {
            ProblemCode::Internal
        }
    }
}

/// What a failure of something of somebody's own is called.
fn personal_code_of(error: &PersonalError) -> ProblemCode {
    match error {
        PersonalError::NoSuchWatchlist(_) => ProblemCode::WatchlistNotFound,
        PersonalError::NoSuchRule(_) => ProblemCode::AlertRuleNotFound,
        PersonalError::NotSetUp(_) => ProblemCode::AlertChannelNotFound,
        PersonalError::Unavailable(_) => ProblemCode::AlertChannelUnavailable,
        PersonalError::ChangedMeanwhile(_) => ProblemCode::ChangedMeanwhile,
        PersonalError::TooMany { .. } | PersonalError::TooManyTests(_) => ProblemCode::LimitReached,
        PersonalError::NoSuchSymbol(_)
        | PersonalError::Watchlist(_)
        | PersonalError::Rule(_)
        | PersonalError::Channel(_)
        | PersonalError::Settings(_)
        | PersonalError::Address { .. } => ProblemCode::MalformedRequest,
        PersonalError::Store(StoreError::Busy | StoreError::Unreachable(_)) => {
            ProblemCode::StoreBusy
        }
        PersonalError::Store(_) | PersonalError::Secrets(_) => ProblemCode::Internal,
    }
}

impl From<PersonalError> for ApiError {
    fn from(error: PersonalError) -> Self {
        Self::Personal(error)
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
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
    fn the_caller_does_not_see_why_the_server_failed() {
        let error = ApiError::Internal("table of secrets is missing".to_owned());
        assert_eq!(error.detail(), "the server failed; its log has the cause under the request id");
    }
}
