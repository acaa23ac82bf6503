//! A broker's WebSocket for tests, which says what it is told to, and misbehaves on demand.
//!
//! It does nothing by itself: a test takes a connection, hears what was asked, and says or breaks
//! something. Everything that goes wrong is a panic, as in a test.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// A broker on a free port of this machine.
#[derive(Debug)]
pub struct Broker {
    listener: TcpListener,
}

/// A WebSocket that somebody has opened.
#[derive(Debug)]
pub struct BrokerConnection {
    /// The path that was asked for.
    pub path: String,
    /// The headers of the handshake, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    socket: WebSocketStream<TcpStream>,
}

#[expect(
    clippy::missing_panics_doc,
    reason = "every method panics when the other side fails a test"
)]
impl Broker {
    /// Begins to listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        Self { listener: listener.expect("a test machine has a free port") }
    }

    /// Where it is, as a base address.
    pub fn url(&self) -> String {
        let address = self.listener.local_addr().expect("a bound socket has an address");
        format!("http://{address}/api")
    }

    /// Waits for the next WebSocket.
    pub async fn accept(&self) -> BrokerConnection {
        let (stream, _) = self.listener.accept().await.expect("a connection");
        let (mut path, mut headers) = (String::new(), BTreeMap::new());
        #[expect(clippy::result_large_err, reason = "the library wants it so")]
        let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            path = request.uri().path().to_owned();
            for (name, value) in request.headers() {
                headers.insert(name.to_string(), value.to_str().expect("a text").to_owned());
            }
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, look).await.expect("a handshake");
        BrokerConnection { path, headers, socket }
    }

    /// Waits for the next request and answers it with a status and a document instead of a WebSocket;
    /// gives the request as it came.
    pub async fn answer(&self, status: u16, document: &str) -> String {
        let (mut stream, _) = self.listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while !is_whole(&request) {
            let read = stream.read(&mut piece).await.expect("a request");
            assert!(read > 0, "the request broke off");
            request.extend_from_slice(&piece[..read]);
        }
        let length = document.len();
        let answer = format!(
            "HTTP/1.1 {status} So\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{document}"
        );
        stream.write_all(answer.as_bytes()).await.expect("an answer is taken");
        String::from_utf8(request).expect("a text")
    }
}

/// Whether a request has come to its end.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    body.len() >= length.unwrap_or_default()
}

#[expect(
    clippy::missing_panics_doc,
    reason = "every method panics when the other side fails a test"
)]
impl BrokerConnection {
    /// The next text that is said to the broker.
    pub async fn hear(&mut self) -> String {
        loop {
            match self.socket.next().await.expect("it is open").expect("a message") {
                Message::Text(text) => return text.to_string(),
                Message::Ping(_) | Message::Pong(_) => {}
                message @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                    panic!("{message:?} instead of a text")
                }
            }
        }
    }

    /// Says a text.
    pub async fn tell(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("it is heard");
    }

    /// Says bytes.
    pub async fn tell_bytes(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.expect("they are heard");
    }

    /// Says that `symbol` was traded at `price`, at a time such as `2026-11-27T12:00:00+03:00`.
    pub async fn trade(&mut self, symbol: &str, price: &str, time: &str) {
        self.tell(&format!(
            r#"{{"Type":"T","Content":{{"Symbol":"{symbol}","Market":"IMKBH","Price":{price},"Date":"{time}","RefPrice":0.0,"Direction":"B"}}}}"#
        ))
        .await;
    }

    /// Closes with a code, as it should be.
    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        self.socket.close(Some(frame)).await.expect("it is heard");
    }

    /// Waits until the other side closes.
    pub async fn closed(mut self) {
        while let Some(Ok(message)) = self.socket.next().await {
            if matches!(message, Message::Close(_)) {
                return;
            }
        }
    }
}
