//! Spans of requests, of runs of jobs and of statements, for a collector that speaks OTLP.
//!
//! These spans have a target and a level of their own, which nothing looks at but the layer here: where no
//! collector is named, none is made. The crates of OpenTelemetry make them, collect them and say what is
//! sent; how it goes is ours, as for all else outside: within a budget, and not at all while the collector
//! fails. What waits is bounded by the batch, and goes when there is too much.

use std::time::Duration;

use async_trait::async_trait;
use bist_market::breaker::{BreakerState, LeftAlone};
use bist_store::OutsidePart;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::alerts::outside_client;

pub use bist_store::TRACES_TARGET;

/// Failures in a row after which the collector is left alone.
const FAILURES_MAX: u32 = 3;

/// For how long; spans of that time are lost.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(60);

/// How long sending a batch may take.
const SENDING_TIME_MAX: Duration = Duration::from_secs(5);

/// How spans go to a collector.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// Where batches are posted to, such as `http://127.0.0.1:4318/v1/traces`.
    pub url: String,
    /// The share of requests and runs whose spans are sent, 0..=1.
    pub sample_rate: f64,
    /// What this installation is called there.
    pub environment: String,
}

/// Why no spans can be sent.
#[derive(Debug, thiserror::Error)]
#[error("spans cannot be sent to {url}: {why}")]
pub struct TracesError {
    url: String,
    why: String,
}

/// What sends spans. Cloning is cheap and shares it.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    part: OutsidePart,
}

impl Traces {
    /// Sends spans as `settings` say, by tasks of `runtime`.
    ///
    /// # Errors
    ///
    /// [`TracesError`] when the address is none.
    pub fn begin(settings: &TraceSettings, runtime: Handle) -> Result<Self, TracesError> {
        let failed = |why: String| TracesError { url: settings.url.clone(), why };
        let part = OutsidePart::new(FAILURES_MAX, LEFT_ALONE_FOR);
        let client = outside_client().map_err(|error| failed(error.to_string()))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Post { client, runtime, part: part.clone() })
            .with_endpoint(&settings.url)
            .with_timeout(SENDING_TIME_MAX)
            // The next batch is due soon.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let resource = Resource::builder_empty()
            .with_service_name("bist")
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("deployment.environment.name", settings.environment.clone()),
                KeyValue::new("process.pid", i64::from(std::process::id())),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                settings.sample_rate,
            ))))
            .with_resource(resource)
            .build();
        Ok(Self { provider, part })
    }

    /// What takes the spans out of what this process does.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let is_ours =
            filter_fn(|metadata| metadata.is_span() && metadata.target() == TRACES_TARGET);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("bist"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_filter(is_ours)
    }

    /// Whether the collector is being asked.
    pub(crate) fn state(&self) -> BreakerState {
        self.part.state()
    }

    /// Sends what was collected, and no more after that. Takes as long as sending a batch may.
    pub fn end(&self) {
        // What could not be sent was told already.
        self.provider.shutdown_with_timeout(SENDING_TIME_MAX).ok();
    }
}

/// The span of a request that is to be answered.
pub fn of_request(method: &'static str, route: &str, request_id: &str) -> Span {
    tracing::trace_span!(
        target: TRACES_TARGET,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        request.id = request_id,
    )
}

/// Notes the status of the answer in the span of a request.
pub fn note_status(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a run of a job.
pub(crate) fn of_run(job: &'static str, run: i64) -> Span {
    tracing::trace_span!(
        target: TRACES_TARGET,
        "job",
        otel.name = format!("job {job}"),
        otel.kind = "internal",
        job,
        run,
    )
}

/// What posts batches, for the thread that collects them, which has no runtime of its own.
#[derive(Debug)]
struct Post {
    client: reqwest::Client,
    runtime: Handle,
    part: OutsidePart,
}

#[async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.part.pass().map_err(|LeftAlone { .. }| "the collector is left alone")?;
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request).await?.error_for_status()?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        match sent.await? {
            Ok((status, body)) => {
                self.part.note(None::<&reqwest::Error>);
                Ok(Response::builder().status(status).body(body)?)
            }
            Err(error) => {
                self.part.note(Some(&error));
                tracing::warn!(%error, "spans did not reach the collector: {error}");
                Err(error.into())
            }
        }
    }
}
