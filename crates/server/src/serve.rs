//! Answering requests until told to stop, and then finishing those that were begun.

use std::future::{Future, IntoFuture};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use bist_app::App;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::router::router;

/// How long requests that were begun may take once the server was told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

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
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_router(router(app), listener, shutdown, DRAIN_TIME_MAX).await
}

async fn serve_router(
    router: Router,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
    drain_time_max: Duration,
) -> io::Result<()> {
    // Answers are written at once; waiting to fill a packet would only delay them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection stays without TCP_NODELAY: {error}");
        }
    });
    let (stopping, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        shutdown.await;
        tracing::info!("stopping: requests that were begun are finished");
        drop(stopping);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown).into_future();
    let overdue = async move {
        // An error is what dropping the other end gives.
        stopped.await.ok();
        tokio::time::sleep(drain_time_max).await;
    };
    tokio::select! {
        result = serving => result,
        () = overdue => {
            let waited_s = drain_time_max.as_secs();
            tracing::warn!(waited_s, "requests were still running after {waited_s} s and are given up");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

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
        let server = tokio::spawn(serve_router(router, listener, shutdown, drain_time_max));
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
