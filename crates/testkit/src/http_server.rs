//! An HTTP server for tests that plays scripted answers and misbehaves on demand.
//!
//! It runs on a thread of its own, listens on a free port of this machine, closes every connection
//! after one answer, and ends when it is dropped.
//!
//! ```
//! use bist_testkit::http_server::{HttpServer, Reply, Script};
//!
//! let script = Script::new()
//!     .on("/prices?symbol=THYAO", Reply::status(503, "busy").header("Retry-After", "2"))
//!     .on("/prices?symbol=THYAO", Reply::json(r#"{"close":273.25}"#))
//!     .on("/prices", Reply::json("[]").cut_after(1));
//! let server = HttpServer::start(script);
//! assert!(server.url("/prices").starts_with("http://127.0.0.1:"));
//! assert_eq!(server.requests().len(), 0);
//! ```

mod listening;
mod reply;
mod seen;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use listening::Listening;
pub use reply::Reply;
pub use seen::SeenRequest;

/// Which answers the server gives.
#[derive(Clone, Debug, Default)]
pub struct Script {
    routes: BTreeMap<String, VecDeque<Reply>>,
}

impl Script {
    /// Without a route: everything is answered 404.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an answer for requests whose path and query begin with `prefix`.
    ///
    /// The answers of one prefix are given in order, the last of them for ever. Of several prefixes
    /// that fit, the longest counts.
    #[must_use]
    pub fn on(mut self, prefix: &str, reply: Reply) -> Self {
        self.routes.entry(prefix.to_owned()).or_default().push_back(reply);
        self
    }

    fn answer(&mut self, target: &str) -> Reply {
        let fits =
            |route: &&mut (&String, &mut VecDeque<Reply>)| target.starts_with(route.0.as_str());
        let mut routes: Vec<_> = self.routes.iter_mut().collect();
        let route = routes.iter_mut().filter(fits).max_by_key(|route| route.0.len());
        let reply = route.and_then(|(_, replies)| match replies.len() {
            0 | 1 => replies.front().cloned(),
            _ => replies.pop_front(),
        });
        reply.unwrap_or_else(|| Reply::status(404, format!("the script has no answer to {target}")))
    }
}

/// A running server.
#[derive(Debug)]
pub struct HttpServer {
    listening: Listening,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    script: Script,
    requests: Vec<SeenRequest>,
}

impl HttpServer {
    /// Starts to play `script`.
    ///
    /// # Panics
    ///
    /// When this machine has no free port or thread.
    pub fn start(script: Script) -> Self {
        let state = Arc::new(Mutex::new(State { script, requests: Vec::new() }));
        let played = Arc::clone(&state);
        let listening = Listening::start(move |request| {
            let mut state = played.lock().unwrap_or_else(PoisonError::into_inner);
            let reply = state.script.answer(&request.target());
            state.requests.push(request);
            reply
        });
        Self { listening, state }
    }

    /// The address of a path on this server, such as `/prices`; `""` gives the base address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listening.address())
    }

    /// The requests that came in so far, in their order.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }
}
