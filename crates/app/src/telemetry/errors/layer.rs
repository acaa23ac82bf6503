//! What is logged, as errors see it: each event of the level error becomes one error, with what was
//! logged before it in the same request or run of a job.

use std::collections::VecDeque;
use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use bist_market::Clock;
use bist_store::{ErrorBreadcrumb, ErrorEvent, ErrorKind, NewError};
use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing::{Event, Id, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::panics::LOCATION;
use super::{
    BREADCRUMBS_MAX, ErrorQueue, MESSAGE_CHARS_MAX, PLACE_CHARS_MAX, TITLE_CHARS_MAX, release,
};
use crate::telemetry::scrub::{sameness, scrub};

/// What the targets of our own events and spans begin with.
const OWN: &str = "bist";

/// The span of a request that is being answered.
const REQUEST: &str = "request";

/// The span of a run of a job.
const JOB: &str = "job";

/// Takes errors out of what is logged. It looks at all that [`is_wanted`], whatever the log shows.
#[derive(Debug)]
pub struct ErrorLayer {
    queue: ErrorQueue,
    clock: Arc<dyn Clock>,
}

impl ErrorLayer {
    /// One that puts errors into `queue`.
    pub fn new(queue: ErrorQueue, clock: Arc<dyn Clock>) -> Self {
        Self { queue, clock }
    }
}

/// Whether an event or a span matters for errors: errors of everybody, and our own spans and events of
/// the level info and above.
pub fn is_wanted(metadata: &Metadata<'_>) -> bool {
    let is_own = metadata.target().starts_with(OWN) && *metadata.level() <= Level::INFO;
    is_own || (metadata.is_event() && *metadata.level() == Level::ERROR)
}

/// What is known of a request or a run, and what was logged of it.
#[derive(Debug)]
struct Trail {
    is_job: bool,
    /// The path as it is registered, or the job.
    place: Option<String>,
    request_id: Option<String>,
    breadcrumbs: VecDeque<ErrorBreadcrumb>,
}

impl Trail {
    fn drop_crumb(&mut self, crumb: ErrorBreadcrumb) {
        if self.breadcrumbs.len() == BREADCRUMBS_MAX {
            self.breadcrumbs.pop_front();
        }
        self.breadcrumbs.push_back(crumb);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ErrorLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let name = attributes.metadata().name();
        if ![REQUEST, JOB].contains(&name) {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut told = Told::default();
        attributes.record(&mut told);
        let is_job = name == JOB;
        let trail = Trail {
            is_job,
            place: if is_job { told.job } else { told.route },
            request_id: told.request_id,
            breadcrumbs: VecDeque::new(),
        };
        span.extensions_mut().insert(trail);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let level = *event.metadata().level();
        let spans = context.event_scope(event);
        let span = spans
            .and_then(|mut spans| spans.find(|span| span.extensions().get::<Trail>().is_some()));
        if level != Level::ERROR && span.is_none() {
            return;
        }
        let mut told = Told::default();
        event.record(&mut told);
        let message = scrub(&told.message, MESSAGE_CHARS_MAX);
        let at = self.clock.now();
        let crumb = |message| {
            let level = level.as_str().to_ascii_lowercase();
            ErrorBreadcrumb { at, level, message }
        };
        let Some(span) = span else {
            self.queue.put(error(told, message, None, event.metadata(), at));
            return;
        };
        let mut extensions = span.extensions_mut();
        let Some(trail) = extensions.get_mut::<Trail>() else { return };
        if level == Level::ERROR {
            let met = error(told, message.clone(), Some(&*trail), event.metadata(), at);
            trail.drop_crumb(crumb(message));
            drop(extensions);
            self.queue.put(met);
        } else {
            trail.drop_crumb(crumb(message));
        }
    }
}

/// The error that was logged with `told`, in the request or run of `trail`.
fn error(
    told: Told,
    message: String,
    trail: Option<&Trail>,
    metadata: &Metadata<'_>,
    at: jiff::Timestamp,
) -> NewError {
    let is_job = told.job.is_some() || trail.is_some_and(|trail| trail.is_job);
    let kind = if told.location.is_some() {
        ErrorKind::Panic
    } else if is_job {
        ErrorKind::Job
    } else if trail.is_some() {
        ErrorKind::Internal
    } else {
        ErrorKind::Other
    };
    let (within, request_id, breadcrumbs) = match trail {
        Some(trail) => {
            let breadcrumbs = trail.breadcrumbs.iter().cloned().collect();
            (trail.place.clone(), trail.request_id.clone(), breadcrumbs)
        }
        None => (None, None, Vec::new()),
    };
    let route = if is_job { None } else { within.clone() };
    let place = within.or(told.job).or(told.location);
    let place = place.unwrap_or_else(|| metadata.target().to_owned());
    NewError {
        kind,
        place: scrub(&place, PLACE_CHARS_MAX),
        sameness: sameness(&message),
        title: scrub(message.lines().next().unwrap_or_default(), TITLE_CHARS_MAX),
        event: ErrorEvent { at, message, request_id, route, release: release(), breadcrumbs },
    }
}

/// The fields that errors want of an event or a span.
#[derive(Debug, Default)]
struct Told {
    message: String,
    request_id: Option<String>,
    route: Option<String>,
    job: Option<String>,
    location: Option<String>,
}

impl Told {
    fn place(&mut self, field: &Field) -> Option<&mut Option<String>> {
        match field.name() {
            "request.id" => Some(&mut self.request_id),
            "http.route" => Some(&mut self.route),
            "job" => Some(&mut self.job),
            LOCATION => Some(&mut self.location),
            _ => None,
        }
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else if let Some(place) = self.place(field) {
            *place = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a text cannot fail.
            write!(self.message, "{value:?}").ok();
        } else if let Some(place) = self.place(field) {
            *place = Some(format!("{value:?}"));
        }
    }
}
