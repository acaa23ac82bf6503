//! What stands between a client and a server, and cuts, delays or swallows what passes.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::watch;

/// How a proxy passes on what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// As it comes.
    Open,
    /// Each piece as much later.
    Late(Duration),
    /// Not at all: connections are taken, and nothing is heard of them.
    Held,
}

/// A proxy on a port of its own of this machine; it ends with this value.
#[derive(Debug)]
pub struct TcpProxy {
    port: u16,
    state: Option<watch::Sender<State>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    passing: Passing,
    /// Connections that were made before are cut when it rises.
    cuts_count: u32,
}

impl TcpProxy {
    /// One before the port `to` of this machine.
    ///
    /// # Panics
    ///
    /// When this machine has no free port or thread.
    pub fn start(to: u16) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let (state, seen) = watch::channel(State { passing: Passing::Open, cuts_count: 0 });
        let thread = std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a test machine can start a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("the socket is non-blocking");
                let mut ended = seen.clone();
                tokio::select! {
                    () = serve(listener, (Ipv4Addr::LOCALHOST, to).into(), &seen) => {}
                    _ = ended.wait_for(|_| false) => {}
                }
            });
        });
        Self { port, state: Some(state), thread: Some(thread) }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Passes what comes in this way from now on.
    pub fn pass(&self, passing: Passing) {
        self.change(|state| state.passing = passing);
    }

    /// Cuts all connections; new ones are taken.
    pub fn cut(&self) {
        self.change(|state| state.cuts_count += 1);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        if let Some(state) = &self.state {
            state.send_modify(change);
        }
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        // Dropping the sender ends the loop.
        self.state.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

async fn serve(listener: TcpListener, to: SocketAddr, state: &watch::Receiver<State>) {
    loop {
        // A connection that was lost before it was taken is the client's affair.
        let Ok((client, _)) = listener.accept().await else { continue };
        let mut state = state.clone();
        tokio::spawn(async move {
            let cuts_count = state.borrow_and_update().cuts_count;
            let (ours, theirs) = (state.clone(), state.clone());
            tokio::select! {
                () = converse(client, to, ours, theirs) => {}
                // Both connections are closed with this.
                _ = state.wait_for(|state| state.cuts_count > cuts_count) => {}
            }
        });
    }
}

async fn converse(
    client: TcpStream,
    to: SocketAddr,
    ours: watch::Receiver<State>,
    theirs: watch::Receiver<State>,
) {
    let Ok(server) = TcpStream::connect(to).await else { return };
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = carry(from_client, to_server, ours) => {}
        () = carry(from_server, to_client, theirs) => {}
    }
}

/// Carries what comes until one of the sides ends.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let count = match from.read(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        let open = state.wait_for(|state| state.passing != Passing::Held).await;
        let Ok(passing) = open.map(|state| state.passing) else { return };
        if let Passing::Late(by) = passing {
            tokio::time::sleep(by).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
