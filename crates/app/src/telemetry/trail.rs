//! Requests and runs of jobs, as whatever is logged meanwhile knows them.
//!
//! A request is known by what is held beside its task, not by a span: a span is made and taken apart by
//! all that listens to the log, for each request, and most requests log nothing. Only statements are
//! asked within one, for drivers log them on threads of their own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bist_store::ErrorBreadcrumb;
use tokio::task_local;
use tracing::Span;

use super::errors::BREADCRUMBS_MAX;

task_local! {
    /// The request that the task answers.
    static CURRENT: Arc<Trail>;
}

/// The name of the span of a request.
pub(crate) const REQUEST_SPAN: &str = "request";

/// The name of the span of a run of a job.
pub(crate) const JOB_SPAN: &str = "job";

/// What is known of a request or of a run, and what was logged of it.
#[derive(Debug)]
pub struct Trail {
    of: TrailOf,
    crumbs: Mutex<VecDeque<ErrorBreadcrumb>>,
}

/// What a [`Trail`] is of.
#[derive(Debug)]
pub(crate) enum TrailOf {
    /// A request.
    Request {
        /// Its `x-request-id`.
        id: Arc<str>,
        /// The path as it is registered.
        route: Arc<str>,
    },
    /// A run of this job.
    Job(String),
}

impl Trail {
    /// That of the request `id` to `route`, the path as it is registered.
    pub fn of_request(id: Arc<str>, route: Arc<str>) -> Arc<Self> {
        Self::of(TrailOf::Request { id, route })
    }

    pub(crate) fn of(of: TrailOf) -> Arc<Self> {
        Arc::new(Self { of, crumbs: Mutex::default() })
    }

    /// Does `work`; what is logged in it belongs to this.
    pub fn around<F: Future>(self: Arc<Self>, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// The request that the task answers, if it does.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Does `work` on another thread for `trail`.
    pub(crate) fn go_on<T>(trail: Option<Arc<Self>>, work: impl FnOnce() -> T) -> T {
        match trail {
            Some(trail) => CURRENT.sync_scope(trail, work),
            None => work(),
        }
    }

    /// The span of the request that the task answers; none beside requests.
    pub(crate) fn request_span() -> Span {
        let make = |trail: &Arc<Self>| match &trail.of {
            // At the highest level, so that no choice of what is shown leaves out what it names.
            TrailOf::Request { id, route } => {
                tracing::error_span!("request", request.id = &**id, http.route = &**route)
            }
            TrailOf::Job(_) => Span::none(),
        };
        CURRENT.try_with(make).unwrap_or_else(|_| Span::none())
    }

    pub(crate) const fn what(&self) -> &TrailOf {
        &self.of
    }

    /// Keeps what was logged; the oldest goes.
    pub(crate) fn drop_crumb(&self, crumb: ErrorBreadcrumb) {
        let mut crumbs = self.crumbs.lock().unwrap_or_else(PoisonError::into_inner);
        if crumbs.len() == BREADCRUMBS_MAX {
            crumbs.pop_front();
        }
        crumbs.push_back(crumb);
    }

    /// What was logged, the oldest first.
    pub(crate) fn crumbs(&self) -> Vec<ErrorBreadcrumb> {
        self.crumbs.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
