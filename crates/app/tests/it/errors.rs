//! Errors, each once: kept in groups, and sent to Sentry where there is one.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;

use bist_access::{Secret, SecretName};
use bist_app::jobs::{Job, JobAsked, JobOrder};
use bist_app::telemetry::ProcessLog;
use bist_app::telemetry::errors::{
    ErrorLayer, ErrorQueue, PageError, SentryOutcome, is_wanted, tell_panics,
};
use bist_app::telemetry::sentry::SentrySettings;
use bist_app::telemetry::trail::Trail;
use bist_app::{App, ErrorEvent, ErrorFilter, ErrorGroup, ErrorKind};
use bist_market::breaker::BreakerState;
use bist_market::validate::ValidationPolicy;
use bist_market::{Clock, FixedClock};
use bist_testkit::http_server::{HttpServer, Reply, Script, SeenRequest};
use serde_json::Value;
use tempfile::TempDir;
use tracing::Subscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What must be nowhere.
const SECRETS: [&str; 5] =
    ["hunter2", "ayse@example.com", "bist_k0Aq7Zr4kXw9mPbT2vNcLd8s", "482193", "symbol=THYAO"];

/// A message that holds all of them, as a careless one would.
fn careless() -> String {
    let [password, mail, token, code, query] = SECRETS;
    format!(
        "password={password} of {mail} by {token}, code {code}: GET /api/v1/bars?{query} said \
         \"{password}\""
    )
}

/// The log of a process whose errors are put into `queue`.
fn log(queue: &ErrorQueue) -> ProcessLog {
    ProcessLog { errors: queue.clone(), ..ProcessLog::default() }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()))
}

async fn app(folder: &Path) -> App {
    App::open(folder, clock(), ValidationPolicy::default()).await.unwrap()
}

/// What takes errors out of what this thread logs, and shows nothing.
fn listening(queue: &ErrorQueue) -> impl Subscriber + Send + Sync {
    let layer = ErrorLayer::new(queue.clone(), clock()).with_filter(filter_fn(is_wanted));
    tracing_subscriber::registry().with(layer)
}

/// What is kept once all that waits was, the oldest group first.
async fn kept(app: &App) -> Vec<(ErrorGroup, Vec<ErrorEvent>)> {
    app.telemetry().errors().close();
    app.keep_errors().await;
    let mut found = Vec::new();
    for group in app.error_groups(&ErrorFilter::default(), 1000).await.unwrap() {
        found.push(app.error_group(&group.id).await.unwrap().unwrap());
    }
    found.sort_by(|a, b| a.0.place.cmp(&b.0.place));
    found
}

#[tokio::test]
async fn what_is_logged_as_an_error_is_one_error_with_what_went_before() {
    let (folder, queue) = (TempDir::new().unwrap(), ErrorQueue::default());
    let app = app(folder.path()).await.with_log(log(&queue));
    let guard = listening(&queue).set_default();
    let answering = async {
        for i in 0..25 {
            tracing::info!(target: "bist_test", "step {i}, password: hunter2");
        }
        tracing::debug!(target: "bist_test", "nobody wants to know");
        tracing::info!(target: "hyper", "neither does anybody want this");
        tracing::error!(target: "bist_test", "{}", careless());
    };
    Trail::of_request("r-1".into(), "/api/v1/bars".into()).around(answering).await;
    tracing::warn!(target: "bist_test", "no error");
    tracing::error!(target: "elsewhere", "it is on fire, in 3 places");
    tracing::error!(target: "elsewhere", "it is on fire, in 12 places");
    drop(guard);
    let [internal, other] = kept(&app).await.try_into().unwrap();
    let (group, events) = internal;
    assert_eq!((group.kind, group.place.as_str()), (ErrorKind::Internal, "/api/v1/bars"));
    let [event] = events.try_into().unwrap();
    assert_eq!(event.request_id.as_deref(), Some("r-1"));
    assert_eq!(event.route.as_deref(), Some("/api/v1/bars"));
    assert_eq!(event.breadcrumbs.len(), 20);
    assert_eq!(event.breadcrumbs[19].message, "step 24, password: [secret]");
    let text = format!("{group:?} {event:?}");
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
    let (group, events) = other;
    assert_eq!((group.kind, group.place.as_str()), (ErrorKind::Other, "elsewhere"));
    assert_eq!((group.events_count, events.len()), (2, 2));
    assert_eq!(group.title, "it is on fire, in 3 places");
    let counts = queue.counts();
    assert_eq!((counts.errors(ErrorKind::Internal), counts.errors(ErrorKind::Other)), (1, 2));
}

#[tokio::test]
async fn a_panic_is_one_error_wherever_it_is_caught() {
    let (folder, queue) = (TempDir::new().unwrap(), ErrorQueue::default());
    let app = app(folder.path()).await.with_log(log(&queue));
    // What other tests of this process say when they fail is still told.
    let before = panic::take_hook();
    tell_panics();
    let ours = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        ours(info);
        before(info);
    }));
    let guard = listening(&queue).set_default();
    let caught = panic::catch_unwind(|| -> () { panic!("{}", careless()) }).unwrap_err();
    // One that goes on in the caller is the same.
    let goes_on = AssertUnwindSafe(|| -> () { panic::resume_unwind(caught) });
    panic::catch_unwind(goes_on).unwrap_err();
    drop(guard);
    let [(group, events)] = kept(&app).await.try_into().unwrap();
    assert_eq!((group.kind, events.len()), (ErrorKind::Panic, 1));
    assert!(group.place.starts_with("crates/app/tests/it/errors.rs:"), "{}", group.place);
    assert!(SECRETS.iter().all(|secret| !events[0].message.contains(secret)), "{events:?}");
}

#[tokio::test]
async fn a_run_that_fails_is_one_error_with_what_it_said() {
    let (folder, queue) = (TempDir::new().unwrap(), ErrorQueue::default());
    let app = app(folder.path()).await.with_log(log(&queue));
    let guard = listening(&queue).set_default();
    let asked = JobAsked { by: "ayse", reason: "a try" };
    // There is no backup to try.
    app.ask_for_job(&JobOrder::of(Job::RestoreDrill), asked).await.unwrap();
    app.run_waiting_job(Job::RestoreDrill, Arc::new(|_| {})).await.unwrap().unwrap();
    drop(guard);
    let [(group, events)] = kept(&app).await.try_into().unwrap();
    assert_eq!((group.kind, group.place.as_str()), (ErrorKind::Job, "restore-drill"));
    assert!(group.title.starts_with("restore-drill failed"), "{}", group.title);
    let [event] = events.try_into().unwrap();
    let said: Vec<&str> = event.breadcrumbs.iter().map(|crumb| crumb.message.as_str()).collect();
    assert_eq!(said, ["restore-drill: begins"]);
}

/// A server that takes all events as Sentry does.
fn sentry() -> HttpServer {
    HttpServer::start(Script::new().on("/api/1/envelope/", Reply::json("{}")))
}

fn settings(server: &HttpServer) -> SentrySettings {
    let dsn = server.url("/1").replace("http://", "http://publickey@");
    SentrySettings { dsn: Some(Secret::new(dsn)), ..SentrySettings::default() }
}

fn page_error(place: &str) -> PageError {
    PageError {
        message: format!("TypeError: {}", careless()),
        place: place.to_owned(),
        stack: Some("at draw (https://bist.example/assets/index.js?v=hunter2:1:2)".to_owned()),
        page: Some("/symbols/THYAO?code=482193".to_owned()),
    }
}

/// The event in a request to Sentry.
fn event_of(request: &SeenRequest) -> Value {
    let text = String::from_utf8(request.body.clone()).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (_, item) = (lines.next().unwrap(), lines.next().unwrap());
    assert_eq!(item["type"], "event");
    lines.next().unwrap()
}

#[tokio::test]
async fn sentry_gets_each_error_once_and_nothing_that_must_be_nowhere() {
    let (folder, server) = (TempDir::new().unwrap(), sentry());
    let app = app(folder.path()).await.with_sentry(settings(&server));
    let asking = app.acting(bist_access::Actor::System, Some("r-7".to_owned()));
    asking.report_page_error(&page_error("charts/PriceChart"));
    asking.report_page_error(&page_error("shell"));
    assert_eq!(kept(&app).await.len(), 2);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let auth = requests[0].header("x-sentry-auth").unwrap();
    assert!(auth.contains("sentry_key=publickey"), "{auth}");
    let event = event_of(&requests[0]);
    assert_eq!(event["environment"], "production");
    assert!(event["release"].as_str().unwrap().starts_with("bist@"), "{event}");
    assert_eq!(event["tags"]["request_id"], "r-7");
    assert_eq!(event["tags"]["kind"], "page");
    assert_eq!(event["transaction"], "charts/PriceChart");
    for absent in ["server_name", "user", "request", "contexts", "modules"] {
        assert_eq!(event[absent], Value::Null, "{event}");
    }
    let told: Vec<u8> = requests.into_iter().flat_map(|request| request.body).collect();
    let told = String::from_utf8(told).unwrap();
    assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
    assert_eq!(app.telemetry().errors().counts().sentry_events(SentryOutcome::Sent), 2);
}

#[tokio::test]
async fn while_sentry_is_away_nothing_of_the_list_is_lost_and_it_is_left_alone() {
    let (folder, server) = (TempDir::new().unwrap(), sentry());
    let settings = settings(&server);
    drop(server);
    let app = app(folder.path()).await.with_sentry(settings);
    for place in ["a", "b", "c", "d", "e"] {
        app.report_page_error(&page_error(place));
    }
    assert_eq!(kept(&app).await.len(), 5);
    let counts = app.telemetry().errors().counts();
    let [sent, dropped, failed] = SentryOutcome::ALL.map(|outcome| counts.sentry_events(outcome));
    assert_eq!([sent, dropped, failed], [0, 2, 3]);
    let [outside] = app.outside().try_into().unwrap();
    assert_eq!(outside.name, "sentry");
    assert!(matches!(outside.breaker, BreakerState::Open { .. }), "{outside:?}");
}

#[tokio::test]
async fn a_sampled_error_is_in_the_list_though_it_is_not_sent() {
    let (folder, server) = (TempDir::new().unwrap(), sentry());
    let settings = SentrySettings { sample_rate: 0.0, ..settings(&server) };
    let app = app(folder.path()).await.with_sentry(settings);
    app.report_page_error(&page_error("shell"));
    assert_eq!(kept(&app).await.len(), 1);
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn the_dsn_is_the_secret_as_it_is_at_the_moment() {
    let (folder, first, second) = (TempDir::new().unwrap(), sentry(), sentry());
    let app = app(folder.path()).await;
    let name: SecretName = "sentry.dsn".parse().unwrap();
    let dsn = |server: &HttpServer| settings(server).dsn.unwrap();
    app.put_secret(&name, &dsn(&first)).await.unwrap();
    app.report_page_error(&page_error("a"));
    kept(&app).await;
    app.put_secret(&name, &dsn(&second)).await.unwrap();
    app.report_page_error(&page_error("b"));
    kept(&app).await;
    let seen = [&first, &second].map(|server| {
        let requests = server.requests();
        requests.iter().map(|request| event_of(request)["transaction"].clone()).collect::<Vec<_>>()
    });
    assert_eq!(seen, [["a"], ["b"]]);
}

#[tokio::test]
async fn without_a_dsn_nothing_is_outside() {
    let folder = TempDir::new().unwrap();
    let app = app(folder.path()).await;
    app.report_page_error(&page_error("shell"));
    assert_eq!(kept(&app).await.len(), 1);
    let counts = app.telemetry().errors().counts();
    assert_eq!(SentryOutcome::ALL.map(|outcome| counts.sentry_events(outcome)), [0, 0, 0]);
    assert_eq!(app.outside().len(), 0);
}

#[tokio::test]
async fn what_does_not_fit_is_counted_and_nobody_waits() {
    let folder = TempDir::new().unwrap();
    let app = app(folder.path()).await;
    for i in 0..300 {
        app.report_page_error(&page_error(&format!("{i}")));
    }
    let counts = app.telemetry().errors().counts();
    assert_eq!((counts.errors(ErrorKind::Page), counts.dropped()), (300, 44));
    assert_eq!(kept(&app).await.len(), 256);
}
