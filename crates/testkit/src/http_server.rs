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

mod reply;
mod seen;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

pub use reply::Reply;
pub use seen::SeenRequest;
use seen::read_request;

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
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
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
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .expect("a test machine has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let state = Arc::new(Mutex::new(State { script, requests: Vec::new() }));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("a test machine can start a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("the socket is non-blocking");
                tokio::select! {
                    () = serve(listener, served) => {}
                    // Either way the server is no longer wanted.
                    _ = stopped => {}
                }
            });
        });
        Self { address, state, stop: Some(stop), thread: Some(thread) }
    }

    /// The address of a path on this server, such as `/prices`; `""` gives the base address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that came in so far, in their order.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        // Dropping the sender ends the loop.
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the test server panicked");
        }
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        // A connection that was lost before it was taken is the client's affair.
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let Ok(Some(request)) = read_request(&mut stream).await else { return };
            let reply = {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                let reply = state.script.answer(&request.target());
                state.requests.push(request);
                reply
            };
            // An error means that the client went away, which many tests make it do.
            reply.deliver(&mut stream).await.ok();
        });
    }
}
