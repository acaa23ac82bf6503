//! The server as the network meets it: where it listens, what it refuses to start with, and ten
//! thousand who only open connections.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Stdio};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::cli::{bist, refusal, text};

/// Connections that send nothing that could be answered.
const SLOW_COUNT: u32 = 10_000;

/// Clients at each of the addresses that they come from.
const PER_ADDRESS: u32 = 250;

/// A running server.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(data: &Path, args: &[&str]) -> Self {
        let mut command = bist(data);
        command.args(["serve", "--bind", "127.0.0.1:0"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("//").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        Self { child, address: address.parse().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A connection from another address of this machine.
async fn connect_from(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

#[tokio::test]
async fn ten_thousand_slow_connections_keep_nobody_from_being_answered() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]);
    let mut slow = Vec::new();
    let mut healthy_count = 0;
    for n in 0..SLOW_COUNT {
        let last = u8::try_from(1 + n / PER_ADDRESS).unwrap();
        let mut stream = match connect_from(Ipv4Addr::new(127, 0, 1, last), server.address).await {
            Ok(stream) => stream,
            Err(error) => {
                eprintln!("with {n} connections, because this process may open no more: {error}");
                break;
            }
        };
        // Cut meanwhile, if it had to make room.
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: local").await.ok();
        slow.push(stream);
        if n % 500 == 499 {
            healthy(server.address).await;
            healthy_count += 1;
        }
    }
    for _ in 0..20 {
        healthy(server.address).await;
        healthy_count += 1;
    }
    eprintln!("{healthy_count} requests were answered beside {} slow connections", slow.len());
    assert!(slow.len() > 1_000, "{}", slow.len());
}

/// A request that has to be answered.
async fn healthy(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Why the server does not start with this configuration.
#[track_caller]
fn refused(content: &str, args: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("bist.toml");
    fs::write(&config, content).unwrap();
    let args = [&["serve", "--config", text(&config)], args].concat();
    refusal(&folder.path().join("data"), &args)
}

#[test]
fn nothing_is_served_beyond_this_machine_in_the_clear() {
    let everywhere = ["--bind", "0.0.0.0:0"];
    let told = refused("", &everywhere);
    assert!(told.contains("set server.public_url") && told.contains("loopback"), "{told}");
    let told = refused("[server]\npublic_url = 'https://bist.example'\n", &everywhere);
    assert!(told.contains("--tls-cert") && told.contains("server.trusted_proxies"), "{told}");
    let told = refused("[server]\npublic_url = 'http://bist.example'\n", &[]);
    assert!(told.contains("in the clear") && told.contains("https://"), "{told}");
    // With both it starts; a certificate that is not there is told before it listens.
    let tls = "[server]\npublic_url = 'https://bist.example'\n\n[server.tls]\ncertificate = 'no.pem'\n\
               key = 'no.pem'\n";
    assert!(refused(tls, &everywhere).contains("the file no.pem cannot be read"));
}

#[test]
fn behind_a_proxy_that_is_named_it_listens_everywhere() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("bist.toml");
    let settings =
        "[server]\npublic_url = 'https://bist.example/'\ntrusted_proxies = ['10.0.0.7']\n";
    fs::write(&config, settings).unwrap();
    let args = ["--bind", "0.0.0.0:0", "--config", text(&config)];
    let mut command = bist(&folder.path().join("data"));
    let mut child = command.arg("serve").args(args).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("serving http://0.0.0.0:"), "{line}");
}

#[test]
fn settings_of_the_edge_that_cannot_hold_are_refused_by_name() {
    for (content, sentence) in [
        ("[server]\ncors_origins = ['*']", "server.cors_origins: '*' is no origin; give a scheme"),
        ("[server]\ncors_origins = ['null']", "server.cors_origins: 'null' is no origin"),
        ("[server]\ncors_origins = ['https://a.example/']", "'https://a.example/' is no origin"),
        ("[server]\ncors_origins = ['a.example']", "'a.example' is no origin"),
        ("[server]\npublic_url = 'https://a.example/app'", "server.public_url"),
        ("[server]\ntrusted_proxies = ['10.0.0.0/33']", "'10.0.0.0/33' is no address or network"),
        ("[server.connections]\nall_max = 0", "server.connections.all_max is 0; give a number"),
        ("[server.connections]\nhead_time_s_max = 900", "give seconds from 1 to 300"),
        ("[server.acme]\ndomains = ['a.example']", "server.acme.accept_terms is not true"),
        ("[server.acme]\naccept_terms = true", "server.acme has no domains; name them"),
        (
            "[server.acme]\naccept_terms = true\ndomains = ['*.a.example']",
            "'*.a.example' is no name that a certificate is ordered for",
        ),
        ("[server.acme]\naccept_terms = true\ndomains = ['127.0.0.1']", "and no address"),
        ("[server.acme]\naccept_terms = true\ndirectory = 'http://ca.example'", "https://"),
        (
            "[server.acme]\naccept_terms = true\ndomains = ['a.example']\ncontact = 'ops'",
            "server.acme.contact is 'ops'; give an e-mail address",
        ),
        (
            "[server.acme]\naccept_terms = true\ndomains = ['a.example']\nroots = 'no.pem'",
            "server.acme.roots: the certificate in no.pem cannot be used",
        ),
        (
            "[server.acme]\naccept_terms = true\ndomains = ['a.example']\n\
             [server.tls]\ncertificate = 'a.pem'\nkey = 'a.pem'",
            "server.acme orders a certificate, and files of another one are given",
        ),
        ("[limits]\nauth = 'often'", "limits.auth: 'often' is no quota; give"),
        ("[limits]\naddress_multiple = 0", "limits.address_multiple is 0"),
    ] {
        let told = refused(&format!("{content}\n"), &[]);
        assert!(told.contains(sentence), "{told}");
    }
    let told = refused("redis_url = 'redis://:hunter2@127.0.0.1'\n", &[]);
    assert!(told.contains("redis_password") && !told.contains("hunter2"), "{told}");
    let told = refused("redis_url = 'redis://127.0.0.1'\nredis_password = 'secret:redis'\n", &[]);
    assert!(told.contains("redis_password is the secret 'redis'"), "{told}");
}
