//! The live stream: how it is kept, what streams may take, what is replayed, and which source tells
//! prices of this moment.

use std::time::Duration;

use anyhow::bail;
use bist_app::live::{LiveSettings, ReplayPlan};
use bist_market::{Source, Symbol};
use bist_server::LiveLimits;
use serde::Deserialize;

/// Sessions that are replayed unless the file says how many.
const REPLAY_SESSIONS_DEFAULT: usize = 5;

/// From one round of asking to the next.
const POLL_EVERY: Duration = Duration::from_mins(1);

/// How long a source that tells each trade may say nothing.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// When prices of a source that tells each trade are old.
const STALE_AFTER_TRADES: Duration = Duration::from_mins(2);

/// When prices of a source of minutes are old, which is a quarter of an hour behind the exchange.
const STALE_AFTER_MINUTES: Duration = Duration::from_mins(20);

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
    source: Option<Source>,
    #[serde(default)]
    symbols: Vec<Symbol>,
    poll_s: Option<u64>,
    silence_s_max: Option<u64>,
    stale_s: Option<u64>,
}

/// The source of prices of this moment as it is configured.
#[derive(Clone, Debug)]
pub(crate) struct QuotesConfig {
    /// Which.
    pub(crate) source: Source,
    /// Whose prices; all that are stored when this is empty.
    pub(crate) symbols: Vec<Symbol>,
    /// From the beginning of one round of asking to that of the next.
    pub(crate) poll_every: Duration,
    /// How long a source that tells each trade may say nothing.
    pub(crate) silence_max: Duration,
    /// How old the newest quote may be while prices move.
    pub(crate) stale_after: Duration,
}

/// The live stream as it is configured.
#[derive(Clone, Debug)]
pub(crate) struct LiveConfig {
    pub(crate) kept: LiveSettings,
    pub(crate) limits: LiveLimits,
    pub(crate) quotes: Option<QuotesConfig>,
    replay: Option<f64>,
    replay_sessions: usize,
}

impl QuotesConfig {
    fn load(source: Source, section: &LiveSection) -> anyhow::Result<Self> {
        let usual = match source {
            Source::ALGOLAB => STALE_AFTER_TRADES,
            Source::YAHOO => STALE_AFTER_MINUTES,
            _ => bail!(
                "live.source is '{source}', which tells no prices of this moment; there are {} and {}",
                Source::ALGOLAB,
                Source::YAHOO
            ),
        };
        let seconds = |name, value: Option<u64>, min, max, usual: Duration| match value {
            None => Ok(usual),
            Some(value) if (min..=max).contains(&value) => Ok(Duration::from_secs(value)),
            Some(value) => bail!("live.{name} is {value}; give seconds from {min} to {max}"),
        };
        Ok(Self {
            source,
            symbols: section.symbols.clone(),
            poll_every: seconds("poll_s", section.poll_s, 10, 3600, POLL_EVERY)?,
            silence_max: seconds("silence_s_max", section.silence_s_max, 5, 3600, SILENCE_MAX)?,
            stale_after: seconds("stale_s", section.stale_s, 5, 86_400, usual)?,
        })
    }
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
            quotes: section.source.map(|source| QuotesConfig::load(source, section)).transpose()?,
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
