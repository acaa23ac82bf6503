//! Spans that a collector is sent, read as OTLP says.

use std::sync::Arc;

use bist_app::telemetry::traces::{self, TraceSettings, Traces};
use bist_app::{App, blocking};
use bist_market::FixedClock;
use bist_market::validate::ValidationPolicy;
use bist_testkit::http_server::{HttpServer, Reply, Script};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::runtime::Handle;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

fn settings(url: String, sample_rate: f64) -> TraceSettings {
    TraceSettings { url, sample_rate, environment: "trial".to_owned() }
}

/// The texts and numbers among `attributes`, by name.
fn value(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    let value = found.value.as_ref()?.value.as_ref()?;
    Some(if let any_value::Value::StringValue(text) = value {
        text.clone()
    } else if let any_value::Value::IntValue(number) = value {
        number.to_string()
    } else {
        format!("{value:?}")
    })
}

/// Asks the error list within the span of a request that is answered with `status`, and gives what the
/// collector was sent.
async fn sent(sample_rate: f64, status: u16) -> Vec<ExportTraceServiceRequest> {
    let collector = HttpServer::start(Script::new().on("/v1/traces", Reply::json("{}")));
    let settings = settings(collector.url("/v1/traces"), sample_rate);
    let traces = Traces::begin(&settings, Handle::current()).unwrap();
    let guard = tracing_subscriber::registry().with(traces.layer()).set_default();
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
    let app = App::open(folder.path(), clock, ValidationPolicy::default()).await.unwrap();
    let span = traces::of_request("GET", "/api/v1/admin/errors/{id}", "r-1");
    app.error_group("hunter2").instrument(span.clone()).await.unwrap();
    traces::note_status(&span, status);
    drop(span);
    drop(guard);
    blocking(move || traces.end()).await;
    let decode = |body: &[u8]| ExportTraceServiceRequest::decode(body).unwrap();
    collector.requests().iter().map(|request| decode(&request.body)).collect()
}

#[tokio::test]
async fn a_request_and_its_statements_are_one_trace() {
    let sent = sent(1.0, 503).await;
    let resource = sent[0].resource_spans[0].resource.as_ref().unwrap();
    let of_resource = |name| value(&resource.attributes, name);
    assert_eq!(of_resource("service.name").as_deref(), Some("bist"));
    assert_eq!(of_resource("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(of_resource("deployment.environment.name").as_deref(), Some("trial"));
    let of_batch = sent.iter().flat_map(|batch| &batch.resource_spans);
    let spans: Vec<&Span> =
        of_batch.flat_map(|group| &group.scope_spans).flat_map(|scope| &scope.spans).collect();
    let request = spans.iter().find(|span| span.name == "GET /api/v1/admin/errors/{id}").unwrap();
    assert!(request.parent_span_id.is_empty());
    let of_request = |name| value(&request.attributes, name);
    assert_eq!(of_request("http.route").as_deref(), Some("/api/v1/admin/errors/{id}"));
    assert_eq!(of_request("http.response.status_code").as_deref(), Some("503"));
    assert_eq!(of_request("request.id").as_deref(), Some("r-1"));
    assert_eq!(request.status.as_ref().map(|status| status.code), Some(2), "an error");
    let statement = spans
        .iter()
        .find(|span| {
            let text = value(&span.attributes, "db.query.text");
            text.is_some_and(|text| text.contains("FROM error_groups"))
        })
        .unwrap();
    assert_eq!(statement.name, "SELECT");
    assert_eq!(statement.trace_id, request.trace_id);
    assert_eq!(statement.parent_span_id, request.span_id);
    assert_eq!(value(&statement.attributes, "db.system.name").as_deref(), Some("sqlite"));
    assert!(!format!("{sent:?}").contains("hunter2"), "a value of a statement is sent");
}

#[tokio::test]
async fn a_share_of_none_sends_nothing() {
    assert_eq!(sent(0.0, 200).await, []);
}

#[tokio::test]
async fn a_collector_that_is_away_is_left_alone_and_keeps_nobody_waiting() {
    let away = settings("http://127.0.0.1:9/v1/traces".to_owned(), 1.0);
    let traces = Traces::begin(&away, Handle::current()).unwrap();
    let guard = tracing_subscriber::registry().with(traces.layer()).set_default();
    for _ in 0..10_000 {
        drop(traces::of_request("GET", "/health/live", "r-2"));
    }
    drop(guard);
    blocking(move || traces.end()).await;
    let nonsense = settings("nowhere at all".to_owned(), 1.0);
    let error = Traces::begin(&nonsense, Handle::current()).unwrap_err().to_string();
    assert!(error.starts_with("spans cannot be sent to nowhere at all: "), "{error}");
}
