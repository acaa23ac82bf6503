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

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::oneshot;

/// Longest request that is read.
const REQUEST_BYTES_MAX: usize = 1 << 20;

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

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delivery: Delivery,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// As it should be.
    Whole,
    /// The announced length is right, the connection is closed after so many bytes of the body.
    CutAfter(usize),
    /// In chunks, and closed after so many bytes, without the last chunk.
    ChunkedCutAfter(usize),
    /// After so many bytes of the body nothing more is sent, and the connection stays open.
    StallAfter(usize),
    /// In chunks, the body again and again until the client goes away.
    Endless,
    /// The connection is reset without an answer.
    Reset,
    /// The body is all that is sent, head and all.
    Raw,
}

impl Reply {
    /// 200 with a body of this media type.
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body).header("Content-Type", content_type)
    }

    /// 200 with JSON.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("application/json; charset=utf-8", body)
    }

    /// 200 with a page.
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    /// Any status with a body.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), delivery: Delivery::Whole }
    }

    /// Exactly these bytes, head and all, then the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { delivery: Delivery::Raw, ..Self::status(0, bytes) }
    }

    /// No answer: the connection is reset.
    pub fn reset() -> Self {
        Self { delivery: Delivery::Reset, ..Self::status(0, "") }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Announces the whole body and closes after `bytes` of it.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        Self { delivery: Delivery::CutAfter(bytes), ..self }
    }

    /// Sends `bytes` of the body as a chunk and closes without the last chunk.
    #[must_use]
    pub fn chunked_cut_after(self, bytes: usize) -> Self {
        Self { delivery: Delivery::ChunkedCutAfter(bytes), ..self }
    }

    /// Sends `bytes` of the body, then nothing, until the client goes away.
    #[must_use]
    pub fn stall_after(self, bytes: usize) -> Self {
        Self { delivery: Delivery::StallAfter(bytes), ..self }
    }

    /// Sends the body as chunks again and again, until the client goes away.
    #[must_use]
    pub fn endless(self) -> Self {
        Self { delivery: Delivery::Endless, ..self }
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let chunked = matches!(self.delivery, Delivery::ChunkedCutAfter(_) | Delivery::Endless);
        head.push_str(&match (chunked, self.status) {
            (true, _) => "Transfer-Encoding: chunked\r\n".to_owned(),
            // These have no body by definition.
            (false, 204 | 304) => String::new(),
            (false, _) => format!("Content-Length: {}\r\n", self.body.len()),
        });
        head.push_str("Connection: close\r\n\r\n");
        head
    }

    /// Sends the answer; an error means that the client went away, which it may.
    async fn deliver(&self, stream: &mut TcpStream) -> io::Result<()> {
        let part = |bytes: usize| &self.body[..bytes.min(self.body.len())];
        match self.delivery {
            Delivery::Raw => stream.write_all(&self.body).await?,
            Delivery::Reset => return stream.set_zero_linger(),
            Delivery::Whole => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(&self.body).await?;
            }
            Delivery::CutAfter(bytes) => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(part(bytes)).await?;
            }
            Delivery::ChunkedCutAfter(bytes) => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(&chunk(part(bytes))).await?;
            }
            Delivery::StallAfter(bytes) => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(part(bytes)).await?;
                stream.flush().await?;
                // Whatever the client still says, this waits until it goes away.
                while stream.read(&mut [0; 64]).await? > 0 {}
            }
            Delivery::Endless => {
                stream.write_all(self.head().as_bytes()).await?;
                loop {
                    stream.write_all(&chunk(&self.body)).await?;
                }
            }
        }
        stream.shutdown().await
    }
}

/// One chunk of a chunked body; an empty one would end it.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Behind the question mark, as it stood; empty without one.
    pub query: String,
    /// In the order in which they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl SeenRequest {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn parse(head: &str, body: Vec<u8>) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self { method, path: path.to_owned(), query: query.to_owned(), headers, body })
    }

    fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
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

/// Reads one request with its body; `None` when it is none or the client went away.
async fn read_request(stream: &mut TcpStream) -> io::Result<Option<SeenRequest>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let Some(request) = SeenRequest::parse(&head, Vec::new()) else { return Ok(None) };
            let length = request.header("content-length").and_then(|text| text.parse().ok());
            let body_end = end + 4 + length.unwrap_or(0_usize);
            if bytes.len() >= body_end {
                return Ok(Some(SeenRequest {
                    body: bytes[end + 4..body_end].to_vec(),
                    ..request
                }));
            }
        }
        if bytes.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}
