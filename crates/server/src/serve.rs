//! Answering requests until told to stop, and then finishing those that were begun.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::Response;
use bist_app::App;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::connections::{Busy, Connections, Place};
use crate::joined_writes::JoinedWrites;
use crate::line::Line;
use crate::router::router;
use crate::settings::ServerSettings;
use crate::tls::Tls;

/// How long requests that were begun may take once the server was told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// The longest head of a request, bytes: its first line and all headers, of which there may be 100.
const HEAD_SIZE_BYTES_MAX: usize = 16 * 1024;

/// How long to wait before another connection is taken when the system has no room for one.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(50);

/// Answers requests on `listener` until `shutdown` resolves.
///
/// Then no new connection is taken and idle ones are closed. Requests that were begun are finished,
/// but not waited for longer than ten seconds.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    app: Arc<App>,
    settings: ServerSettings,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = router(app, &settings);
    serve_router(router, settings, listener, shutdown, DRAIN_TIME_MAX).await
}

async fn serve_router(
    router: Router,
    settings: ServerSettings,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
    drain_time_max: Duration,
) -> io::Result<()> {
    let ServerSettings { connections: limits, trusted_proxies, tls, .. } = settings;
    let connections = Connections::new(limits, trusted_proxies);
    let head_time_max = limits.head_time_max;
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_header_size(HEAD_SIZE_BYTES_MAX)
        .max_buf_size(4 * HEAD_SIZE_BYTES_MAX);
    let (stopping, stopped) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if concerns_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken: {error}");
                connections.make_room();
                tokio::time::sleep(NO_ROOM_PAUSE).await;
                continue;
            }
        };
        let Some(place) = connections.admit(peer.ip()) else { continue };
        // Answers are written at once; waiting to fill a packet would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection stays without TCP_NODELAY: {error}");
        }
        let http = http.clone();
        let place = Arc::new(place);
        let (router, stopped) = (router.clone(), stopped.clone());
        let guest = Guest { router, peer, place, head_time_max, stopped };
        match tls.clone() {
            Some(tls) => drop(tokio::spawn(guest.greet(tls, http, stream))),
            None => drop(tokio::spawn(guest.answer(http, JoinedWrites(stream)))),
        }
    }
    tracing::info!("stopping: requests that were begun are finished");
    drop((listener, stopped));
    stopping.send_replace(true);
    if tokio::time::timeout(drain_time_max, stopping.closed()).await.is_err() {
        let waited_s = drain_time_max.as_secs();
        tracing::warn!(waited_s, "requests were still running after {waited_s} s and are given up");
    }
    Ok(())
}

/// Whether the error is that of a client who went away again.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Who has connected, and what is needed to answer them.
#[derive(Debug)]
struct Guest {
    router: Router,
    peer: SocketAddr,
    place: Arc<Place>,
    /// How long a greeting of TLS may take, and the head of a request from the answer before it on.
    head_time_max: Duration,
    stopped: watch::Receiver<bool>,
}

impl Guest {
    /// Agrees on keys, within the time that the head of a request may take, and then answers.
    async fn greet(mut self, tls: Tls, http: http1::Builder, stream: TcpStream) {
        let greeting = tokio::time::timeout(self.head_time_max, tls.greet(stream));
        let greeted = tokio::select! {
            greeted = greeting => greeted,
            () = self.place.cut() => return,
            _ = self.stopped.wait_for(|stopped| *stopped) => return,
        };
        match greeted {
            Ok(Ok(Some(stream))) => self.answer(http, stream).await,
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a greeting of TLS failed: {error}"),
            Err(_) => tracing::debug!("a greeting of TLS took too long"),
        }
    }

    /// Answers one request after the other, until the connection ends or has to.
    async fn answer(
        self,
        http: http1::Builder,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) {
        let Self { router, peer, place, head_time_max, mut stopped } = self;
        let heard = stopped.clone();
        let answer = service_fn(|request: hyper::Request<Incoming>| {
            let busy = place.busy();
            let mut request: Request = request.map(|body| {
                // Most requests have none.
                if body.is_end_stream() { Body::empty() } else { Body::new(body) }
            });
            request.extensions_mut().insert(ConnectInfo(peer));
            let line = Line::new(Arc::clone(&place), heard.clone());
            request.extensions_mut().insert(line);
            let router = router.clone();
            async move {
                let response: Response<Body> = router.oneshot(request).await?;
                // Answers that are ready at the same time are sent one right after the other: the first
                // wakes whoever reads, and those that follow find them awake, which spares the system
                // most of what sending costs.
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(response.map(|body| Held { body, _busy: busy }))
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let mut connection = pin!(connection.with_upgrades());
        let why = async {
            tokio::select! {
                biased;
                () = place.cut() => WhyEnd::Cut,
                () = place.silence(head_time_max) => WhyEnd::Silence,
                _ = stopped.wait_for(|stopped| *stopped) => WhyEnd::Stop,
            }
        };
        // Looked at when one of them has come about, and not whenever the connection goes on.
        let mut why = FuturesUnordered::from_iter([why]);
        tokio::select! {
            biased;
            ended = connection.as_mut() => return log_end(ended),
            Some(why) = why.next() => match why {
                WhyEnd::Cut => return,
                WhyEnd::Silence => {
                    return tracing::debug!("a connection ended: nothing was asked for too long");
                }
                WhyEnd::Stop => {}
            },
        }
        // One that waits for a request has nothing to finish.
        if place.is_busy() {
            connection.as_mut().graceful_shutdown();
            log_end(connection.await);
        }
    }
}

/// Why the server ends a connection.
enum WhyEnd {
    /// It makes room for another, or nobody reads what it sends.
    Cut,
    /// Nothing was asked for too long.
    Silence,
    /// The server stops.
    Stop,
}

fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended: {error}");
    }
}

/// The body of an answer; its connection is busy until all of it was sent.
struct Held {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use bist_app::rate_limits::{Quotas, RateLimits};
    use bist_market::FixedClock;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};

    use super::*;

    /// A server whose only route answers when `finish` says so.
    struct Slow {
        begun: Arc<Notify>,
        finish: Arc<Notify>,
        stop: oneshot::Sender<()>,
        server: tokio::task::JoinHandle<io::Result<()>>,
        client: TcpStream,
    }

    /// Starts the server and a request to it.
    async fn start(drain_time_max: Duration) -> Slow {
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (says_begun, waits) = (Arc::clone(&begun), Arc::clone(&finish));
        let slow = async move || {
            says_begun.notify_one();
            waits.notified().await;
            "late but whole"
        };
        let router = Router::new().route("/", get(slow));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let clock = FixedClock("2026-11-24T12:00:00Z".parse().unwrap());
        let limits = RateLimits::new(Quotas::default(), Arc::new(clock));
        let settings = ServerSettings::new(Arc::new(limits));
        let server = serve_router(router, settings, listener, shutdown, drain_time_max);
        let server = tokio::spawn(server);
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        Slow { begun, finish, stop, server, client }
    }

    #[tokio::test]
    async fn a_request_that_was_begun_is_finished_before_the_server_stops() {
        let mut slow = start(Duration::from_secs(30)).await;
        slow.begun.notified().await;
        slow.stop.send(()).unwrap();
        let address = slow.client.peer_addr().unwrap();
        // The listener closes while the request is still running.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!slow.server.is_finished());
        slow.finish.notify_one();
        let mut answer = String::new();
        slow.client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with("late but whole"), "{answer}");
        slow.server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_keep_the_server() {
        let slow = start(Duration::from_millis(10)).await;
        slow.begun.notified().await;
        slow.stop.send(()).unwrap();
        slow.server.await.unwrap().unwrap();
    }
}
