//! A Redis of a test's own, where the system has one.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A Redis on a port of its own that keeps nothing; it ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    port: u16,
    directory: TempDir,
}

impl RedisServer {
    /// Starts one; `None`, and a word on standard error, where there is no `redis-server`.
    ///
    /// # Panics
    ///
    /// When there is one and it does not come up.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn start() -> Option<Self> {
        // Free a moment ago, and nobody else in this test takes it.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let directory = tempfile::tempdir().expect("a temporary folder");
        let Some(process) = spawn(port, &directory) else {
            eprintln!("skipped: there is no redis-server on this machine");
            return None;
        };
        Some(Self { process, port, directory })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Ends it at once, as a power cut would.
    ///
    /// # Panics
    ///
    /// When the system does not let it.
    pub fn kill(&mut self) {
        self.process.kill().expect("the process is ours");
        self.process.wait().expect("the process is ours");
    }

    /// Starts it again on the same port, with nothing in it.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn start_again(&mut self) {
        self.process = spawn(self.port, &self.directory).expect("it was here before");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A Redis that takes connections; `None` when there is no such program.
fn spawn(port: u16, directory: &TempDir) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--port", &port.to_string(), "--daemonize", "no", "--logfile", ""])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let log = process.stdout.take().expect("standard output is piped");
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let is_up = lines.any(|line| line.contains("Ready to accept connections"));
    assert!(is_up, "redis-server does not come up on port {port}");
    Some(process)
}
