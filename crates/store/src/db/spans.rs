//! Within which span statements are asked: drivers log them, on threads of their own, in that one.

use std::sync::OnceLock;

use tracing::Span;

static SPAN: OnceLock<fn() -> Span> = OnceLock::new();

/// Asks each statement of this process within what `span` gives then. The first one that is given stays.
pub fn ask_within(span: fn() -> Span) {
    SPAN.get_or_init(|| span);
}

/// The span for a statement that is asked now.
pub(super) fn current() -> Span {
    SPAN.get().map_or_else(Span::none, |span| span())
}
