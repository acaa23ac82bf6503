//! The service on a real socket.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::test_app::{TestApp, settings, unbounded};

#[tokio::test]
async fn it_answers_over_tcp_and_stops_when_told() {
    let app = TestApp::with_files().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { drop(stopped.await) };
    let settings = settings(&app.app, unbounded());
    let lines = app.administrator.lines();
    let app = Arc::clone(&app.app);
    let server = tokio::spawn(bist_server::serve(app, settings, listener, shutdown));

    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/v1/symbols/TEST1 HTTP/1.1\r\nhost: {address}\r\n{lines}\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = client.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"last_close\":\"100.50\""), "{answer}");

    // The connection is kept open and idle; that does not keep the server from stopping.
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0, "the connection is closed");
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}
