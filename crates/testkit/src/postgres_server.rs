//! A PostgreSQL of a test's own, which may be stopped, started and put to sleep.

use std::fs::{self, Permissions};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Where Debian has the programs of each version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// Who the server is when tests are run by root, whom it does not run for.
const USER: &str = "postgres";

/// A PostgreSQL on a port of its own, with an empty database; it ends with this value.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    directory: TempDir,
    port: u16,
}

impl PostgresServer {
    /// Starts one, with these lines in its configuration and these files beside it, which only it may read; `None`, and a word on standard error, where there
    /// is no PostgreSQL.
    ///
    /// # Panics
    ///
    /// When there is one and it does not come up.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn start(settings: &str, files: &[(&str, &str)]) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: there is no PostgreSQL on this machine");
            return None;
        };
        // Free a moment ago, and nobody else in this test takes it.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let directory = tempfile::tempdir().expect("a temporary folder");
        let server = Self { programs, directory, port };
        server.give_away(server.directory.path());
        server.run("initdb", &["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        // What is lost with the machine is lost; it is thrown away in any case.
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
             max_connections = 300\nfsync = off\nfull_page_writes = off\n{settings}\n"
        );
        let file = server.data().join("postgresql.conf");
        let kept = fs::read_to_string(&file).expect("initdb wrote it");
        fs::write(&file, format!("{kept}\n{settings}")).expect("it can be written");
        for (name, content) in files {
            server.put(name, content);
        }
        server.start_again();
        let place = format!("--maintenance-db=postgres://postgres@127.0.0.1:{port}/postgres");
        let made = Command::new(server.programs.join("createdb"))
            .args([&place, "--template=template0", "--encoding=UTF8", "--locale=C", "bist"])
            .status();
        assert!(made.is_ok_and(|status| status.success()), "createdb at port {port}");
        Some(server)
    }

    /// The address of its database as it is reached by `port`, which may be that of a proxy.
    #[must_use]
    pub fn url_by(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/bist")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops it at once, in the middle of whatever it does.
    pub fn stop(&self) {
        self.run("pg_ctl", &["--silent", "--mode=immediate", "--wait", "stop"]);
    }

    /// Starts it again, with what it had.
    pub fn start_again(&self) {
        self.run("pg_ctl", &["--silent", "--log=log", "--wait", "start"]);
    }

    /// Lets all its processes stand still: connections are taken by the system, and nobody answers.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Puts a file beside its data, for its eyes only.
    fn put(&self, name: &str, content: &str) {
        let path = self.data().join(name);
        fs::write(&path, content).expect("it can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
        self.give_away(&path);
    }

    /// Makes something the server's, where that is somebody else.
    fn give_away(&self, path: &Path) {
        if self.is_root() {
            let chown = Command::new("chown").arg(USER).arg(path).status();
            assert!(chown.is_ok_and(|status| status.success()), "chown {USER}");
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn is_root(&self) -> bool {
        // Whose is what we make, before it is given away, is who we are.
        fs::metadata("/proc/self").is_ok_and(|of_ours| of_ours.uid() == 0)
    }

    /// Runs a program that works on the data.
    #[track_caller]
    fn run(&self, program: &str, args: &[&str]) {
        let path = self.programs.join(program);
        let mut command = if self.is_root() {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--init-groups"]);
            command.arg(path);
            command
        } else {
            Command::new(path)
        };
        let command = command.arg("--pgdata=data").args(args).current_dir(self.directory.path());
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(status.as_ref().is_ok_and(|status| status.success()), "{program}: {status:?}");
    }

    /// Sends a signal to the server and to all that it has started.
    fn signal(&self, name: &str) {
        let pids = fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let first = pids.lines().next().expect("the number of the process").to_owned();
        let mut processes = vec![first.clone()];
        processes.extend(children(&first).expect("the processes can be listed"));
        let sent = Command::new("kill").arg(name).args(&processes).stderr(Stdio::null()).status();
        // One of them may have ended by itself.
        sent.expect("there is a program kill");
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.go_on();
            self.stop();
        }
    }
}

/// The folder of the programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|folder| folder.join("initdb").exists()).max()
}

/// The numbers of the processes that `parent` has started.
fn children(parent: &str) -> io::Result<Vec<String>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        // One that has ended meanwhile is none.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name of the program is in brackets and may hold anything.
        let of = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if of == Some(parent) {
            children.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(children)
}
