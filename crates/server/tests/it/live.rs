//! Who listens, through which door: a server on a socket, and what tests hear from it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Request, StatusCode};
use bist_app::App;
use bist_app::live::{Change, LiveSettings, PriceNow, QualityNow, Topic};
use bist_market::{Origin, Price, Symbol};
use bist_server::{LiveLimits, ServerSettings};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::test_app::{Opened, TestApp, open, settings, unbounded};

/// A server on a socket, and who may listen to it.
pub(crate) struct LiveServer {
    pub(crate) app: Arc<App>,
    pub(crate) test_app: TestApp,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl LiveServer {
    /// A server without data, of the usual limits.
    pub(crate) async fn start() -> Self {
        Self::with(LiveSettings::default(), LiveLimits::default()).await
    }

    pub(crate) async fn with(kept: LiveSettings, limits: LiveLimits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let app = open(directory.path()).await.with_live(kept);
        let test_app = TestApp::with(app, directory).await;
        let app = Arc::clone(&test_app.app);
        let settings = ServerSettings { live: limits, ..settings(&app, unbounded()) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let served =
            tokio::spawn(bist_server::serve(Arc::clone(&app), settings, listener, shutdown));
        Self { app, test_app, address, stop: Some(stop), served }
    }

    /// The same application, served at another address.
    pub(crate) fn at(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has.
    pub(crate) async fn stopped(self) {
        self.served.await.unwrap().unwrap();
    }

    /// Publishes a price of `symbol`.
    pub(crate) fn price(&self, symbol: &str, price: &str) {
        let symbol = Symbol::parse(symbol).unwrap();
        let now = PriceNow {
            symbol,
            origin: Origin::Market,
            as_of: None,
            last_close: Some(Price::parse(price).unwrap()),
            previous_close: None,
            change_share: None,
            priced_at: None,
            is_stale: None,
            live_source: None,
            replay: None,
        };
        self.publish(Topic::Price(symbol), Change::Price(now));
    }

    /// Publishes the quality of the data.
    pub(crate) fn quality(&self, score_share: f64) {
        let now = QualityNow { score_share: Some(score_share), validated_at: None };
        self.publish(Topic::Quality, Change::Quality(now));
    }

    fn publish(&self, topic: Topic, change: Change) {
        self.app.live().publish(self.app.now(), vec![(topic, change)]);
    }

    /// A WebSocket of the administrator.
    pub(crate) async fn socket(&self) -> Socket {
        self.socket_of(&self.test_app.administrator).await
    }

    /// A WebSocket of somebody's session, after its first envelope.
    pub(crate) async fn socket_of(&self, session: &Opened) -> Socket {
        let mut socket = self.connect(&[("cookie", &session.cookie)]).await.unwrap();
        let hello = socket.hear().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        socket
    }

    /// A WebSocket with these headers, or the status of the refusal.
    pub(crate) async fn connect(&self, headers: &[(&str, &str)]) -> Result<Socket, StatusCode> {
        let url = format!("ws://{}/api/v1/live", self.address);
        let mut request: Request<()> = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name = axum::http::HeaderName::try_from(*name).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((stream, _)) => Ok(Socket(stream)),
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A WebSocket as a client has it.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// The next envelope.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => self.0.flush().await.unwrap(),
                message @ (Message::Binary(_)
                | Message::Pong(_)
                | Message::Close(_)
                | Message::Frame(_)) => panic!("{message:?}"),
            }
        }
    }

    /// The close code and what was told before it.
    pub(crate) async fn hear_the_end(&mut self) -> (u16, Vec<Value>) {
        let mut told = Vec::new();
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => told.push(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(CloseFrame { code, .. })) => return (code.into(), told),
                Message::Ping(_) => {}
                message @ (Message::Binary(_)
                | Message::Pong(_)
                | Message::Close(_)
                | Message::Frame(_)) => panic!("{message:?}"),
            }
        }
    }

    /// The next message, whatever it is.
    pub(crate) async fn hear_message(&mut self) -> Message {
        self.0.next().await.unwrap().unwrap()
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// Listens to `topics`; the snapshot.
    pub(crate) async fn subscribe(&mut self, topics: &[&str]) -> Value {
        let request = serde_json::json!({"op": "subscribe", "topics": topics});
        self.say(&request.to_string()).await;
        let snapshot = self.hear().await;
        assert_eq!(snapshot["type"], "snapshot", "{snapshot}");
        snapshot
    }

    /// Goes on from `position`; the answer.
    pub(crate) async fn resume(&mut self, position: &str, topics: &[&str]) -> Value {
        let request = serde_json::json!({"op": "resume", "position": position, "topics": topics});
        self.say(&request.to_string()).await;
        self.hear().await
    }
}

/// The topic and the number of an event.
pub(crate) fn told(envelope: &Value) -> (String, u64) {
    assert_eq!(envelope["type"], "update", "{envelope}");
    (envelope["topic"].as_str().unwrap().to_owned(), envelope["seq"].as_u64().unwrap())
}

/// The position that an envelope tells.
pub(crate) fn position(envelope: &Value) -> String {
    envelope["data"]["position"].as_str().unwrap().to_owned()
}

/// The position of an event after one that is known.
pub(crate) fn position_of(known: &str, envelope: &Value) -> String {
    format!("{}-{}", known.split_once('-').unwrap().0, envelope["seq"])
}

/// Limits with which who listens is asked again and again at once.
pub(crate) fn impatient() -> LiveLimits {
    LiveLimits { heartbeat_every: Duration::from_millis(20), ..LiveLimits::default() }
}

/// A client of HTTP; it wants to know by what it would encrypt, though it does not.
pub(crate) fn client() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}
