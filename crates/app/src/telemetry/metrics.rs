//! What this process counts, and what it tells a scraper (docs/METRICS.md).
//!
//! [`Metrics`] counts what happens, where it happens; the names stand in [`FAMILIES`]. What is not
//! counted but stands somewhere is read at a scrape, see `scrape`.

mod families;
mod process;
mod readings;
mod requests;
mod scrape;
mod token;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bist_store::{JobState, SignInOutcome};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family as Series;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::answers::DataClass;
use crate::jobs::Job;
use crate::telemetry::Answered;

use self::requests::Requests;
use self::scrape::Kept;
use self::token::KnownToken;

pub use self::families::{FAMILIES, Family, Kind};
pub use self::readings::Readings;
pub use self::scrape::Edge;

/// The upper ends of the buckets of jobs, seconds.
const JOBS_S: [f64; 11] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 10_800.0];

/// The code of the problem of a request that was sent away.
const OVERLOADED: &str = "overloaded";

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus.
    Text,
}

impl Format {
    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// By which door somebody listens to the live stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// Server-sent events.
    Events,
    /// Asking again and again.
    Poll,
}

impl Transport {
    const ALL: [Self; 3] = [Self::WebSocket, Self::Events, Self::Poll];

    const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Events => "sse",
            Self::Poll => "poll",
        }
    }
}

/// Labels whose values the program knows.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// What this process counts.
pub struct Metrics {
    /// Whether answers are not counted.
    is_off: AtomicBool,
    requests: Requests,
    in_flight: Gauge,
    shed: Counter,
    job_runs: Series<Labels<2>, Counter>,
    job_durations: Series<Labels<2>, Histogram>,
    live_clients: Series<Labels<1>, Gauge>,
    live_messages: Series<Labels<1>, Counter>,
    live_conflated: Counter,
    live_shed: Counter,
    cache_requests: Series<Labels<2>, Counter>,
    /// Those of each class: that were made, and that were kept.
    answers: [[Counter; 2]; DataClass::ALL.len()],
    sign_ins: Series<Labels<1>, Counter>,
    scrape_failures: Series<Labels<1>, Counter>,
    /// All of these, by name.
    registry: Registry,
    /// What was read last of what costs something to read.
    kept: tokio::sync::Mutex<Kept>,
    token: tokio::sync::Mutex<KnownToken>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let cache_requests = Series::<Labels<2>, Counter>::default();
        let of_class = |class| {
            [false, true]
                .map(|was_kept| cache_requests.get_or_create_owned(&of_answer(class, was_kept)))
        };
        let answers = DataClass::ALL.map(of_class);
        let this = Self {
            is_off: AtomicBool::new(false),
            requests: Requests::default(),
            in_flight: Gauge::default(),
            shed: Counter::default(),
            job_runs: Series::default(),
            job_durations: Series::new_with_constructor(|| Histogram::new(JOBS_S)),
            live_clients: Series::default(),
            live_messages: Series::default(),
            live_conflated: Counter::default(),
            live_shed: Counter::default(),
            cache_requests,
            answers,
            sign_ins: Series::default(),
            scrape_failures: Series::default(),
            registry: Registry::default(),
            kept: tokio::sync::Mutex::default(),
            token: tokio::sync::Mutex::default(),
        };
        this.begin_at_zero();
        Self { registry: this.registered(), ..this }
    }
}

impl Metrics {
    /// All that is counted, by name: one line a family.
    fn registered(&self) -> Registry {
        let mut all = Registry::default();
        register(&mut all, "bist_http_requests_total", &self.requests.counts);
        register(&mut all, "bist_http_request_duration_seconds", &self.requests.durations);
        register(&mut all, "bist_http_requests_in_flight", &self.in_flight);
        register(&mut all, "bist_http_requests_shed_total", &self.shed);
        register(&mut all, "bist_job_runs_total", &self.job_runs);
        register(&mut all, "bist_job_duration_seconds", &self.job_durations);
        register(&mut all, "bist_live_clients", &self.live_clients);
        register(&mut all, "bist_live_messages_total", &self.live_messages);
        register(&mut all, "bist_live_conflated_total", &self.live_conflated);
        register(&mut all, "bist_live_shed_total", &self.live_shed);
        register(&mut all, "bist_cache_requests_total", &self.cache_requests);
        register(&mut all, "bist_sign_ins_total", &self.sign_ins);
        register(&mut all, "bist_scrape_failures_total", &self.scrape_failures);
        all
    }

    /// Tells of what did not happen yet, so that the first time is seen as a change.
    fn begin_at_zero(&self) {
        for job in Job::ALL {
            for state in JobState::ALL.into_iter().filter(|state| state.has_ended()) {
                drop(self.job_runs.get_or_create(&of_run(job, state)));
            }
        }
        for transport in Transport::ALL {
            drop(self.live_clients.get_or_create(&of_transport(transport)));
            drop(self.live_messages.get_or_create(&of_transport(transport)));
        }
        for outcome in SignInOutcome::ALL.map(SignInOutcome::as_str).into_iter().chain([NOBODY]) {
            drop(self.sign_ins.get_or_create(&[("outcome", outcome)]));
        }
        for part in scrape::PARTS {
            drop(self.scrape_failures.get_or_create(&[("part", part)]));
        }
    }

    /// Counts answers from now on, or does not.
    pub(crate) fn switch(&self, is_on: bool) {
        self.is_off.store(!is_on, Ordering::Relaxed);
    }

    pub(super) fn is_off(&self) -> bool {
        self.is_off.load(Ordering::Relaxed)
    }

    pub(super) fn answered(&self, answers: &[Answered]) {
        if self.is_off() {
            return;
        }
        for answered in answers {
            self.requests.note(answered);
            if answered.problem_code == Some(OVERLOADED) {
                self.shed.inc();
            }
        }
    }

    /// Takes note of a request that is being answered, until what is returned is dropped.
    pub fn under_way(&self) -> UnderWay {
        self.in_flight.inc();
        UnderWay(self.in_flight.clone())
    }

    /// Takes note of a run of `job` that this process has ended.
    pub(crate) fn job_ended(&self, job: Job, state: JobState, took: Duration) {
        let labels = of_run(job, state);
        self.job_runs.get_or_create(&labels).inc();
        self.job_durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Takes note of somebody who listens, until what is returned is dropped.
    pub fn listens(&self, transport: Transport) -> Listening {
        let labels = of_transport(transport);
        let clients = self.live_clients.get_or_create_owned(&labels);
        clients.inc();
        Listening {
            clients,
            messages: self.live_messages.get_or_create_owned(&labels),
            conflated: self.live_conflated.clone(),
        }
    }

    /// Takes note of somebody who may not listen, or not any more.
    pub fn live_shed(&self) {
        self.live_shed.inc();
    }

    /// Takes note of an answer that was kept, or had to be made.
    pub(crate) fn answer(&self, class: DataClass, was_kept: bool) {
        self.answers[class as usize][usize::from(was_kept)].inc();
    }

    /// Takes note of an attempt to sign in; `None` to an account that there is not.
    pub(crate) fn sign_in(&self, outcome: Option<SignInOutcome>) {
        let outcome = outcome.map_or(NOBODY, SignInOutcome::as_str);
        self.sign_ins.get_or_create(&[("outcome", outcome)]).inc();
    }

    fn scrape_failed(&self, part: &'static str) {
        self.scrape_failures.get_or_create(&[("part", part)]).inc();
    }

    /// All that is counted, and `readings` besides.
    fn written(&self, format: Format, readings: Readings) -> String {
        let mut read = Registry::default();
        read.register_collector(Box::new(readings));
        let mut page = String::new();
        let written = match format {
            Format::OpenMetrics => text::encode_registry(&mut page, &self.registry)
                .and_then(|()| text::encode_registry(&mut page, &read))
                .and_then(|()| text::encode_eof(&mut page)),
            Format::Text => prometheus_text::encode(&mut page, &self.registry)
                .and_then(|()| prometheus_text::encode(&mut page, &read)),
        };
        written.expect("a text takes whatever is written");
        page
    }
}

/// What stands for the outcome of a sign-in to an account that there is not.
const NOBODY: &str = "nobody";

fn register(all: &mut Registry, name: &str, metric: &(impl Metric + Clone)) {
    let family = Family::named(name);
    all.register(family.bare_name(), family.help, metric.clone());
}

fn of_run(job: Job, state: JobState) -> Labels<2> {
    [("job", job.as_str()), ("outcome", state.as_str())]
}

fn of_transport(transport: Transport) -> Labels<1> {
    [("transport", transport.as_str())]
}

fn of_answer(class: DataClass, was_kept: bool) -> Labels<2> {
    [("cache", class.as_str()), ("outcome", if was_kept { "hit" } else { "miss" })]
}

/// A request that is being answered.
#[derive(Debug)]
pub struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Somebody who listens.
#[derive(Debug)]
pub struct Listening {
    clients: Gauge,
    messages: Counter,
    conflated: Counter,
}

impl Listening {
    /// Takes note of envelopes that were sent.
    pub fn sent(&self, count: usize) {
        self.messages.inc_by(count as u64);
    }

    /// Takes note of prices that were left out.
    pub fn left_out(&self, count: u64) {
        self.conflated.inc_by(count);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.clients.dec();
    }
}

#[cfg(test)]
mod tests;
