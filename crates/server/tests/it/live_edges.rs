//! Who may listen, what clients do wrong, and how streams end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use bist_access::Role;
use bist_app::live::LiveSettings;
use bist_server::LiveLimits;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::live::{LiveServer, client, impatient, told};
use crate::test_app::{Opened, sign_in};

#[tokio::test]
async fn a_page_of_another_site_opens_no_stream() {
    let server = LiveServer::start().await;
    let cookie = server.test_app.administrator.cookie.clone();
    let connect = async |origin: Option<&str>| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        server.connect(&headers).await.map(drop).map_err(|status| status.as_u16())
    };
    let own = format!("http://{}", server.address);
    assert_eq!(connect(Some(&own)).await, Ok(()));
    assert_eq!(connect(None).await, Ok(()), "a program");
    for origin in ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1"] {
        assert_eq!(connect(Some(origin)).await, Err(403), "{origin}");
    }
}

#[tokio::test]
async fn nobody_listens_without_a_session_or_a_key() {
    let server = LiveServer::start().await;
    assert_eq!(server.connect(&[]).await.map(drop).unwrap_err().as_u16(), 401);
    let wrong = [("authorization", "Bearer bist_k0123456789abcdef_wrong")];
    assert_eq!(server.connect(&wrong).await.map(drop).unwrap_err().as_u16(), 401);
    let answer = server.test_app.get("/api/v1/live").await;
    assert_eq!(answer.problem(426).0, "upgrade_required");
    assert_eq!(answer.headers["upgrade"], "websocket");
}

#[tokio::test]
async fn a_viewer_hears_nothing_that_its_role_may_not_read() {
    let server = LiveServer::start().await;
    let viewer = sign_in(&server.app, "can", Role::Viewer).await;
    let viewer = Opened::of(&server.app, &viewer).await;
    let mut socket = server.socket_of(&viewer).await;
    socket.say(r#"{"op": "subscribe", "topics": ["prices", "audit"]}"#).await;
    let error = socket.hear().await;
    assert_eq!((&error["type"], &error["data"]["code"]), (&json!("error"), &json!("forbidden")));
    socket.say(r#"{"op": "resume", "position": "0123456789abcdef-0", "topics": ["audit"]}"#).await;
    assert_eq!(socket.hear().await["data"]["code"], "forbidden");
    // Nothing of the request was done, and the stream goes on.
    socket.subscribe(&["prices"]).await;
    for path in ["poll", "events"] {
        let path = format!("/api/v1/live/{path}?topics=audit");
        let headers = [("cookie", viewer.cookie.as_str())];
        let answer = server.test_app.send(axum::http::Method::GET, &path, &headers).await;
        assert_eq!(answer.problem(403).0, "forbidden");
    }
}

#[tokio::test]
async fn what_a_client_says_wrong_is_told_and_ends_the_stream_where_it_is_no_request() {
    let server = LiveServer::start().await;
    let check = async |message: Message, expected: (&str, u16)| {
        let mut socket = server.socket().await;
        socket.send(message).await;
        let (code, told) = socket.hear_the_end().await;
        let told = told.last().unwrap();
        assert_eq!(told["type"], "error", "{told}");
        assert_eq!((told["data"]["code"].as_str().unwrap(), code), expected);
        assert!(!told["data"]["detail"].as_str().unwrap().is_empty());
    };
    check(Message::text("{"), ("malformed_message", 1007)).await;
    check(Message::text("[]"), ("malformed_message", 1007)).await;
    check(Message::text(r#"{"op": "shout", "topics": []}"#), ("malformed_message", 1007)).await;
    let extra = r#"{"op": "subscribe", "topics": ["prices"], "colour": "red"}"#;
    check(Message::text(extra), ("malformed_message", 1007)).await;
    check(Message::binary(vec![1_u8, 2, 3]), ("binary_message", 1003)).await;
    check(Message::text("x".repeat(5000)), ("message_too_large", 1009)).await;

    let mut socket = server.socket().await;
    for (request, code) in [
        (json!({"op": "subscribe", "topics": ["weather"]}), "unknown_topic"),
        (json!({"op": "subscribe", "topics": ["prices/no such"]}), "unknown_topic"),
        (json!({"op": "resume", "topics": ["prices"], "position": "12"}), "invalid_position"),
    ] {
        socket.say(&request.to_string()).await;
        let error = socket.hear().await;
        assert_eq!((&error["type"], &error["data"]["code"]), (&json!("error"), &json!(code)));
    }
    socket.subscribe(&["prices"]).await;
    socket.say(r#"{"op": "unsubscribe", "topics": ["prices"]}"#).await;
    assert_eq!(socket.hear().await["data"]["topics"], json!([]));
}

#[tokio::test]
async fn a_client_that_asks_without_end_is_sent_away() {
    let server = LiveServer::start().await;
    let mut socket = server.socket().await;
    for _ in 0..80 {
        socket.say(r#"{"op": "unsubscribe", "topics": []}"#).await;
    }
    let (code, told) = socket.hear_the_end().await;
    assert_eq!((code, &told.last().unwrap()["data"]["code"]), (4029, &json!("too_many_requests")));
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off_and_nobody_else_notices() {
    let kept = LiveSettings { kept_events_max: 16, ..LiveSettings::default() };
    let limits = LiveLimits { write_time_max: Duration::from_millis(50), ..LiveLimits::default() };
    let server = LiveServer::with(kept, limits).await;
    let mut stalled = server.socket().await;
    stalled.subscribe(&["prices"]).await;
    let mut other = server.socket().await;
    let begin = other.subscribe(&["prices"]).await["seq"].as_u64().unwrap();
    // More than any buffer between the two takes; the other one hears each of them.
    let mut heard = begin;
    let seat_count = 2;
    assert_eq!(server.app.live().listeners_count(), seat_count);
    while server.app.live().listeners_count() == seat_count {
        for number in 0..8 {
            server.price("THYAO", &format!("{}.00", 300 + number));
        }
        for _ in 0..8 {
            let (_, seq) = told(&other.hear().await);
            assert_eq!(seq, heard + 1);
            heard = seq;
        }
        assert!(heard < 1_000_000, "nobody was cut off");
    }
    server.price("THYAO", "400.00");
    assert_eq!(told(&other.hear().await).1, heard + 1);
}

#[tokio::test]
async fn a_session_that_ends_ends_its_streams() {
    let server = LiveServer::with(LiveSettings::default(), impatient()).await;
    let viewer = sign_in(&server.app, "can", Role::Viewer).await;
    let opened = Opened::of(&server.app, &viewer).await;
    let mut socket = server.socket_of(&opened).await;
    socket.subscribe(&["prices"]).await;
    let headers =
        [("cookie", opened.cookie.as_str()), ("x-csrf-token", opened.csrf_token.as_str())];
    let logout = axum::http::Method::POST;
    let answer = server.test_app.send(logout, "/api/v1/auth/logout", &headers).await;
    assert!(answer.status < 300, "{}", answer.body);
    assert_eq!(socket.hear_the_end().await.0, 4001);
}

#[tokio::test]
async fn heartbeats_say_how_far_one_is() {
    let server = LiveServer::with(LiveSettings::default(), impatient()).await;
    let mut socket = server.socket().await;
    let snapshot = socket.subscribe(&["prices/GARAN"]).await;
    // Of no interest here, but a place in the stream.
    server.quality(0.9);
    let seq = snapshot["seq"].as_u64().unwrap() + 1;
    loop {
        let heartbeat = socket.hear().await;
        assert_eq!(heartbeat["type"], "heartbeat");
        if heartbeat["seq"] == seq {
            break;
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_says_so_at_every_door() {
    let mut server = LiveServer::start().await;
    let mut socket = server.socket().await;
    socket.subscribe(&["prices"]).await;
    let cookie = server.test_app.administrator.cookie.clone();
    let client = client();
    let get = |path: &str| {
        let url = format!("http://{}/api/v1/live/{path}", server.address);
        client.get(url).header("cookie", &cookie)
    };
    let mut events = get("events?topics=prices").send().await.unwrap();
    events.chunk().await.unwrap().unwrap();
    let since = server.app.live().position();
    let poll = get(&format!("poll?topics=prices&since={since}"));
    let poll = tokio::spawn(async move { poll.send().await.unwrap().text().await.unwrap() });
    while server.app.live().listeners_count() < 3 {
        tokio::task::yield_now().await;
    }
    server.stop();
    assert_eq!(socket.hear_the_end().await.0, 1012);
    let mut last = String::new();
    while let Some(chunk) = events.chunk().await.unwrap() {
        last = String::from_utf8(chunk.to_vec()).unwrap();
    }
    assert!(last.contains(r#""type":"closing""#) && last.contains("1012"), "{last}");
    assert_eq!(poll.await.unwrap(), format!(r#"{{"position":"{since}","items":[]}}"#));
    drop(socket);
    server.stopped().await;
}

#[tokio::test]
async fn an_account_listens_to_so_many_streams_and_no_more() {
    let limits = LiveLimits { streams_per_account_max: 2, ..LiveLimits::default() };
    let server = LiveServer::with(LiveSettings::default(), limits).await;
    let first = server.socket().await;
    let _second = server.socket().await;
    let headers = [("cookie", server.test_app.administrator.cookie.as_str())];
    assert_eq!(server.connect(&headers).await.map(drop).unwrap_err().as_u16(), 429);
    drop(first);
    while server.app.live().listeners_count() > 1 {
        tokio::task::yield_now().await;
    }
    assert!(server.connect(&headers).await.is_ok());
}

#[tokio::test]
async fn a_stream_counts_once_and_not_by_event() {
    let server = LiveServer::start().await;
    let quotas = crate::test_app::unbounded();
    let few = bist_app::rate_limits::Quotas { default: "3/min".parse().unwrap(), ..quotas };
    let settings = crate::test_app::settings(&server.app, few);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served =
        bist_server::serve(Arc::clone(&server.app), settings, listener, std::future::pending());
    let served = tokio::spawn(served);
    let server = server.at(address);
    let mut socket = server.socket().await;
    socket.subscribe(&["prices"]).await;
    for number in 0..50 {
        server.price("THYAO", &format!("{}.00", 300 + number));
        told(&socket.hear().await);
    }
    server.socket().await;
    served.abort();
}

#[tokio::test]
async fn pings_of_a_client_are_answered() {
    let server = LiveServer::start().await;
    let mut socket = server.socket().await;
    socket.send(Message::Ping(Bytes::from_static(b"42"))).await;
    assert_eq!(socket.hear_message().await, Message::Pong(Bytes::from_static(b"42")));
}

/// Asks for a stream over a connection that does nothing by itself.
async fn bare(server: &LiveServer, path: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let (host, cookie) = (server.address, &server.test_app.administrator.cookie);
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_told_so() {
    let server = LiveServer::with(LiveSettings::default(), impatient()).await;
    let headers = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = bare(&server, "/api/v1/live", headers).await;
    let mut heard = Vec::new();
    // A close frame begins with 0x88, its length, and the code.
    let is_end = |heard: &[u8]| {
        heard.windows(4).any(|at| at[0] == 0x88 && at[2..] == 4010_u16.to_be_bytes())
    };
    while !is_end(&heard) {
        assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0, "no code: {heard:?}");
    }
    // It read all that came, so that nothing but its silence ended it.
    while server.app.live().listeners_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_reads_no_events_is_cut_off_and_nobody_else_notices() {
    let kept = LiveSettings { kept_events_max: 16, ..LiveSettings::default() };
    let limits = LiveLimits { write_time_max: Duration::from_millis(50), ..LiveLimits::default() };
    let server = LiveServer::with(kept, limits).await;
    let mut stalled = bare(&server, "/api/v1/live/events?topics=prices", "").await;
    let mut other = server.socket().await;
    let mut heard = other.subscribe(&["prices"]).await["seq"].as_u64().unwrap();
    while server.app.live().listeners_count() < 2 {
        tokio::task::yield_now().await;
    }
    while server.app.live().listeners_count() == 2 {
        for number in 0..8 {
            server.price("THYAO", &format!("{}.00", 300 + number));
        }
        for _ in 0..8 {
            let (_, seq) = told(&other.hear().await);
            assert_eq!(seq, heard + 1);
            heard = seq;
        }
        assert!(heard < 1_000_000, "nobody was cut off");
    }
    // What was on its way may still be read; then the connection is gone, in whatever way.
    let mut rest = Vec::new();
    let _reset = stalled.read_to_end(&mut rest).await;
    assert!(rest.starts_with(b"HTTP/1.1 200"), "it was let in");
    server.price("THYAO", "400.00");
    assert_eq!(told(&other.hear().await).1, heard + 1);
}
