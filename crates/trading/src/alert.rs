//! Alerts: what somebody wants to be told of, whether it has happened, and whether it may be told now.
//!
//! [`judge`] holds a [`Condition`] against [`Facts`] and says whether it is met, or why nobody can
//! tell: a rule never fires on data that are missing or stale. [`step`] then says whether the rule
//! fires, which it does once for each fact and not while it cools down.

mod address;
mod condition;
mod judge;
mod quiet_hours;
mod sentence;
mod step;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::watchlist::{NameError, checked_name};

pub use address::ChannelAddress;
pub use condition::{Condition, ConditionError, Direction};
pub use judge::{
    BandFacts, DriftFacts, Fact, Facts, Observed, QualityFacts, SignalFacts, Silence, SymbolFacts,
    Verdict, judge,
};
pub use quiet_hours::{QuietHours, QuietHoursError};
pub use sentence::{AlertText, sentence};
pub use step::{RuleState, Step, step};

/// Rules of one person: each is looked at whenever data change.
pub const ALERT_RULES_MAX: usize = 50;

/// The longest pause between two alerts of a rule, minutes: a month.
pub const COOL_DOWN_MINUTES_MAX: u32 = 31 * 24 * 60;

/// By what somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The web app.
    Web,
    /// A mail.
    Email,
    /// A message of a bot of Telegram.
    Telegram,
    /// A signed request to a server of theirs.
    Webhook,
}

/// A text that is no channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no channel; there are web, email, telegram and webhook")]
pub struct ChannelError(String);

impl Channel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Web, Self::Email, Self::Telegram, Self::Webhook];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Email => "email",
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
        }
    }
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        let channel = Self::ALL.into_iter().find(|channel| channel.as_str() == text);
        channel.ok_or_else(|| ChannelError(text.chars().take(32).collect()))
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What somebody wants to be told of, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// What its owner calls it.
    pub name: String,
    /// Whether it is looked at.
    pub enabled: bool,
    /// What must happen.
    pub condition: Condition,
    /// By what it is told; in the history it is always.
    pub channels: BTreeSet<Channel>,
    /// For how long it does not fire again, minutes.
    pub cool_down_minutes: u32,
    /// When nothing but the web app tells of it; the rest is told when they end.
    pub quiet_hours: Option<QuietHours>,
}

/// Why something is no rule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AlertRuleError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The condition cannot be.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// The pause is too long.
    #[error("cool_down_minutes is {0}; give minutes from 0 to {COOL_DOWN_MINUTES_MAX}")]
    CoolDown(u32),
}

impl AlertRule {
    /// The same, once everything is within its range; the name is without the blanks around it.
    ///
    /// # Errors
    ///
    /// [`AlertRuleError`] for the first that is not.
    pub fn checked(self) -> Result<Self, AlertRuleError> {
        let name = checked_name(&self.name)?;
        let condition = self.condition.checked()?;
        if self.cool_down_minutes > COOL_DOWN_MINUTES_MAX {
            return Err(AlertRuleError::CoolDown(self.cool_down_minutes));
        }
        Ok(Self { name, condition, ..self })
    }
}
