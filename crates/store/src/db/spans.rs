//! Within which span statements are asked: drivers log them, on threads of their own, in that one.

use std::sync::OnceLock;

use tracing::Span;

/// The target of spans that are made for a collector alone.
pub const TRACES_TARGET: &str = "bist_trace";

static SPAN: OnceLock<fn() -> Span> = OnceLock::new();

/// Asks each statement of this process within what `span` gives then. The first one that is given stays.
pub fn ask_within(span: fn() -> Span) {
    SPAN.get_or_init(|| span);
}

/// The span for a statement that is asked now.
pub(super) fn current() -> Span {
    SPAN.get().map_or_else(Span::none, |span| span())
}

/// The span of a statement, for a collector: its text, and never its values.
pub(super) fn of_statement(system: &'static str, text: &str) -> Span {
    tracing::trace_span!(
        target: TRACES_TARGET,
        "statement",
        otel.name = text.split_whitespace().next().unwrap_or_default(),
        otel.kind = "client",
        db.system.name = system,
        db.query.text = text,
    )
}
