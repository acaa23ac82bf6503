//! What is logged, as errors see it: each event of the level error becomes one error, with what was
//! logged before it in the same request or run of a job.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use bist_market::Clock;
use bist_store::{ErrorBreadcrumb, ErrorEvent, ErrorKind, NewError};
use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing::{Event, Id, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::panics::LOCATION;
use super::{ErrorQueue, MESSAGE_CHARS_MAX, PLACE_CHARS_MAX, TITLE_CHARS_MAX, release};
use crate::telemetry::request_log::REQUESTS_TARGET;
use crate::telemetry::scrub::{sameness, scrub};
use crate::telemetry::trail::{JOB_SPAN, REQUEST_SPAN, Trail, TrailOf};

/// What the targets of our own events and spans begin with.
const OWN: &str = "bist";

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
    (is_own && metadata.target() != REQUESTS_TARGET)
        || (metadata.is_event() && *metadata.level() == Level::ERROR)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ErrorLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let trail = match attributes.metadata().name() {
            REQUEST_SPAN => Trail::current(),
            JOB_SPAN => {
                let mut told = Told::default();
                attributes.record(&mut told);
                Some(Trail::of(TrailOf::Job(told.job.unwrap_or_default())))
            }
            _ => None,
        };
        if let Some(trail) = trail {
            span.extensions_mut().insert(trail);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let level = *event.metadata().level();
        let of_span = |span: SpanRef<'_, S>| span.extensions().get::<Arc<Trail>>().map(Arc::clone);
        let of_spans = context.event_scope(event).and_then(|mut spans| spans.find_map(of_span));
        let trail = of_spans.or_else(Trail::current);
        if level != Level::ERROR && trail.is_none() {
            return;
        }
        let mut told = Told::default();
        event.record(&mut told);
        let message = scrub(&told.message, MESSAGE_CHARS_MAX);
        let at = self.clock.now();
        if level == Level::ERROR {
            let trail = trail.as_deref();
            self.queue.put(error(told, message.clone(), trail, event.metadata(), at));
        }
        if let Some(trail) = trail {
            let level = level.as_str().to_ascii_lowercase();
            trail.drop_crumb(ErrorBreadcrumb { at, level, message });
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
    let of = trail.map(Trail::what);
    let is_job = told.job.is_some() || matches!(of, Some(TrailOf::Job(_)));
    let kind = if told.location.is_some() {
        ErrorKind::Panic
    } else if is_job {
        ErrorKind::Job
    } else if trail.is_some() {
        ErrorKind::Internal
    } else {
        ErrorKind::Other
    };
    let (within, request_id) = match of {
        Some(TrailOf::Request { id, route }) => (Some(route.to_string()), Some(id.to_string())),
        Some(TrailOf::Job(job)) => (Some(job.clone()), None),
        None => (None, None),
    };
    let breadcrumbs = trail.map(Trail::crumbs).unwrap_or_default();
    let route = if is_job { None } else { within.clone() };
    // A panic happened at a line of the program, whoever asked for it.
    let place = told.location.or(within).or(told.job);
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
    job: Option<String>,
    location: Option<String>,
}

impl Told {
    fn place(&mut self, field: &Field) -> Option<&mut Option<String>> {
        match field.name() {
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
