//! The process itself: what others on this machine may learn of its memory, and how it begins anew.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use bist_access::SecurityCheck;

/// The program that this process runs, and what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// This one. A newer program that takes its place on the disk is what begins then, as at any start.
    ///
    /// # Errors
    ///
    /// When the system does not say where it is.
    pub(crate) fn of_this() -> anyhow::Result<Self> {
        let path = std::env::current_exe().context("finding out where this program is")?;
        Ok(Self { path, arguments: std::env::args_os().skip(1).collect() })
    }

    /// Has it listen where it is found now, whatever port it was told to take.
    pub(crate) fn listen_at(&mut self, address: SocketAddr) {
        self.arguments.push("--bind".into());
        self.arguments.push(address.to_string().into());
    }

    /// Runs it in the place of this process, which keeps its number, its environment and its standard
    /// streams; returns only why that was not done. Files and connections are closed.
    #[cfg(unix)]
    pub(crate) fn begin_anew(self) -> anyhow::Error {
        use std::os::unix::process::CommandExt as _;
        let Self { path, arguments } = self;
        let error = std::process::Command::new(&path).args(arguments).exec();
        anyhow::Error::new(error)
            .context(format!("a backup was restored, and {} does not begin anew", path.display()))
    }

    /// Other systems have no such step.
    #[cfg(not(unix))]
    pub(crate) fn begin_anew(self) -> anyhow::Error {
        let path = self.path.display();
        anyhow::anyhow!("a backup was restored: start {path} again, with what it was told before")
    }
}

/// Keeps the memory of this process to itself: no core dump is written when it dies, and no other
/// process of the same user may read it. Where the system knows no such thing, or forbids it, nothing
/// changes; [`checks`] tells.
#[cfg(target_os = "linux")]
pub(crate) fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
}

/// Other systems have no such switch.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_memory_private() {}

/// Lets this process have `count` files and connections open at the same time.
///
/// # Errors
///
/// When the system does not allow so many.
#[cfg(unix)]
pub(crate) fn raise_open_files(count: u64) -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= count) {
        return Ok(());
    }
    let maximum = maximum.map(|maximum| maximum.max(count));
    setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum }).map_err(|error| {
        anyhow::anyhow!(
            "{count} files cannot be open at a time ({error}); raise the limit, as by `ulimit -n`"
        )
    })
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_open_files(_: u64) -> anyhow::Result<()> {
    Ok(())
}

/// Whether that holds, and who this process is.
#[cfg(target_os = "linux")]
pub(crate) fn checks() -> Vec<SecurityCheck> {
    use rustix::process::{DumpableBehavior, dumpable_behavior, geteuid};
    let is_private = matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    let memory = if is_private {
        Ok("no core dump is written, and others may not read the memory".to_owned())
    } else {
        Err("a core dump would hold passwords and keys".to_owned())
    };
    let user = if geteuid().is_root() {
        Err("this runs as root".to_owned())
    } else {
        Ok(format!("this runs as the user {}", geteuid().as_raw()))
    };
    vec![
        SecurityCheck::judged(
            "process.memory",
            2,
            memory,
            "allow prctl(PR_SET_DUMPABLE) where system calls are filtered",
        ),
        SecurityCheck::judged(
            "process.user",
            1,
            user,
            "run it as a user of its own, who owns the data directory and nothing else",
        ),
    ]
}

/// Other systems have no such switches.
#[cfg(not(target_os = "linux"))]
pub(crate) fn checks() -> Vec<SecurityCheck> {
    let reason = "this system is not Linux";
    vec![
        SecurityCheck::not_applicable("process.memory", 2, reason),
        SecurityCheck::not_applicable("process.user", 1, reason),
    ]
}
