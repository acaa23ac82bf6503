//! Prices that move: a replay that is followed over a cut, and a broker that is signed in to.

use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};

use bist_testkit::http_server::{HttpServer, Reply, Script};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::cli::{bist, json, text};

/// As many times as fast as it was: a minute in a fifth of a second.
const SPEED: &str = "300";

const PASSWORD: &str = "korkma sönmez bu şafaklarda";

/// A server that replays the sample market.
struct Server {
    child: Child,
    address: SocketAddr,
    /// The cookie of somebody who may read.
    cookie: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    fn start(data: &Path) -> Self {
        json(data, &["sample", "--symbols", "6", "--years", "3"]);
        let made = json(data, &["users", "create", "viewer"]);
        let token = made["link"].as_str().unwrap().split('#').nth(1).unwrap().to_owned();
        let mut command = bist(data);
        command.args(["serve", "--bind", "127.0.0.1:0", "--replay", SPEED, "--json", "--quiet"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut documents = serde_json::Deserializer::from_reader(out).into_iter();
        let listening: Value = documents.next().unwrap().unwrap();
        let address = listening["address"].as_str().unwrap().strip_prefix("http://").unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let cookie = accept(address, &token);
        Self { child, address, cookie }
    }

    async fn connect(&self) -> Socket {
        let url = format!("ws://{}/api/v1/live", self.address);
        let mut request = url.into_client_request().unwrap();
        let cookie = HeaderValue::from_str(&self.cookie).unwrap();
        request.headers_mut().insert("cookie", cookie);
        let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let (stream, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let mut socket = Socket(stream);
        let hello = socket.hear().await;
        assert_eq!((&hello["type"], &hello["data"]["prices"]), (&json!("hello"), &json!("replay")));
        socket
    }
}

/// Sets the password that an invitation asks for; gives the cookie of the session.
fn accept(address: SocketAddr, token: &str) -> String {
    let body = json!({"token": token, "password": PASSWORD}).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /api/v1/auth/invitation HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.unwrap_or_else(|| panic!("{answer}"));
    cookie.split(';').next().unwrap().to_owned()
}

/// A WebSocket as a client has it.
struct Socket(WebSocketStream<tokio::net::TcpStream>);

impl Socket {
    async fn hear(&mut self) -> Value {
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

    async fn say(&mut self, document: &Value) {
        self.0.send(Message::text(document.to_string())).await.unwrap();
    }

    /// The next price, as its number and all that it says.
    async fn price(&mut self) -> (u64, Value) {
        let envelope = self.hear().await;
        assert_eq!(envelope["type"], "update", "{envelope}");
        assert_eq!(envelope["replay"], true, "{envelope}");
        assert!(envelope["data"]["replay_time"].is_string(), "{envelope}");
        (envelope["seq"].as_u64().unwrap(), envelope)
    }
}

#[tokio::test]
async fn whoever_was_cut_off_from_a_replay_goes_on_without_gap_or_double() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let mut witness = server.connect().await;
    witness.say(&json!({"op": "subscribe", "topics": ["prices"]})).await;
    assert_eq!(witness.hear().await["type"], "snapshot");
    let (tell, mut witnessed) = mpsc::unbounded_channel();
    tokio::spawn(async move { while tell.send(witness.price().await).is_ok() {} });

    let mut client = server.connect().await;
    client.say(&json!({"op": "subscribe", "topics": ["prices"]})).await;
    let snapshot = client.hear().await;
    assert_eq!(snapshot["type"], "snapshot", "{snapshot}");
    let position = snapshot["data"]["position"].as_str().unwrap().to_owned();
    let epoch = position.split('-').next().unwrap();
    let from = snapshot["seq"].as_u64().unwrap();
    let mut heard = Vec::new();
    for round in 0..3 {
        for _ in 0..10 {
            heard.push(client.price().await);
        }
        // Without a word, as when a cable is pulled.
        drop(client);
        let (mut all, cut_at) = (Vec::new(), heard.last().unwrap().0);
        while all.last().is_none_or(|(seq, _): &(u64, Value)| *seq < cut_at + 20) {
            all.push(witnessed.recv().await.unwrap());
        }
        client = server.connect().await;
        let position = format!("{epoch}-{cut_at}");
        client.say(&json!({"op": "resume", "position": position, "topics": ["prices"]})).await;
        let resumed = client.hear().await;
        assert_eq!(resumed["type"], "resumed", "round {round}: {resumed}");
        while heard.last().unwrap().0 < all.last().unwrap().0 {
            heard.push(client.price().await);
        }
        let heard_of_these =
            heard.iter().filter(|(seq, _)| (all[0].0..=all.last().unwrap().0).contains(seq));
        let expected: Vec<_> = all.iter().filter(|(seq, _)| *seq > from).collect();
        assert_eq!(heard_of_these.collect::<Vec<_>>(), expected, "round {round}");
    }
    let times: Vec<&Value> = heard.iter().map(|(_, price)| &price["data"]["replay_time"]).collect();
    assert_ne!(times.first(), times.last(), "time goes on");
}

#[test]
fn a_person_signs_in_at_a_broker_and_the_session_is_kept() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let answer = |content: &str| Reply::json(format!(r#"{{"success":true,"content":{content}}}"#));
    let script = Script::new()
        .on("/api/api/LoginUser", answer(r#"{"token":"a.token"}"#))
        .on("/api/api/LoginUserControl", answer(r#"{"hash":"a.session"}"#));
    let server = HttpServer::start(script);
    let config = folder.path().join("bist.toml");
    let settings = format!(
        "[live]\nsource = 'algolab'\n[credentials]\nalgolab = 'secret:algolab'\n\
         [sources.algolab]\nrequests_per_minute = 600\nbase_urls.api = '{}'\n",
        server.url("/api")
    );
    fs::write(&config, settings).unwrap();
    let with_input = |args: &[&str], input: &str| {
        let mut command = bist(&data);
        command.args(args).args(["--config", text(&config), "--json", "--quiet"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!errors.contains("word") && !errors.contains("123456"), "{errors}");
        assert!(output.status.success(), "{args:?}: {errors}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let keys = "API-YD3rEBXKcb4rc67whX13gR81LAc7YQjXLZgQowkU3/Q=:12345678901:word";
    with_input(&["secrets", "set", "algolab"], keys);
    let kept = with_input(&["secrets", "sign-in"], "123456\n");
    assert_eq!((&kept["name"], &kept["revision"]), (&json!("algolab.session"), &json!(1)));
    let again = with_input(&["secrets", "sign-in"], "123456\n");
    assert_eq!(again["revision"], 2);
    let session = json(&data, &["secrets", "get", "algolab.session"]);
    assert_eq!(session["value"], "a.session");
    for request in server.requests() {
        let body = String::from_utf8(request.body).unwrap();
        assert!(!body.contains("123456") && !body.contains(":\"word"), "{body}");
    }
}
