//! What is noticed of a running process. Each answer is told here once, and whatever counts, sums up or
//! remembers answers hears of it from here.

pub mod errors;
pub mod metrics;
mod scrub;
pub mod sentry;

use std::time::Duration;

use bist_access::Actor;

use self::errors::ErrorQueue;
use self::metrics::Metrics;

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
    /// The `x-request-id` of the answer.
    pub request_id: &'a str,
}

/// What is noticed of this process.
#[derive(Debug, Default)]
pub struct Telemetry {
    metrics: Metrics,
    errors: ErrorQueue,
}

impl Telemetry {
    /// One whose errors are those of `errors`.
    pub fn with_errors(errors: ErrorQueue) -> Self {
        Self { errors, ..Self::default() }
    }

    /// The errors of this process.
    pub fn errors(&self) -> &ErrorQueue {
        &self.errors
    }

    /// Takes note of a request that was answered; called once for each.
    pub fn answered(&self, answered: &Answered<'_>) {
        self.metrics.answered(answered);
    }

    /// What is counted of it, and told to scrapers.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
