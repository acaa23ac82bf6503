//! What is noticed of a running process. Each answer is told here once, and whatever counts, sums up or
//! remembers answers hears of it from here.

pub mod activity;
pub mod errors;
pub mod metrics;
mod scrub;
pub mod sentry;
pub mod usage;

use std::sync::Arc;
use std::time::Duration;

use bist_access::{Actor, Class};
use bist_market::Clock;
use tokio::sync::Mutex;

use self::activity::Activities;
use self::errors::ErrorQueue;
use self::metrics::Metrics;
use self::usage::Usage;

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Answered<'a> {
    /// The method, such as `GET`; `other` for one that nobody knows.
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

/// What is noticed of this process.
#[derive(Debug, Default)]
pub struct Telemetry {
    metrics: Metrics,
    errors: ErrorQueue,
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

    /// The same whose errors are those of `errors`.
    pub(crate) fn with_errors(self, errors: ErrorQueue) -> Self {
        Self { errors, ..self }
    }

    /// The errors of this process.
    pub const fn errors(&self) -> &ErrorQueue {
        &self.errors
    }

    /// Takes note of a request that was answered; called once for each.
    pub fn answered(&self, answered: &Answered<'_>) {
        self.metrics.answered(answered);
        self.usage.answered(answered);
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
