//! What is noticed of a running process. Each answer is told here once, and whatever counts, sums up or
//! remembers answers hears of it from here.

pub mod activity;
mod answers;
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
use std::time::Duration;

use bist_access::{Actor, Class};
use bist_market::Clock;
use jiff::Timestamp;
use tokio::sync::Mutex;

use self::activity::Activities;
use self::answers::Answers;
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
pub struct Answered {
    /// The method, one of [`METHODS`].
    pub method: &'static str,
    /// The path as it is registered; `None` for files and pages of the web app, and for paths that do
    /// not exist.
    pub route: Option<Arc<str>>,
    /// The status of the answer.
    pub status: u16,
    /// From the arrival of the request's head until the answer was made.
    pub took: Duration,
    /// When the answer was made, as [`Telemetry::now`] tells it.
    pub at: Timestamp,
    /// Who asked; `None` where nobody had to say.
    pub caller: Option<Actor>,
    /// The code of the problem document, where the answer is one.
    pub problem_code: Option<&'static str>,
    /// The class whose quota refused it.
    pub limit_class: Option<Class>,
    /// The `x-request-id` of the answer.
    pub request_id: Arc<str>,
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
#[derive(Debug)]
pub struct Telemetry {
    clock: Arc<dyn Clock>,
    log: ProcessLog,
    answers: Answers,
    activities: Activities,
    /// Held by whoever writes down what was counted and noted.
    writing: Mutex<()>,
}

impl Telemetry {
    /// What goes by `clock`, and is logged in `log`.
    pub fn new(clock: Arc<dyn Clock>, log: ProcessLog) -> Self {
        let answers = Answers::new(log.requests.clone());
        Self { clock, log, answers, activities: Activities::default(), writing: Mutex::default() }
    }

    /// The instant by its clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The errors of this process.
    pub const fn errors(&self) -> &ErrorQueue {
        &self.log.errors
    }

    /// What sends spans, where there is somebody to send them to.
    pub(crate) const fn traces(&self) -> Option<&Traces> {
        self.log.traces.as_ref()
    }

    /// Takes note of a request that was answered; called once for each. It is counted and logged soon
    /// after, together with others.
    pub fn answered(&self, answered: Answered) {
        self.answers.put(answered);
    }

    /// Counts the answers that wait for it, for somebody who looks at the counts.
    pub(crate) fn count(&self) {
        self.answers.count();
    }

    /// Waits until all answers were counted and logged.
    pub fn flush(&self) {
        self.answers.flush();
    }

    /// What is counted of it, and told to scrapers.
    pub fn metrics(&self) -> &Metrics {
        self.answers.metrics()
    }

    /// How the API is used.
    pub fn usage(&self) -> &Usage {
        self.answers.usage()
    }

    /// What people do.
    pub const fn activities(&self) -> &Activities {
        &self.activities
    }
}
