//! A WebSocket, opened as everything else is asked: with the same proxy, certificates and names.

use reqwest::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::fetch_error::FetchError;
use crate::http::attempt::innermost;
use crate::http::shown::shown;

/// What a server answers that goes on as a WebSocket.
const SWITCHING_PROTOCOLS: u16 = 101;

/// Bytes that are read at once.
const READ_BYTES: usize = 16 << 10;

/// A WebSocket that is open.
pub(crate) type Socket = WebSocketStream<reqwest::Upgraded>;

/// Opens one at `url`, an address of http or https; what it says is cut off at `message_bytes_max`.
///
/// # Errors
///
/// [`FetchError`] when nobody answers, or with something else than a WebSocket.
pub(crate) async fn open(
    client: &reqwest::Client,
    url: &str,
    mut headers: HeaderMap,
    message_bytes_max: usize,
) -> Result<Socket, FetchError> {
    let key = generate_key();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let sent_key = HeaderValue::from_str(&key).expect("a key is base64");
    headers.insert(SEC_WEBSOCKET_KEY, sent_key);
    let unreachable = |error: reqwest::Error| FetchError::Unreachable {
        url: shown(url),
        reason: innermost(&error),
    };
    let response = client.get(url).headers(headers).send().await.map_err(unreachable)?;
    let status = response.status().as_u16();
    if status != SWITCHING_PROTOCOLS {
        return Err(FetchError::Status {
            url: shown(url),
            status,
            body: Vec::new(),
            beginning: "it opened no WebSocket".to_owned(),
            retry_after: None,
        });
    }
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accepted.is_none_or(|told| *told != derive_accept_key(key.as_bytes())) {
        return Err(FetchError::WrongKind {
            url: shown(url),
            expected: "a WebSocket",
            found: "another protocol".to_owned(),
            beginning: String::new(),
        });
    }
    let upgraded = response.upgrade().await.map_err(unreachable)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(message_bytes_max))
        .max_frame_size(Some(message_bytes_max));
    Ok(Socket::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}
