//! Errors of pages, as browsers report them.

use bist_store::{ErrorEvent, ErrorKind, NewError};

use super::{MESSAGE_CHARS_MAX, PLACE_CHARS_MAX, TITLE_CHARS_MAX, release};
use crate::App;
use crate::telemetry::scrub::{sameness, scrub};

/// Characters of a stack that are kept.
const STACK_CHARS_MAX: usize = 4_000;

/// What a page says of an error that it met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    /// What was said.
    pub message: String,
    /// Which part of the web app met it.
    pub place: String,
    /// Where in its code.
    pub stack: Option<String>,
    /// The path of the page.
    pub page: Option<String>,
}

impl App {
    /// Takes in an error of a page. It waits for nobody.
    pub fn report_page_error(&self, error: &PageError) {
        let message = scrub(&error.message, MESSAGE_CHARS_MAX);
        let title = scrub(message.lines().next().unwrap_or_default(), TITLE_CHARS_MAX);
        let sameness = sameness(&message);
        let message = match &error.stack {
            Some(stack) => format!("{message}\n{}", scrub(stack, STACK_CHARS_MAX)),
            None => message,
        };
        self.telemetry.errors().put(NewError {
            kind: ErrorKind::Page,
            place: scrub(&error.place, PLACE_CHARS_MAX),
            sameness,
            title,
            event: ErrorEvent {
                at: self.now(),
                message,
                request_id: self.request_id.clone(),
                route: error.page.as_deref().map(|page| scrub(page, PLACE_CHARS_MAX)),
                release: release(),
                breadcrumbs: Vec::new(),
            },
        });
    }
}
