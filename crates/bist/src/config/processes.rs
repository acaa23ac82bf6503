//! What this process of an installation does, and how jobs are shared among all of them.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bist_app::ProcessRole;
use jiff::SignedDuration;
use serde::Deserialize;

use super::environment;

/// Where a process that answers no people says how it is, unless told otherwise.
const HEALTH_BIND_DEFAULT: &str = "127.0.0.1:8081";

/// Jobs that a process does at a time unless told otherwise, and at most.
const AT_ONCE_DEFAULT: usize = 4;
const AT_ONCE_MAX: usize = 64;

/// How long a process on PostgreSQL holds a job without being heard of, seconds.
const LEASE_S_DEFAULT: i64 = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsSection {
    at_once: Option<usize>,
    lease_s: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthSection {
    bind: Option<SocketAddr>,
}

/// What this process does, and how jobs are shared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Processes {
    /// What it does; a flag of `bist serve` may override it.
    pub(crate) role: ProcessRole,
    /// Jobs that it does at a time.
    pub(crate) jobs_at_once: usize,
    /// How long a process on PostgreSQL holds a job without being heard of.
    pub(crate) job_lease: SignedDuration,
    /// Where it says how it is when it answers no people; a flag of `bist serve` may override it.
    pub(crate) health_bind: SocketAddr,
}

impl Processes {
    pub(super) fn load(
        role: Option<String>,
        jobs: &JobsSection,
        health: &HealthSection,
    ) -> anyhow::Result<Self> {
        let role = match environment("BIST_ROLE")? {
            Some(role) => Some(role.parse().context("BIST_ROLE")?),
            None => role.map(|role| role.parse().context("role")).transpose()?,
        };
        let jobs_at_once = match jobs.at_once {
            None => AT_ONCE_DEFAULT,
            Some(count) if (1..=AT_ONCE_MAX).contains(&count) => count,
            Some(count) => bail!("jobs.at_once is {count}; give a number from 1 to {AT_ONCE_MAX}"),
        };
        let lease_s = match jobs.lease_s {
            None => LEASE_S_DEFAULT,
            Some(lease_s) if (3..=600).contains(&lease_s) => lease_s,
            Some(lease_s) => bail!("jobs.lease_s is {lease_s}; give seconds from 3 to 600"),
        };
        let health_bind = match health.bind {
            Some(bind) => bind,
            None => HEALTH_BIND_DEFAULT.parse().context("the default address is well-formed")?,
        };
        Ok(Self {
            role: role.unwrap_or_default(),
            jobs_at_once,
            job_lease: SignedDuration::from_secs(lease_s),
            health_bind,
        })
    }
}
