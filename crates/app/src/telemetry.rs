//! What is noticed of a running process. Each answer is told here once, and whatever counts, sums up or
//! remembers answers hears of it from here.

pub mod activity;
pub mod errors;
pub mod log_format;
pub mod metrics;
pub mod request_log;
mod scrub;
pub mod sentry;
pub mod traces;
pub mod trail;
pub mod usage;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bist_access::{Actor, Class};
use bist_market::Clock;
use jiff::Timestamp;
use tokio::sync::Mutex;

use self::activity::Activities;
use self::errors::ErrorQueue;
use self::metrics::Metrics;
use self::request_log::RequestLog;
use self::traces::Traces;
use self::usage::Usage;

/// The methods that are told apart; what is none of them is the last.
pub const METHODS: [&str; 8] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// What stands for the route where the path matched none.
pub const NO_ROUTE: &str = "(no route)";

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Answered<'a> {
    /// The method, one of [`METHODS`].
    pub method: &'static str,
    /// The path as it is registered; `None` for files and pages of the web app, and for paths that do
    /// not exist.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// From the arrival of the request's head until the answer was made.
    pub took: Duration,
    /// Who asked; `None` where nobody had to say.
    pub caller: Option<&'a Actor>,
    /// The code of the problem document, where the answer is one.
    pub problem_code: Option<&'static str>,
    /// The class whose quota refused it.
    pub limit_class: Option<Class>,
    /// The `x-request-id` of the answer.
    pub request_id: &'a str,
}

/// The log of this process, as far as more than lines comes of it.
#[derive(Clone, Debug, Default)]
pub struct ProcessLog {
    /// What is logged as an error.
    pub errors: ErrorQueue,
    /// Where requests are logged, if they are.
    pub requests: Option<Arc<RequestLog>>,
    /// What sends spans to a collector, where there is one.
    pub traces: Option<Traces>,
}

/// What is noticed of this process.
#[derive(Debug, Default)]
pub struct Telemetry {
    log: ProcessLog,
    metrics: Metrics,
    usage: Usage,
    activities: Activities,
    /// Held by whoever writes down what was counted and noted.
    writing: Mutex<()>,
}

impl Telemetry {
    /// What goes by `clock`.
    pub(crate) fn by(clock: Arc<dyn Clock>) -> Self {
        Self { usage: Usage::by(clock), ..Self::default() }
    }

    /// The same with the log of this process.
    #[must_use]
    pub fn with_log(self, log: ProcessLog) -> Self {
        Self { log, ..self }
    }

    /// The errors of this process.
    pub const fn errors(&self) -> &ErrorQueue {
        &self.log.errors
    }

    /// What sends spans, where there is somebody to send them to.
    pub(crate) const fn traces(&self) -> Option<&Traces> {
        self.log.traces.as_ref()
    }

    /// Takes note of a request that was answered; called once for each.
    pub fn answered(&self, answered: &Answered<'_>) {
        let at = now();
        self.metrics.answered(answered, at);
        self.usage.answered(answered);
        if let Some(log) = &self.log.requests {
            // The calendar ends in the year 9999.
            log.note(answered, Timestamp::try_from(at).unwrap_or(Timestamp::MAX));
        }
    }

    /// What is counted of it, and told to scrapers.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How the API is used.
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// What people do.
    pub const fn activities(&self) -> &Activities {
        &self.activities
    }
}

/// The instant of an answer by the clock of this machine, as the log and whoever scrapes it see it.
#[expect(
    clippy::disallowed_methods,
    reason = "lines of the log and exemplars are compared with those of other programs, whatever this \
              application takes for now"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
