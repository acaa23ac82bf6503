//! The connection by which a request came, for whoever needs it longer than an answer takes.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::watch;

use crate::connections::{Busy, Place};

/// The connection of a request; in its extensions, where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    place: Arc<Place>,
    stopped: watch::Receiver<bool>,
}

/// The connection of a stream, which is busy as long as this lives. A request without a connection, as
/// in tests, is never told to stop.
#[derive(Debug)]
pub(crate) struct Held(Option<(Line, Busy)>);

impl Line {
    pub(crate) fn new(place: Arc<Place>, stopped: watch::Receiver<bool>) -> Self {
        Self { place, stopped }
    }
}

impl Held {
    /// Waits until the server is told to stop.
    pub(crate) async fn stopped(&mut self) {
        match &mut self.0 {
            // An error means that nobody is left who could tell: then this has stopped, too.
            Some((line, _)) => drop(line.stopped.wait_for(|stopped| *stopped).await),
            None => std::future::pending().await,
        }
    }

    /// Ends the connection, whatever is still to be sent.
    pub(crate) fn cut(&self) {
        if let Some((line, _)) = &self.0 {
            line.place.cut_now();
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Held {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let line = parts.extensions.remove::<Line>();
        Ok(Self(line.map(|line| {
            let busy = line.place.busy();
            (line, busy)
        })))
    }
}
