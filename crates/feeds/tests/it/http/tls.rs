//! A server that cannot prove who it is learns nothing.

use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use bist_access::Secret;
use bist_feeds::{Expects, Request};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{FakeWaits, client};

/// Made by `tests/golden/tls/make.sh`, valid for a hundred years, signed by itself.
const CERTIFICATE: &[u8] = include_bytes!("../../golden/tls/untrusted.cert.der");
const KEY: &[u8] = include_bytes!("../../golden/tls/untrusted.key.der");

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said() {
    let waits = Arc::new(FakeWaits::default());
    let client = client(&waits, |settings| settings.attempts_max = 1);
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivatePkcs8KeyDer::from(KEY).into(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/a", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut heard = [0; 1];
        StreamOwned::new(connection, stream).read(&mut heard).unwrap_err().kind()
    });

    let request = Request::get(&url, Expects::Json).secret_header("key", Secret::new("s3cr3t"));
    let error = client.send(&request).await.unwrap_err().to_string();
    let expected = format!(
        "{url} cannot be reached: invalid peer certificate: UnknownIssuer; check the network and the address"
    );
    assert_eq!(error, expected);
    // The alert of the client, instead of a request.
    assert_eq!(server.join().unwrap(), ErrorKind::InvalidData);
}
