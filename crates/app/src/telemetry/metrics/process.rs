//! What the operating system knows of this process and of its disk.

use std::path::Path;

use super::readings::{Readings, number};
use crate::health::DiskSpace;

pub(super) use of_system::process;

/// How large the file system of `directory` is, and how much of it others than root may still fill;
/// nothing where the system does not say.
pub(super) fn disk(directory: &Path) -> Readings {
    let mut told = Readings::default();
    if let Some(DiskSpace { free, size }) = DiskSpace::at(directory) {
        told.tell("bist_disk_free_bytes", [], number(free));
        told.tell("bist_disk_size_bytes", [], number(size));
    }
    told
}

/// What is known on other systems than Linux: nothing.
#[cfg(not(target_os = "linux"))]
mod of_system {
    use super::Readings;

    pub(in super::super) fn process() -> Readings {
        Readings::default()
    }
}

/// What Linux says of this process.
#[cfg(target_os = "linux")]
mod of_system {
    use std::fs;

    use rustix::process::{Resource, getrlimit};

    use super::{Readings, number};

    /// Places of `/proc/self/stat` behind the name of the program, from zero (proc(5)).
    const USER_TICKS: usize = 11;
    const SYSTEM_TICKS: usize = 12;
    const STARTED_TICKS: usize = 19;
    const RESIDENT_PAGES: usize = 21;

    pub(in super::super) fn process() -> Readings {
        let mut told = Readings::default();
        let tick_s = 1.0 / number(rustix::param::clock_ticks_per_second());
        if let Some(stat) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(Stat::of)
        {
            let Stat { user_ticks, system_ticks, started_ticks, resident_pages } = stat;
            if let Some(booted_s) = booted_s() {
                let started_s = number(booted_s) + number(started_ticks) * tick_s;
                told.tell("process_start_time_seconds", [], started_s);
            }
            let ticks = number(user_ticks + system_ticks);
            told.tell("process_cpu_seconds_total", [], ticks * tick_s);
            let page_bytes = number(rustix::param::page_size() as u64);
            told.tell("process_resident_memory_bytes", [], number(resident_pages) * page_bytes);
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // The one by which they are counted is closed again.
            told.tell("process_open_fds", [], number((open.count() as u64).saturating_sub(1)));
        }
        if let Some(most) = getrlimit(Resource::Nofile).current {
            told.tell("process_max_fds", [], number(most));
        }
        told
    }

    /// What is wanted of `/proc/self/stat`.
    struct Stat {
        user_ticks: u64,
        system_ticks: u64,
        started_ticks: u64,
        resident_pages: u64,
    }

    impl Stat {
        fn of(text: &str) -> Option<Self> {
            // The name stands in parentheses and may hold anything.
            let (_, behind) = text.rsplit_once(')')?;
            let fields: Vec<&str> = behind.split_whitespace().collect();
            let field = |place: usize| fields.get(place)?.parse().ok();
            Some(Self {
                user_ticks: field(USER_TICKS)?,
                system_ticks: field(SYSTEM_TICKS)?,
                started_ticks: field(STARTED_TICKS)?,
                resident_pages: field(RESIDENT_PAGES)?,
            })
        }
    }

    /// When the machine was started, seconds of Unix.
    fn booted_s() -> Option<u64> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
    }
}
