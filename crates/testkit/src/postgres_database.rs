//! A database of a test's own, where a PostgreSQL answers.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Names the server that tests may make databases on; its user may do so, without a password.
pub const SERVER_VARIABLE: &str = "BIST_TEST_POSTGRES_URL";

/// Where it is looked for unless the variable says otherwise.
const SERVER_DEFAULT: &str = "postgres://postgres@127.0.0.1:5432";

/// Databases that this process has made.
static MADE_COUNT: AtomicU32 = AtomicU32::new(0);

/// An empty database, which is dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    /// Makes one; `None`, and a word on standard error, where no server answers.
    ///
    /// # Panics
    ///
    /// When a server answers and does not make it.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn make() -> Option<Self> {
        let server = server();
        if !answers(&server) {
            eprintln!("skipped: no PostgreSQL answers at {server}; name one as {SERVER_VARIABLE}");
            return None;
        }
        Some(Self::made(server, "template0"))
    }

    /// One that holds what this one holds, to which nobody may be connected.
    ///
    /// # Panics
    ///
    /// When the server does not make it.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::made(self.server.clone(), &self.name)
    }

    fn made(server: String, template: &str) -> Self {
        let number = MADE_COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bist_test_{}_{number}", std::process::id());
        let made = tool("createdb", &server)
            .arg(format!("--template={template}"))
            .args(["--encoding=UTF8", "--locale=C", &name])
            .status();
        assert!(made.is_ok_and(|status| status.success()), "createdb {name} on {server}");
        Self { server, name }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        tool("dropdb", &self.server).args(["--if-exists", "--force", &self.name]).status().ok();
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no other configuration")]
fn server() -> String {
    let server = std::env::var(SERVER_VARIABLE);
    server.map_or_else(|_| SERVER_DEFAULT.to_owned(), |url| url.trim_end_matches('/').to_owned())
}

fn answers(server: &str) -> bool {
    let asked = Command::new("pg_isready")
        .arg("--quiet")
        .arg(format!("--dbname={server}/postgres"))
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

/// A program of PostgreSQL that works on `server`.
fn tool(program: &str, server: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(format!("--maintenance-db={server}/postgres")).stdin(Stdio::null());
    command
}
