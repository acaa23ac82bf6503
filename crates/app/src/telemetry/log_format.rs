//! Lines of the log that name the request they belong to.

use std::fmt;

use serde_json::json;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use super::trail::{REQUEST_SPAN, Trail, TrailOf};

/// How an event is written, with the request that is being answered where no span says so already.
#[derive(Clone, Copy, Debug)]
pub struct WithRequest<F> {
    format: F,
    is_json: bool,
}

impl<F> WithRequest<F> {
    /// What `format` writes as one JSON object a line.
    pub const fn json(format: F) -> Self {
        Self { format, is_json: true }
    }

    /// What `format` writes as text.
    pub const fn text(format: F) -> Self {
        Self { format, is_json: false }
    }
}

impl<S, N, F> FormatEvent<S, N> for WithRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let within = if context.lookup_current().is_none() { Trail::current() } else { None };
        let Some(TrailOf::Request { id, route }) = within.as_ref().map(|trail| trail.what()) else {
            return self.format.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end_matches('\n');
        match line.strip_suffix('}').filter(|_| self.is_json) {
            Some(open) => {
                let span =
                    json!({ "request.id": **id, "http.route": **route, "name": REQUEST_SPAN });
                writeln!(writer, "{open},\"span\":{span},\"spans\":[{span}]}}")
            }
            None => writeln!(writer, "{line} request.id={id} http.route={route}"),
        }
    }
}
