//! A thread that takes connections and answers one request of each.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

use super::reply::Reply;
use super::seen::{SeenRequest, read_request};

/// A server on a free port of this machine, which ends with this value.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Starts to give `answer` to every request.
    pub(crate) fn start(answer: impl Fn(SeenRequest) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .expect("a test machine has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("a test machine can start a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("the socket is non-blocking");
                tokio::select! {
                    () = serve(listener, Arc::new(answer)) => {}
                    // Either way the server is no longer wanted.
                    _ = stopped => {}
                }
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
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

async fn serve<F>(listener: TcpListener, answer: Arc<F>)
where
    F: Fn(SeenRequest) -> Reply + Send + Sync + 'static,
{
    loop {
        // A connection that was lost before it was taken is the client's affair.
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let Ok(Some(request)) = read_request(&mut stream).await else { return };
            let reply = answer(request);
            // An error means that the client went away, which many tests make it do.
            reply.deliver(&mut stream).await.ok();
        });
    }
}
