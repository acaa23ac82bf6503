//! The kinds of problems by their stable names, and the document that tells one (RFC 9457).

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

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
    /// There is no such group of errors, or it was so long ago that it is kept no more.
    ErrorGroupNotFound,
    /// A run of the job waits or runs already, or the run has ended, or has not.
    JobConflict,
    /// Nobody has signed in, or the session or key is not in force.
    NotSignedIn,
    /// The user name, the password or the code is wrong; which one is not told.
    WrongCredentials,
    /// The code is owed: POST it to `/api/v1/auth/2fa/verify`.
    SecondFactorRequired,
    /// The account needs a second factor for this: begin at `/api/v1/auth/2fa/setup` or
    /// `/api/v1/auth/passkeys/registration`.
    EnrolmentRequired,
    /// A fresh code is needed: POST one to `/api/v1/auth/step-up`.
    StepUpRequired,
    /// The role or the scope of the key may not do this.
    Forbidden,
    /// There is no such account.
    UserNotFound,
    /// There is no such session of yours.
    SessionNotFound,
    /// There is no such API key.
    ApiKeyNotFound,
    /// Another account has the user name.
    UserNameTaken,
    /// Nobody could look after accounts any more.
    LastAdministrator,
    /// The second factor is on already, or is not, or nothing waits to be confirmed, or nothing but the
    /// password would be left.
    SecondFactorState,
    /// There is no such passkey of yours.
    PasskeyNotFound,
    /// The passkey was not made for what was asked for, or an account has it already.
    PasskeyRefused,
    /// Passkeys need a page with a host name; the page was asked for by an address.
    PasskeysUnavailable,
    /// No backup is made, or this machine cannot open any.
    BackupsUnavailable,
    /// There is no such backup on this machine.
    BackupNotFound,
    /// A backup is being gone back to already.
    RestoreUnderWay,
    /// The API key was rotated, taken back, or its time is over.
    ApiKeyNotActive,
    /// The API key has no successor, it was collected, or nobody has collected it yet.
    ApiKeyCollection,
    /// The link was used, is too old, or never was one.
    InvitationInvalid,
    /// The password is too short, too long, or too easy to guess.
    WeakPassword,
    /// Too many people sign in at this moment; try again later.
    SignInBusy,
    /// There is no such watchlist of yours.
    WatchlistNotFound,
    /// There is no such alert rule of yours.
    AlertRuleNotFound,
    /// You are not told of alerts by this channel.
    AlertChannelNotFound,
    /// The server tells nobody of alerts by this channel.
    AlertChannelUnavailable,
    /// There is no such portfolio of yours.
    PortfolioNotFound,
    /// There is no such order of yours.
    OrderNotFound,
    /// The order was reviewed and is not taken; `denial` says by which rule.
    OrderDenied,
    /// The order is filled, cancelled or expired already.
    OrderNotOpen,
    /// Another order was placed under this `idempotency-key`.
    OrderKeyReused,
    /// The portfolio was closed.
    PortfolioClosed,
    /// The calendar knows no session that is still to come.
    NoSession,
    /// It was changed meanwhile, on another device or page; read it again.
    ChangedMeanwhile,
    /// There are as many as one person may have.
    LimitReached,
    /// There is nothing at this path.
    NotFound,
    /// The path does not take this method; the header `allow` names those it takes.
    MethodNotAllowed,
    /// The body of the request is too large.
    BodyTooLarge,
    /// The body of the request did not come in time.
    BodyTooSlow,
    /// A page of another site asks for a change; its origin is not on the list of the server.
    CrossSite,
    /// There were too many requests; the header `retry-after` says when to try again.
    RateLimited,
    /// The account listens to as many live streams as it may.
    TooManyStreams,
    /// There are as many live streams as there may be; try again later.
    StreamsFull,
    /// The path is for `WebSocket`s: ask for an upgrade, or use one of the others below `live`.
    UpgradeRequired,
    /// The request is for a host other than this server.
    HostNotLocal,
    /// The server failed; its log has the cause under the request id.
    Internal,
    /// As many requests are under way as may be; try again later.
    Overloaded,
    /// The answer took too long to make; try again later.
    TimedOut,
    /// Another process holds the database, or it does not answer; try again later.
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
    pub(crate) code: ProblemCode,
    /// The parameter that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "limit")]
    parameter: Option<String>,
    /// The rule by which an order was not taken, such as `cash_short`; the numbers of the rule are members
    /// beside it (amounts and prices as decimal strings, days as dates).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "cash_short")]
    denial: Option<&'static str>,
    /// Those numbers, by name.
    #[serde(flatten)]
    #[schema(ignore)]
    numbers: Map<String, Value>,
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
            Self::ErrorGroupNotFound => ("error_group_not_found", StatusCode::NOT_FOUND),
            Self::JobConflict => ("job_conflict", StatusCode::CONFLICT),
            Self::NotSignedIn => ("not_signed_in", StatusCode::UNAUTHORIZED),
            Self::WrongCredentials => ("wrong_credentials", StatusCode::UNAUTHORIZED),
            Self::SecondFactorRequired => ("second_factor_required", StatusCode::FORBIDDEN),
            Self::EnrolmentRequired => ("enrolment_required", StatusCode::FORBIDDEN),
            Self::StepUpRequired => ("step_up_required", StatusCode::FORBIDDEN),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN),
            Self::UserNotFound => ("user_not_found", StatusCode::NOT_FOUND),
            Self::SessionNotFound => ("session_not_found", StatusCode::NOT_FOUND),
            Self::ApiKeyNotFound => ("api_key_not_found", StatusCode::NOT_FOUND),
            Self::UserNameTaken => ("user_name_taken", StatusCode::CONFLICT),
            Self::LastAdministrator => ("last_administrator", StatusCode::CONFLICT),
            Self::SecondFactorState => ("second_factor_state", StatusCode::CONFLICT),
            Self::PasskeyNotFound => ("passkey_not_found", StatusCode::NOT_FOUND),
            Self::PasskeyRefused => ("passkey_refused", StatusCode::UNPROCESSABLE_ENTITY),
            Self::PasskeysUnavailable => ("passkeys_unavailable", StatusCode::CONFLICT),
            Self::BackupsUnavailable => ("backups_unavailable", StatusCode::CONFLICT),
            Self::BackupNotFound => ("backup_not_found", StatusCode::NOT_FOUND),
            Self::RestoreUnderWay => ("restore_under_way", StatusCode::CONFLICT),
            Self::ApiKeyNotActive => ("api_key_not_active", StatusCode::CONFLICT),
            Self::ApiKeyCollection => ("api_key_collection", StatusCode::CONFLICT),
            Self::InvitationInvalid => ("invitation_invalid", StatusCode::GONE),
            Self::WeakPassword => ("weak_password", StatusCode::UNPROCESSABLE_ENTITY),
            Self::SignInBusy => ("sign_in_busy", StatusCode::SERVICE_UNAVAILABLE),
            Self::WatchlistNotFound => ("watchlist_not_found", StatusCode::NOT_FOUND),
            Self::AlertRuleNotFound => ("alert_rule_not_found", StatusCode::NOT_FOUND),
            Self::AlertChannelNotFound => ("alert_channel_not_found", StatusCode::NOT_FOUND),
            Self::AlertChannelUnavailable => ("alert_channel_unavailable", StatusCode::CONFLICT),
            Self::PortfolioNotFound => ("portfolio_not_found", StatusCode::NOT_FOUND),
            Self::OrderNotFound => ("order_not_found", StatusCode::NOT_FOUND),
            Self::OrderDenied => ("order_denied", StatusCode::UNPROCESSABLE_ENTITY),
            Self::OrderNotOpen => ("order_not_open", StatusCode::CONFLICT),
            Self::OrderKeyReused => ("order_key_reused", StatusCode::CONFLICT),
            Self::PortfolioClosed => ("portfolio_closed", StatusCode::CONFLICT),
            Self::NoSession => ("no_session", StatusCode::CONFLICT),
            Self::ChangedMeanwhile => ("changed_meanwhile", StatusCode::CONFLICT),
            Self::LimitReached => ("limit_reached", StatusCode::CONFLICT),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED),
            Self::BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::BodyTooSlow => ("body_too_slow", StatusCode::REQUEST_TIMEOUT),
            Self::CrossSite => ("cross_site", StatusCode::FORBIDDEN),
            Self::RateLimited => ("rate_limited", StatusCode::TOO_MANY_REQUESTS),
            Self::TooManyStreams => ("too_many_streams", StatusCode::TOO_MANY_REQUESTS),
            Self::StreamsFull => ("streams_full", StatusCode::SERVICE_UNAVAILABLE),
            Self::UpgradeRequired => ("upgrade_required", StatusCode::UPGRADE_REQUIRED),
            Self::HostNotLocal => ("host_not_local", StatusCode::MISDIRECTED_REQUEST),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE),
            Self::TimedOut => ("timed_out", StatusCode::SERVICE_UNAVAILABLE),
            Self::StoreBusy => ("store_busy", StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// A document of this kind; the request id is not known yet.
    pub(super) fn problem(self, detail: String, parameter: Option<String>) -> Problem {
        let (name, status) = self.name_and_status();
        Problem {
            r#type: format!("urn:bist:problem:{name}"),
            title: name.replace('_', " "),
            status: status.as_u16(),
            detail,
            code: self,
            parameter,
            denial: None,
            numbers: Map::new(),
            request_id: String::new(),
        }
    }
}

impl Problem {
    /// The same with the rule by which an order was not taken, and its numbers.
    pub(super) fn denied(self, denial: &'static str, numbers: Map<String, Value>) -> Self {
        Self { denial: Some(denial), numbers, ..self }
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
}
