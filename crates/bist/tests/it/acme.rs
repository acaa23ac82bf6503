//! A certificate that is ordered by ACME, from pebble, which Let's Encrypt keeps to test clients.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use tempfile::TempDir;

use crate::cli::{self, bist, text};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long pebble's certificates are good, seconds: long enough for a new start, and short enough to
/// wait for a renewal, which comes after two thirds.
const VALIDITY_S: u64 = 15;

/// Said where pebble cannot be started.
const SKIPPED: &str =
    "skipped: pebble is not installed; on Debian, `apt-get install pebble` does it";

/// Whether pebble can be started here.
fn is_pebble_here() -> bool {
    Command::new("pebble").arg("-h").output().is_ok()
}

/// A certificate authority with its own folder and ports.
struct Pebble {
    child: Child,
    folder: TempDir,
    directory: String,
    management: SocketAddr,
    said: Lines,
}

impl Pebble {
    /// Starts one that looks at `tls_port` of the domains that it is asked for.
    fn start(tls_port: u16) -> Self {
        let folder = TempDir::new().unwrap();
        let of = |name: &str| folder.path().join(name);
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_key = KeyPair::generate().unwrap();
        let root = params.self_signed(&root_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let own = CertificateParams::new(names).unwrap();
        let own = own.signed_by(&key, &Issuer::new(params, root_key)).unwrap();
        fs::write(of("root.pem"), root.pem()).unwrap();
        fs::write(of("own.pem"), own.pem()).unwrap();
        fs::write(of("own.key"), key.serialize_pem()).unwrap();
        let [asked, management] = [free_port(), free_port()];
        let config = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{asked}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": of("own.pem"),
            "privateKey": of("own.key"),
            "httpPort": free_port(),
            "tlsPort": tls_port,
            "certificateValidityPeriod": VALIDITY_S,
        }});
        fs::write(of("pebble.json"), config.to_string()).unwrap();
        let mut command = Command::new("pebble");
        command.arg("-config").arg(of("pebble.json")).env("PEBBLE_VA_NOSLEEP", "1");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said = Lines::of(child.stdout.take().unwrap());
        let management = SocketAddr::from(([127, 0, 0, 1], management));
        let asked = SocketAddr::from(([127, 0, 0, 1], asked));
        wait_for("pebble to listen", || {
            (TcpStream::connect(asked).is_ok() && TcpStream::connect(management).is_ok())
                .then_some(())
        });
        let directory = format!("https://localhost:{}/dir", asked.port());
        Self { child, folder, directory, management, said }
    }

    fn root_file(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// The root of the certificates that it gives; it is made anew at each start.
    fn issued_root(&self) -> CertificateDer<'static> {
        let own = CertificateDer::from_pem_file(self.root_file()).unwrap();
        let (answer, _) = get(self.management, "/roots/0", own).unwrap();
        CertificateDer::from_pem_slice(answer.as_bytes()).unwrap()
    }

    fn orders_count(&self) -> usize {
        self.said.count("Added order")
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A server that orders its certificate.
struct Server {
    child: Child,
    address: SocketAddr,
    said: Lines,
}

impl Server {
    fn start(data: &Path, directory: &str, roots: &Path, port: u16) -> Self {
        let config = data.with_extension("toml");
        let settings = format!(
            "[server]\npublic_url = 'https://localhost:{port}'\n[server.acme]\n\
             directory = '{directory}'\naccept_terms = true\ncontact = 'ops@bist.example'\n\
             roots = '{}'\n",
            text(roots)
        );
        fs::write(&config, settings).unwrap();
        let bind = format!("127.0.0.1:{port}");
        let mut command = bist(data);
        command.args(["serve", "--bind", &bind, "--config", text(&config)]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let errors: ChildStderr = child.stderr.take().unwrap();
        let said = Lines::of(errors);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("serving https://127.0.0.1:"), "{line} {}", said.all());
        Self { child, address: bind.parse().unwrap(), said }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What a program has said so far.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn of(from: impl std::io::Read + Send + 'static) -> Self {
        let lines = Self::default();
        let heard = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                heard.0.lock().unwrap().push(line);
            }
        });
        lines
    }

    fn all(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }

    fn count(&self, words: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.contains(words)).count()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks again and again until there is an answer.
#[track_caller]
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
        thread::yield_now();
    }
}

/// The body of an answer over TLS to somebody who trusts `root`, and the certificate that came.
fn get(
    address: SocketAddr,
    path: &str,
    root: CertificateDer<'static>,
) -> std::io::Result<(String, CertificateDer<'static>)> {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(session, TcpStream::connect(address)?);
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Err(error),
        _ => {}
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    let leaf = stream.conn.peer_certificates().unwrap()[0].clone().into_owned();
    Ok((body, leaf))
}

/// All files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_certificate_is_got_kept_sealed_reused_and_renewed() {
    if !is_pebble_here() {
        eprintln!("{SKIPPED}");
        return;
    }
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let port = free_port();
    let pebble = Pebble::start(port);
    let root = pebble.issued_root();
    let server = Server::start(&data, &pebble.directory, &pebble.root_file(), port);
    let health = |server: &Server| get(server.address, "/health/live", root.clone()).ok();
    let (_, first) = wait_for("a certificate", || health(&server));
    assert_eq!(pebble.orders_count(), 1, "{}", pebble.said.all());

    // A new start has it already, and orders none.
    drop(server);
    let server = Server::start(&data, &pebble.directory, &pebble.root_file(), port);
    let (_, again) = health(&server).unwrap();
    assert_eq!((again, pebble.orders_count()), (first.clone(), 1));

    // After two thirds of its time there is another one, and nobody was refused meanwhile.
    let renewed = wait_for("another certificate", || {
        let (_, now) = health(&server).expect("a certificate is always there");
        (now != first).then_some(now)
    });
    assert_ne!(renewed, first);
    assert_eq!(pebble.orders_count(), 2);
    drop(server);

    let records = cli::json(&data, &["audit", "list"]);
    let records = records.to_string();
    for action in ["certificate.issued", "certificate.renewed"] {
        assert_eq!(records.matches(action).count(), 1, "{action} in {records}");
    }
    let secrets = cli::json(&data, &["secrets", "list"]).to_string();
    assert!(secrets.contains("bist.acme-account"), "{secrets}");
    assert!(secrets.contains("bist.acme-certificate"), "{secrets}");
    let plain: [&[u8]; 3] = [b"PRIVATE KEY", b"BEGIN CERTIFICATE", b"key_pkcs8"];
    for path in files(&data) {
        let bytes = fs::read(&path).unwrap();
        for words in plain {
            let is_there = bytes.windows(words.len()).any(|window| window == words);
            assert!(!is_there, "{} in {}", String::from_utf8_lossy(words), path.display());
        }
    }
}

#[test]
fn without_a_certificate_connections_are_refused_and_it_is_said_why() {
    let folder = TempDir::new().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let root = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let roots = folder.path().join("root.pem");
    fs::write(&roots, root.pem()).unwrap();
    let (port, nobody) = (free_port(), free_port());
    let directory = format!("https://localhost:{nobody}/dir");
    let server = Server::start(&folder.path().join("data"), &directory, &roots, port);
    let refused = get(server.address, "/health/live", root.der().clone()).unwrap_err();
    let cause = refused.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    let alert = rustls::Error::AlertReceived(AlertDescription::AccessDenied);
    assert_eq!(cause, Some(&alert), "{refused}");
    wait_for("the sentence", || {
        let said = server.said.all();
        let told = "no certificate for localhost was had: the certificate authority at";
        (said.contains("there is no certificate for localhost yet") && said.contains(told))
            .then_some(())
    });
    let said = server.said.all();
    assert!(said.contains("look whether this machine reaches it"), "{said}");
    assert!(said.contains("the next attempt is at"), "{said}");
}

#[test]
fn a_domain_that_does_not_lead_here_is_told_with_what_to_do() {
    if !is_pebble_here() {
        eprintln!("{SKIPPED}");
        return;
    }
    let folder = TempDir::new().unwrap();
    // Where the authority looks, nobody listens.
    let pebble = Pebble::start(free_port());
    let data = folder.path().join("data");
    let server = Server::start(&data, &pebble.directory, &pebble.root_file(), free_port());
    wait_for("the sentence", || server.said.all().contains("refuses at localhost").then_some(()));
    let said = server.said.all();
    assert!(said.contains("let the domain lead to this server"), "{said}");
}
