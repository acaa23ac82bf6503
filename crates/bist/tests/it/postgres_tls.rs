//! PostgreSQL over TLS: whoever says `verify-full` reaches the server that is meant, or nobody.

use std::fs;
use std::path::Path;

use bist_testkit::postgres_server::PostgresServer;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::cli::{json, refusal, text};

/// Nobody gets in who does not come by TLS.
const RULES: &str = "hostssl all all 127.0.0.1/32 trust\n";

/// An authority: its certificate, and what it signs with.
fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, Issuer::new(params, key))
}

#[test]
fn over_tls_the_database_is_the_one_that_is_meant_or_is_not_asked() {
    let (root, issuer) = authority();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let settings = "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'";
    let files = [
        ("server.crt", certificate.as_str()),
        ("server.key", &key.serialize_pem()),
        ("pg_hba.conf", RULES),
    ];
    let Some(server) = PostgresServer::start(settings, &files) else { return };
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let kept = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let (ours, other) = (kept("root.crt", &root), kept("other.crt", &authority().0));
    let url = |host: &str, mode: &str, root: &Path| {
        let port = server.port();
        let root = text(root);
        format!("postgres://postgres@{host}:{port}/bist?sslmode={mode}&sslrootcert={root}")
    };

    let status = ["migrate", "status", "--database-url"];
    let ask = |url: &str| json(&data, &[&status[..], &[url]].concat());
    let found = ask(&url("localhost", "verify-full", &ours));
    assert!(found["tables"].as_array().is_some_and(|tables| !tables.is_empty()), "{found}");
    // The certificate is for another name, which only the full check looks at.
    ask(&url("127.0.0.1", "verify-ca", &ours));

    let refused = |url: &str| refusal(&data, &[&status[..], &[url]].concat());
    for (host, mode, root) in [
        ("127.0.0.1", "verify-full", &ours),
        ("localhost", "verify-full", &other),
        ("localhost", "verify-ca", &other),
        ("localhost", "disable", &ours),
    ] {
        let told = refused(&url(host, mode, root));
        assert!(told.contains("PostgreSQL cannot be asked"), "{host} {mode}: {told}");
    }
}
