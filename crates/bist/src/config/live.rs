//! The live stream: how it is kept, what streams may take, and what is replayed.

use std::time::Duration;

use anyhow::bail;
use bist_app::live::{LiveSettings, ReplayPlan};
use bist_server::LiveLimits;
use serde::Deserialize;

/// Sessions that are replayed unless the file says how many.
const REPLAY_SESSIONS_DEFAULT: usize = 5;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LiveSection {
    look_ms: Option<u64>,
    kept_events: Option<usize>,
    streams_max: Option<usize>,
    streams_per_account_max: Option<usize>,
    heartbeat_s: Option<u64>,
    write_time_s_max: Option<u64>,
    replay: Option<f64>,
    replay_sessions: Option<usize>,
}

/// The live stream as it is configured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LiveConfig {
    pub(crate) kept: LiveSettings,
    pub(crate) limits: LiveLimits,
    replay: Option<f64>,
    replay_sessions: usize,
}

impl LiveConfig {
    pub(super) fn load(section: &LiveSection) -> anyhow::Result<Self> {
        let (kept, limits) = (LiveSettings::default(), LiveLimits::default());
        let seconds = |name, value: Option<u64>, usual: Duration| match value {
            None => Ok(usual),
            Some(value) if (1..=300).contains(&value) => Ok(Duration::from_secs(value)),
            Some(value) => bail!("live.{name} is {value}; give seconds from 1 to 300"),
        };
        let count = |name, value: Option<usize>, usual| match value {
            None => Ok(usual),
            Some(value) if (1..=1_000_000).contains(&value) => Ok(value),
            Some(value) => bail!("live.{name} is {value}; give a number from 1 to 1000000"),
        };
        let look_every = match section.look_ms {
            None => kept.look_every,
            Some(ms) if (100..=60_000).contains(&ms) => Duration::from_millis(ms),
            Some(ms) => bail!("live.look_ms is {ms}; give milliseconds from 100 to 60000"),
        };
        let kept_events_max = count("kept_events", section.kept_events, kept.kept_events_max)?;
        let loaded = Self {
            kept: LiveSettings { look_every, kept_events_max, ..kept },
            limits: LiveLimits {
                streams_max: count("streams_max", section.streams_max, limits.streams_max)?,
                streams_per_account_max: count(
                    "streams_per_account_max",
                    section.streams_per_account_max,
                    limits.streams_per_account_max,
                )?,
                heartbeat_every: seconds(
                    "heartbeat_s",
                    section.heartbeat_s,
                    limits.heartbeat_every,
                )?,
                write_time_max: seconds(
                    "write_time_s_max",
                    section.write_time_s_max,
                    limits.write_time_max,
                )?,
                ..limits
            },
            replay: section.replay,
            replay_sessions: section.replay_sessions.unwrap_or(REPLAY_SESSIONS_DEFAULT),
        };
        loaded.replay(None)?;
        Ok(loaded)
    }

    /// What is replayed, at the speed `asked` rather than that of the file; `None` when nothing is.
    pub(crate) fn replay(&self, asked: Option<f64>) -> anyhow::Result<Option<ReplayPlan>> {
        let speed = asked.or(self.replay);
        Ok(speed.map(|speed| ReplayPlan::new(speed, self.replay_sessions)).transpose()?)
    }
}
