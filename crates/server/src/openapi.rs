//! The description of the API, generated from the handlers.

mod backups;
mod paper;

use std::collections::BTreeMap;
use std::mem;

use axum::body::Bytes;
use axum::http::Method;
use bist_access::{Role, WeakPassword};
use bist_app::access::AccessError;
use bist_app::personal::PersonalError;
use bist_app::portfolios::TradingError;
use bist_app::rate_limits::Quotas;
use bist_app::{Class, StoreError};
use bist_market::{Notional, Source, Symbol};
use bist_trading::watchlist::WATCHLISTS_MAX;
use bist_trading::{Channel, Denial};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{AllOfBuilder, ArrayItems, ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, Header, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref,
    RefOr, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoResponses, OpenApi as _, ToSchema};

use crate::access_table::{Needs, needs};
use crate::error::{ApiError, PROBLEM_JSON, Problem, ProblemCode};
use crate::middleware::authenticate::SESSION_COOKIE;
use crate::middleware::rate_limit::Spent;

pub(crate) use backups::{BackupConflict, RestoreConflict};
pub(crate) use paper::{
    NoMorePortfolios, NoSuchOrder, NoSuchPortfolio, OrderConflict, OrderDenied, OrderRefused,
    PortfolioConflict,
};

/// What the routes are about, in the order in which a reader wants them.
const TAGS: [(&str, &str); 23] = [
    ("symbols", "What is traded, and the newest of everything about it."),
    ("bars", "Prices that passed the checks."),
    ("forecasts", "What the model in force expects, with its bands."),
    ("signals", "What to do about it, and why."),
    ("explanations", "Why a forecast is what it is, and what it would be."),
    ("models", "The models, where they come from, and what they were worth out of sample."),
    ("jobs", "Background work: the nightly ingest and the retraining, watched, begun, cancelled."),
    ("live", "What has just changed: by WebSocket, by server-sent events, by asking again."),
    ("experiments", "Champions beside challengers, judged by a rule that was declared before."),
    ("studies", "How the settings of models were searched, trial by trial."),
    ("data-quality", "What the validator found in the data."),
    ("market", "The calendar and the rules of the exchange, and what its shares do together."),
    ("portfolios", "Paper money and the shares that it bought; no broker is asked."),
    ("orders", "Paper orders: reviewed, executed on the bars of later sessions, taken back."),
    ("auth", "Signing in and out, and what belongs to who has."),
    ("api-keys", "What programs show instead of a password."),
    ("personal", "What belongs to who asks: watchlists, alerts, settings."),
    ("users", "Accounts, for who looks after them."),
    ("audit", "What was done, by whom, and whether the record is whole."),
    ("admin", "How the service is used, and what people do; for who looks after it."),
    (
        "backups",
        "Which backups there are, runs that make one or try one out, and going back to one.",
    ),
    ("errors", "What went wrong, in the server and in its pages."),
    ("health", "Whether the server works; for those who watch over it."),
];

/// Problems that every path may answer with, by the name of their response.
const SHARED: [(&str, &[ProblemCode]); 4] = [
    ("HostNotLocal", &[ProblemCode::HostNotLocal]),
    ("Internal", &[ProblemCode::Internal]),
    ("Unavailable", &[ProblemCode::Overloaded, ProblemCode::TimedOut, ProblemCode::StoreBusy]),
    ("UnknownParameter", &[ProblemCode::UnknownParameter]),
];

/// Problems of paths that are counted: those of the API.
const COUNTED: (&str, &[ProblemCode]) = ("RateLimited", &[ProblemCode::RateLimited]);

/// Problems of what changes something.
const CHANGES: (&str, &[ProblemCode]) = ("CrossSite", &[ProblemCode::CrossSite]);

/// Problems of what is not for everybody: of who asks, and of what they may not.
const GUARDED: [(&str, &[ProblemCode]); 2] = [
    ("NotSignedIn", &[ProblemCode::NotSignedIn]),
    (
        "Forbidden",
        &[
            ProblemCode::Forbidden,
            ProblemCode::SecondFactorRequired,
            ProblemCode::EnrolmentRequired,
            ProblemCode::StepUpRequired,
            ProblemCode::CrossSite,
        ],
    ),
];

/// How somebody shows who they are, by the name of the scheme: a cookie and a header.
const BY_SESSION: &str = "session";
/// See [`BY_SESSION`].
const BY_KEY: &str = "api_key";
/// See [`BY_SESSION`].
const BY_TOKEN: &str = "metrics_token";

/// Problems of what has a body.
const BODIES: [(&str, &[ProblemCode]); 2] =
    [("BodyTooLarge", &[ProblemCode::BodyTooLarge]), ("BodyTooSlow", &[ProblemCode::BodyTooSlow])];

/// What takes the place of `UnknownParameter` where there are parameters.
const BAD_PARAMETERS: (&str, &[ProblemCode]) = (
    "BadParameters",
    &[ProblemCode::InvalidParameter, ProblemCode::UnknownParameter, ProblemCode::MalformedRequest],
);

/// Schemas that no handler mentions.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(Problem, ProblemCode)))]
struct Shared;

/// The document before the handlers are known.
pub(crate) fn frame() -> OpenApi {
    let description = "Bars of Borsa Istanbul, forecasts with bands, signals with reasons, and the \
        record of the models behind them.\n\nTimes are RFC 3339 in UTC, days are dates in \
        Europe/Istanbul, prices are decimal strings, shares of one are numbers (0.05 is 5 %). Lists \
        have `items` and `next`; give `next` as `cursor` to get the following page. Errors are RFC \
        9457 problem documents with a stable `code`. Unknown query parameters are refused. Data made \
        by the sample generator say `origin: sample` wherever they appear.";
    let license =
        LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0"));
    let info = InfoBuilder::new()
        .title("BIST AI Smart Trader")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description))
        .license(Some(license.build()))
        .build();
    let tags =
        TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    OpenApiBuilder::from(Shared::openapi()).info(info).tags(Some(tags)).build()
}

/// The bytes of the finished document.
///
/// # Panics
///
/// Never: the document is plain data, as a test shows.
pub(crate) fn document(mut description: OpenApi) -> Bytes {
    let components = description.components.get_or_insert_default();
    refer_to_items(components);
    let shared = SHARED.into_iter().chain(BODIES).chain(GUARDED);
    for (name, codes) in shared.chain([COUNTED, CHANGES, BAD_PARAMETERS]) {
        let response = problem_response(codes);
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    components.add_security_scheme(BY_SESSION, cookie);
    let key = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.add_security_scheme(BY_KEY, key.clone());
    components.add_security_scheme(BY_TOKEN, key);
    let own = description.paths.paths.iter_mut().flat_map(|(path, item)| {
        let path = path.as_str();
        methods(item).into_iter().flat_map(move |(method, operation)| {
            operation.into_iter().flat_map(move |operation| {
                describe(operation, &method, path);
                operation.responses.responses.values_mut()
            })
        })
    });
    for response in own.chain(components.responses.values_mut()) {
        if let RefOr::T(response) = response {
            response.headers.insert("x-request-id".to_owned(), RefOr::T(request_id_header()));
        }
    }
    let text = description.to_pretty_json().expect("the description is plain data");
    Bytes::from(text)
}

/// The operations of a path.
fn methods(item: &mut PathItem) -> [(Method, Option<&mut Operation>); 4] {
    [
        (Method::GET, item.get.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ]
}

/// Says of an operation what it needs, and which problems may come instead of what was asked for.
fn describe(operation: &mut Operation, method: &Method, path: &str) {
    describe_problems(operation);
    let needs = needs(method, path);
    let needed = needs.map_or("nobody".to_owned(), |needs| needs.to_string());
    operation.extensions = Some(Extensions::builder().add("x-needs", needed).build());
    if needs != Some(Needs::Nothing) {
        let schemes = match needs {
            Some(Needs::Role(_)) => vec![BY_SESSION, BY_KEY],
            Some(Needs::Key) => vec![BY_KEY],
            Some(Needs::Watcher) => vec![BY_TOKEN],
            _ => vec![BY_SESSION],
        };
        let none: [&str; 0] = [];
        let required = schemes.into_iter().map(|scheme| SecurityRequirement::new(scheme, none));
        // Programs of this machine need not say who they are.
        let nobody = (needs == Some(Needs::Watcher)).then(SecurityRequirement::default);
        operation.security = Some(nobody.into_iter().chain(required).collect());
        // Who is known and may not is nobody there.
        let count = if needs == Some(Needs::Watcher) { 1 } else { GUARDED.len() };
        GUARDED.into_iter().take(count).for_each(|problem| refer_to(operation, problem));
    }
    if path.starts_with("/api/") {
        refer_to(operation, COUNTED);
    }
    if *method != Method::GET {
        refer_to(operation, CHANGES);
    }
    if operation.request_body.is_some() {
        BODIES.into_iter().for_each(|problem| refer_to(operation, problem));
    }
}

/// Refers to the problems that may come instead of what was asked for.
fn describe_problems(operation: &mut Operation) {
    for (name, codes) in SHARED {
        let (name, codes) = match name {
            "UnknownParameter"
                if operation.parameters.is_some() || operation.request_body.is_some() =>
            {
                BAD_PARAMETERS
            }
            _ => (name, codes),
        };
        refer_to(operation, (name, codes));
    }
}

/// Refers to a problem, unless the handler describes one of the same status itself.
fn refer_to(operation: &mut Operation, (name, codes): (&str, &[ProblemCode])) {
    let status = codes[0].name_and_status().1.as_u16().to_string();
    let response = RefOr::Ref(Ref::from_response_name(name));
    operation.responses.responses.entry(status).or_insert(response);
}

/// Lets each page refer to the schema of its items, which the derived schema repeats.
fn refer_to_items(components: &mut Components) {
    let mut repeated = Vec::new();
    for (name, schema) in &mut components.schemas {
        let Some(item) = name.strip_prefix("Page_") else { continue };
        if let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            let reference = RefOr::Ref(Ref::from_schema_name(item));
            let reference = ArrayItems::RefOrSchema(Box::new(reference));
            if let ArrayItems::RefOrSchema(schema) = mem::replace(&mut items.items, reference) {
                repeated.push((item.to_owned(), *schema));
            }
        }
    }
    for (name, schema) in repeated {
        components.schemas.entry(name).or_insert(schema);
    }
}

fn request_id_header() -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some("The id under which the server's log has this request."))
        .build()
}

/// The answer to a request for a symbol that the store does not have.
pub(crate) struct NoSuchSymbol;

impl IntoResponses for NoSuchSymbol {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::SymbolNotFound])
    }
}

/// The answer to a request for the quality of a symbol that was not validated, or is not there.
pub(crate) struct NoSuchQuality;

impl IntoResponses for NoSuchQuality {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::SymbolNotFound, ProblemCode::NotValidated])
    }
}

/// The answer to a request that compares the sources of a symbol that has one, or none.
pub(crate) struct NoSecondSource;

impl IntoResponses for NoSecondSource {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::SymbolNotFound, ProblemCode::NoSecondSource])
    }
}

/// The answers to a request for bars that are not there, or cannot be adjusted.
pub(crate) struct NoSuchBars;

impl IntoResponses for NoSuchBars {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::SymbolNotFound, ProblemCode::BasisUnknown])
    }
}

/// The answer to a request for a model version that there is not.
pub(crate) struct NoSuchModelVersion;

impl IntoResponses for NoSuchModelVersion {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ModelVersionNotFound])
    }
}

/// The answer to a request for a study that there is not.
pub(crate) struct NoSuchStudy;

impl IntoResponses for NoSuchStudy {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::StudyNotFound])
    }
}

/// The answer to a request for an experiment that there is not.
pub(crate) struct NoSuchExperiment;

impl IntoResponses for NoSuchExperiment {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ExperimentNotFound])
    }
}

/// The answer to a request that weighs the objectives of a study that has one, or is not there.
pub(crate) struct NoSuchObjectives;

impl IntoResponses for NoSuchObjectives {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::StudyNotFound, ProblemCode::OneObjective])
    }
}

/// The answers to a request about a run that there is not, or that cannot be done with it.
pub(crate) struct NoSuchJob;

impl IntoResponses for NoSuchJob {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::JobNotFound])
    }
}

/// The answers to a step that cannot be taken with a run.
pub(crate) struct JobConflict;

impl IntoResponses for JobConflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::JobNotFound, ProblemCode::JobConflict])
    }
}

/// The answer to credentials that are not right.
pub(crate) struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::NotSignedIn,
            ProblemCode::WrongCredentials,
            ProblemCode::Overloaded,
            ProblemCode::TimedOut,
            ProblemCode::StoreBusy,
            ProblemCode::SignInBusy,
        ])
    }
}

/// The answers to a new password that is not taken, or an old one that is not right.
pub(crate) struct WeakPasswords;

impl IntoResponses for WeakPasswords {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = Refused::responses();
        responses.extend(problem_responses(&[ProblemCode::WeakPassword]));
        responses
    }
}

/// The answer to a link that is not good.
pub(crate) struct InvalidInvitation;

impl IntoResponses for InvalidInvitation {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::InvitationInvalid])
    }
}

/// The answer to a step with the second factor that cannot be taken as it stands.
pub(crate) struct SecondFactorStates;

impl IntoResponses for SecondFactorStates {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::SecondFactorState])
    }
}

/// The answers to a step with passkeys that cannot be taken as it stands, or on this page.
pub(crate) struct PasskeyStates;

impl IntoResponses for PasskeyStates {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::SecondFactorState, ProblemCode::PasskeysUnavailable])
    }
}

/// The answer to a new passkey that is not taken.
pub(crate) struct RefusedPasskey;

impl IntoResponses for RefusedPasskey {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::PasskeyRefused])
    }
}

/// The answer to a request for a passkey that there is not.
pub(crate) struct NoSuchPasskey;

impl IntoResponses for NoSuchPasskey {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::PasskeyNotFound])
    }
}

/// The answers about a list of shares that there is not, that was changed meanwhile, or that would be
/// one too many.
pub(crate) struct WatchlistStates;

impl IntoResponses for WatchlistStates {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::WatchlistNotFound,
            ProblemCode::ChangedMeanwhile,
            ProblemCode::LimitReached,
        ])
    }
}

/// The answer to settings that were changed meanwhile.
pub(crate) struct SettingsStates;

impl IntoResponses for SettingsStates {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ChangedMeanwhile])
    }
}

/// The answers about a rule that there is not, that was changed meanwhile, or that would be one too
/// many.
pub(crate) struct AlertRuleStates;

impl IntoResponses for AlertRuleStates {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::AlertRuleNotFound,
            ProblemCode::ChangedMeanwhile,
            ProblemCode::LimitReached,
        ])
    }
}

/// The answers about a channel that there is not, here or of the person.
pub(crate) struct AlertChannelStates;

impl IntoResponses for AlertChannelStates {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::AlertChannelNotFound,
            ProblemCode::AlertChannelUnavailable,
            ProblemCode::LimitReached,
        ])
    }
}

/// The answer to a request for a session that there is not.
pub(crate) struct NoSuchSession;

impl IntoResponses for NoSuchSession {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::SessionNotFound])
    }
}

/// The answer to a request for an account that there is not.
pub(crate) struct NoSuchUser;

impl IntoResponses for NoSuchUser {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::UserNotFound])
    }
}

/// The answers to a change of accounts that cannot be made.
pub(crate) struct UserConflict;

impl IntoResponses for UserConflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::UserNameTaken, ProblemCode::LastAdministrator])
    }
}

/// The answer to a request for an API key that there is not.
pub(crate) struct NoSuchKey;

impl IntoResponses for NoSuchKey {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ApiKeyNotFound])
    }
}

/// The answer to a step that cannot be taken with an API key.
pub(crate) struct KeyConflict;

impl IntoResponses for KeyConflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ApiKeyNotActive, ProblemCode::ApiKeyCollection])
    }
}

/// The answers to who would listen and cannot.
pub(crate) struct NoStream;

impl IntoResponses for NoStream {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::TooManyStreams,
            ProblemCode::RateLimited,
            ProblemCode::StreamsFull,
            ProblemCode::TimedOut,
            ProblemCode::StoreBusy,
        ])
    }
}

/// The answer to who asks for a WebSocket as for a page.
pub(crate) struct UpgradeNeeded;

impl IntoResponses for UpgradeNeeded {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::UpgradeRequired])
    }
}

/// The answer to who has the last one already.
pub(crate) struct Unchanged;

impl IntoResponses for Unchanged {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = ResponseBuilder::new().description(
            "Nothing has changed since the answer whose `etag` was sent as `if-none-match`.",
        );
        BTreeMap::from([("304".to_owned(), RefOr::T(response.build()))])
    }
}

/// The answer to a request about a group of errors that there is not.
pub(crate) struct NoSuchErrorGroup;

impl IntoResponses for NoSuchErrorGroup {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ErrorGroupNotFound])
    }
}

/// The answer to a request for an explanation that there is not.
pub(crate) struct NoSuchExplanation;

impl IntoResponses for NoSuchExplanation {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ExplanationNotFound])
    }
}

/// The answers to a change that cannot be made.
pub(crate) struct ChangeRefused;

impl IntoResponses for ChangeRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::ExplanationNotFound, ProblemCode::ChangeRefused])
    }
}

/// The answers with these codes, by status, each with an example.
fn problem_responses(codes: &[ProblemCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.name_and_status().1.as_u16()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(problem_response(&codes))))
        .collect()
}

fn problem_response(codes: &[ProblemCode]) -> Response {
    let names: Vec<&str> = codes.iter().map(|code| code.name_and_status().0).collect();
    let codes_schema =
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.clone()));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name(Problem::name()))
        .item(ObjectBuilder::new().property("code", codes_schema));
    let examples = codes.iter().zip(&names).map(|(code, name)| {
        let mut problem = example(*code).problem();
        problem.request_id = "5f3c9a1be07d4c22".to_owned();
        let value = serde_json::to_value(problem).ok();
        ((*name).to_owned(), RefOr::T(ExampleBuilder::new().value(value).build()))
    });
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples);
    ResponseBuilder::new()
        .description(names.join(" or ").replace('_', " "))
        .content(PROBLEM_JSON, content.build())
        .build()
}

/// An error of each code, so that the examples have the words that are sent.
fn example(code: ProblemCode) -> ApiError {
    let symbol = || Symbol::parse("THYAO").expect("a well-formed symbol");
    match code {
        ProblemCode::InvalidParameter => ApiError::InvalidParameter {
            parameter: "limit",
            problem: "'0' is not a limit; give a whole number from 1 to 1000".to_owned(),
        },
        ProblemCode::UnknownParameter => ApiError::UnknownParameter {
            parameter: "page".to_owned(),
            known: vec!["limit", "cursor"],
        },
        ProblemCode::MalformedRequest => ApiError::Malformed(
            "the path is not UTF-8 once its percent signs are decoded".to_owned(),
        ),
        ProblemCode::SymbolNotFound => ApiError::SymbolNotFound(symbol()),
        ProblemCode::NotValidated => ApiError::NotValidated(symbol()),
        ProblemCode::NoSecondSource => ApiError::NoSecondSource(symbol(), Source::CSV),
        ProblemCode::BasisUnknown => ApiError::BasisUnknown(symbol(), Source::CSV),
        ProblemCode::ModelVersionNotFound => {
            ApiError::ModelVersionNotFound("gbdt-0123456789ab".to_owned())
        }
        ProblemCode::ExperimentNotFound => ApiError::ExperimentNotFound("5-2026-11-28".to_owned()),
        ProblemCode::StudyNotFound => ApiError::StudyNotFound("trees-5-0123456789ab".to_owned()),
        ProblemCode::OneObjective => ApiError::OneObjective("trees-5-0123456789ab".to_owned()),
        ProblemCode::ExplanationNotFound => ApiError::ExplanationNotFound(
            "there is no signal 'ensemble-0123456789ab-THYAO-2026-11-23'; `bist signals` makes and \
             names them"
                .to_owned(),
        ),
        ProblemCode::ChangeRefused => ApiError::ChangeRefused(
            "the model reads no feature 'rsi14'; near it are rsi_14, mfi_14, adx_14".to_owned(),
        ),
        ProblemCode::JobNotFound => ApiError::JobNotFound(12),
        ProblemCode::ErrorGroupNotFound => {
            ApiError::ErrorGroupNotFound("e0123456789abcdef".to_owned())
        }
        ProblemCode::JobConflict => ApiError::JobConflict(
            "run 12 of the retraining is running already; watch it with `bist jobs watch 12`, or \
             end it with `bist jobs cancel 12`"
                .to_owned(),
        ),
        ProblemCode::NotSignedIn => ApiError::NotSignedIn,
        ProblemCode::WrongCredentials => AccessError::WrongCredentials.into(),
        ProblemCode::SecondFactorRequired => ApiError::SecondFactorRequired,
        ProblemCode::EnrolmentRequired => ApiError::EnrolmentRequired,
        ProblemCode::StepUpRequired => ApiError::StepUpRequired,
        ProblemCode::Forbidden => ApiError::Forbidden(Role::Admin),
        ProblemCode::UserNotFound => AccessError::NoSuchUser("u0123456789abcdef".to_owned()).into(),
        ProblemCode::SessionNotFound => {
            AccessError::NoSuchSession("s0123456789abcdef".to_owned()).into()
        }
        ProblemCode::ApiKeyNotFound => AccessError::NoSuchKey("k0123456789abcdef".to_owned()).into(),
        ProblemCode::UserNameTaken => {
            let name = "ayse.yilmaz".parse().expect("a well-formed name");
            AccessError::Store(StoreError::UserNameTaken(name)).into()
        }
        ProblemCode::LastAdministrator => AccessError::LastAdministrator.into(),
        ProblemCode::SecondFactorState => AccessError::SecondFactorOn.into(),
        ProblemCode::PasskeyNotFound => {
            AccessError::NoSuchPasskey("p0123456789abcdef".to_owned()).into()
        }
        ProblemCode::PasskeyRefused => AccessError::PasskeyRefused.into(),
        ProblemCode::PasskeysUnavailable => ApiError::PasskeysUnavailable,
        ProblemCode::BackupsUnavailable => ApiError::BackupsUnavailable(
            "backups are made for nobody: name a recipient as backup.recipients",
        ),
        ProblemCode::BackupNotFound => {
            ApiError::BackupNotFound("bist-20261130T230000Z.tar.zst.age".to_owned())
        }
        ProblemCode::RestoreUnderWay => {
            ApiError::RestoreUnderWay("bist-20261130T230000Z.tar.zst.age".to_owned())
        }
        ProblemCode::ApiKeyNotActive => {
            AccessError::KeyNotActive { id: "k0123456789abcdef".to_owned(), state: "revoked" }.into()
        }
        ProblemCode::ApiKeyCollection => AccessError::NoSuccessor.into(),
        ProblemCode::InvitationInvalid => AccessError::InvitationInvalid.into(),
        ProblemCode::WeakPassword => AccessError::Weak(WeakPassword::TooShort).into(),
        ProblemCode::SignInBusy => AccessError::Busy.into(),
        ProblemCode::WatchlistNotFound => {
            PersonalError::NoSuchWatchlist("w0123456789abcdef".to_owned()).into()
        }
        ProblemCode::AlertRuleNotFound => {
            PersonalError::NoSuchRule("r0123456789abcdef".to_owned()).into()
        }
        ProblemCode::AlertChannelNotFound => PersonalError::NotSetUp(Channel::Webhook).into(),
        ProblemCode::AlertChannelUnavailable => PersonalError::Unavailable(Channel::Email).into(),
        ProblemCode::PortfolioNotFound => {
            TradingError::NoSuchPortfolio("f0123456789abcdef".to_owned()).into()
        }
        ProblemCode::OrderNotFound => {
            TradingError::NoSuchOrder("o0123456789abcdef".to_owned()).into()
        }
        ProblemCode::OrderDenied => TradingError::Denied(Denial::CashShort {
            needed: Notional::from_units(312_631_400),
            available: Notional::from_units(250_000_000),
        })
        .into(),
        ProblemCode::OrderNotOpen => TradingError::NotOpen("o0123456789abcdef".to_owned()).into(),
        ProblemCode::OrderKeyReused => TradingError::KeyReused.into(),
        ProblemCode::PortfolioClosed => {
            TradingError::PortfolioClosed("f0123456789abcdef".to_owned()).into()
        }
        ProblemCode::NoSession => TradingError::NoSession.into(),
        ProblemCode::ChangedMeanwhile => PersonalError::ChangedMeanwhile(4).into(),
        ProblemCode::LimitReached => {
            PersonalError::TooMany { what: "watchlists", max: WATCHLISTS_MAX }.into()
        }
        ProblemCode::NotFound => ApiError::NotFound,
        ProblemCode::MethodNotAllowed => ApiError::MethodNotAllowed,
        ProblemCode::BodyTooLarge => ApiError::BodyTooLarge,
        ProblemCode::BodyTooSlow => ApiError::BodyTooSlow,
        ProblemCode::CrossSite => ApiError::CrossSite,
        ProblemCode::RateLimited => {
            let quota = Quotas::default().ai;
            let decision = quota.decision(false, quota.burst_us());
            ApiError::RateLimited(Spent { policy: Class::Ai.as_str().into(), quota, decision })
        }
        ProblemCode::TooManyStreams => ApiError::TooManyStreams(20),
        ProblemCode::StreamsFull => ApiError::StreamsFull,
        ProblemCode::UpgradeRequired => ApiError::UpgradeRequired,
        ProblemCode::HostNotLocal => ApiError::HostNotLocal(Some("bist.example:8080".to_owned())),
        ProblemCode::Internal => ApiError::Internal(String::new()),
        ProblemCode::Overloaded => ApiError::Overloaded,
        ProblemCode::TimedOut => ApiError::TimedOut,
        ProblemCode::StoreBusy => ApiError::Store(StoreError::Busy),
    }
}
