//! Slow, greedy and endless clients on real sockets, and TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bist_server::{ConnectionLimits, ServerSettings, Tls, TlsError};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::test_app::{TestApp, settings, unbounded};

const HEALTH: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Long enough for a busy machine to answer, and short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);

/// A server with these settings on a free port, for as long as the test runs.
async fn serve(change: impl FnOnce(&mut ServerSettings)) -> (SocketAddr, TestApp) {
    let app = TestApp::empty().await;
    let mut settings = settings(&app.app, unbounded());
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server =
        bist_server::serve(app.app.clone(), settings, listener, std::future::pending::<()>());
    tokio::spawn(server);
    (address, app)
}

fn limits(connections_max: usize, connections_per_address_max: usize) -> ConnectionLimits {
    let long = Duration::from_secs(120);
    ConnectionLimits {
        connections_max,
        connections_per_address_max,
        head_time_max: long,
        body_time_max: long,
        ..ConnectionLimits::default()
    }
}

async fn connect(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

/// What comes until the server closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has ended as well.
    stream.read_to_end(&mut bytes).await.ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first bytes that come.
async fn first(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 1024];
    let length = stream.read(&mut bytes).await.unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let limits = ConnectionLimits { head_time_max: SHORT, ..limits(100, 100) };
    let (address, _app) = serve(|settings| settings.connections = limits).await;
    for sent in ["", "GET /health", "GET / HTTP/1.1\r\nhost: localhost\r\nx-a: "] {
        let answer = rest(connect(address, sent).await).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    // Nor does one that is kept open after an answer stay for ever.
    let answer = rest(connect(address, HEALTH).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let limits = ConnectionLimits { body_time_max: SHORT, ..limits(100, 100) };
    let (address, app) = serve(|settings| settings.connections = limits).await;
    let head = format!(
        "POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         {}content-length: 20\r\n\r\n{{\"job\":",
        app.administrator.lines()
    );
    let answer = rest(connect(address, &head).await).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_too_slow"), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let (address, _app) = serve(|settings| settings.connections = limits(100, 100)).await;
    let long_line = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(20_000));
    let long_header =
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-a: {}\r\n\r\n", "a".repeat(20_000));
    let many: String = (0..150).map(|n| format!("x-{n}: a\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n");
    for head in [long_line, long_header, many] {
        let answer = rest(connect(address, &head).await).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{}: {answer}", &head[..40]);
        assert!(
            answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn heads_that_mean_two_things_are_refused() {
    let (address, _app) = serve(|settings| settings.connections = limits(100, 100)).await;
    let host = "host: localhost\r\n";
    for head in [
        format!(
            "POST /api/v1/jobs HTTP/1.1\r\n{host}content-length: 5\r\ncontent-length: 6\r\n\r\n"
        ),
        format!("GET / HTTP/1.1\r\n{host}x-a : b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}x-a: b\0c\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n {host}\r\n"),
        format!("POST /api/v1/jobs HTTP/1.1\r\n{host}transfer-encoding: gzip\r\n\r\n"),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
    ] {
        let answer = rest(connect(address, &head).await).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{head:?}: {answer}");
    }
}

#[tokio::test]
async fn one_address_does_not_take_all_connections() {
    let (address, _app) = serve(|settings| settings.connections = limits(100, 2)).await;
    let _held = [connect(address, "").await, connect(address, HEALTH).await];
    assert_eq!(rest(connect(address, HEALTH).await).await, "", "it is closed at once");
}

#[tokio::test]
async fn whoever_opens_connections_and_sends_nothing_keeps_nobody_out() {
    let (address, _app) = serve(|settings| settings.connections = limits(3, 100)).await;
    let idle = [connect(address, "").await, connect(address, "GET ").await];
    let mut answered = connect(address, HEALTH).await;
    assert!(first(&mut answered).await.starts_with("HTTP/1.1 200"));
    let mut next = connect(address, HEALTH).await;
    assert!(first(&mut next).await.starts_with("HTTP/1.1 200"));
    let [oldest, _] = idle;
    assert_eq!(rest(oldest).await, "", "the one that waited the longest made room");
}

/// Writes a certificate for localhost and its key.
fn write_certificate(folder: &Path) -> CertifiedKey<KeyPair> {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = folder.join("key.pem");
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    allow(&key, 0o600);
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    made
}

fn allow(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn read(folder: &Path) -> Result<Tls, TlsError> {
    Tls::read(folder.join("certificate.pem"), folder.join("key.pem"))
}

/// A client that trusts one certificate, without connections from before.
fn client(made: &CertifiedKey<KeyPair>) -> reqwest::Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_connections_of_before_go_on() {
    let folder = TempDir::new().unwrap();
    let old = write_certificate(folder.path());
    let tls = read(folder.path()).unwrap();
    let (address, _app) = serve(|settings| settings.tls = Some(tls)).await;
    let url = format!("https://localhost:{}/health/live", address.port());
    let before = client(&old);
    assert_eq!(before.get(&url).send().await.unwrap().status(), 200);

    let new = write_certificate(folder.path());
    assert_eq!(client(&new).get(&url).send().await.unwrap().status(), 200);
    assert!(client(&old).get(&url).send().await.is_err(), "the old one is gone");
    assert_eq!(before.get(&url).send().await.unwrap().status(), 200, "its connection is open");

    // What cannot be used changes nothing.
    std::fs::write(folder.path().join("certificate.pem"), "half of a certificate").unwrap();
    assert_eq!(client(&new).get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_greeting_of_tls_has_to_come_in_time_too() {
    let folder = TempDir::new().unwrap();
    write_certificate(folder.path());
    let tls = read(folder.path()).unwrap();
    let limits = ConnectionLimits { head_time_max: SHORT, ..limits(100, 100) };
    let (address, _app) = serve(|settings| {
        settings.tls = Some(tls);
        settings.connections = limits;
    })
    .await;
    assert_eq!(rest(connect(address, "").await).await, "");
    let plain = rest(connect(address, HEALTH).await).await;
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
}

#[test]
fn a_key_that_others_may_read_or_that_does_not_fit_is_refused() {
    let folder = TempDir::new().unwrap();
    write_certificate(folder.path());
    let key = folder.path().join("key.pem");
    allow(&key, 0o640);
    let told = read(folder.path()).unwrap_err().to_string();
    assert!(told.contains("mode 640") && told.contains("chmod 600"), "{told}");
    allow(&key, 0o600);
    assert!(read(folder.path()).is_ok());
    let other = TempDir::new().unwrap();
    write_certificate(other.path());
    let told = Tls::read(folder.path().join("certificate.pem"), other.path().join("key.pem"));
    assert!(matches!(told.unwrap_err(), TlsError::Unusable { .. }));
    std::fs::write(&key, "no key").unwrap();
    let told = read(folder.path()).unwrap_err().to_string();
    assert!(told.contains("no private key in PEM form"), "{told}");
    let told = Tls::read(folder.path().join("none.pem"), key).unwrap_err().to_string();
    assert!(told.contains("none.pem cannot be read"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_versions_of_tls_are_refused() {
    let folder = TempDir::new().unwrap();
    write_certificate(folder.path());
    let tls = read(folder.path()).unwrap();
    let (address, _app) = serve(|settings| settings.tls = Some(tls)).await;
    let greet = |version: &'static str| {
        let at = address.to_string();
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-connect", &at, version, "-cipher", "DEFAULT@SECLEVEL=0"]);
        openssl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        tokio::task::spawn_blocking(move || openssl.output())
    };
    for (version, accepted) in [("-tls1", false), ("-tls1_1", false), ("-tls1_2", true)] {
        let Ok(output) = greet(version).await.unwrap() else {
            eprintln!("skipped: there is no openssl on this machine");
            return;
        };
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(told.contains("BEGIN CERTIFICATE"), accepted, "{version}: {told}");
    }
}
