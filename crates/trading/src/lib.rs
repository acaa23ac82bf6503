//! Costs, signals and performance: what a forecast is worth to someone who trades.
//!
//! [`decide`] turns a forecast, the record of the model that made it and the costs of trading into
//! a [`Signal`]: buy, sell or hold, always with its reason. [`CostModel`] says what a trade costs,
//! [`AfterCosts`] what following the forecasts would have earned, [`score()`] what came of a signal
//! when its horizon ended, and [`Estimate`] is a number with the interval in which the truth may lie.
//! What somebody watches and wants to be told of is here too: [`Watchlist`], [`AlertRule`] and
//! [`UserSettings`].
//!
//! Pure: no clock, no environment, no file, no socket. How forecasts are made and judged is not
//! known here.

pub mod alert;
pub mod costs;
pub mod distribution;
pub mod estimate;
pub mod performance;
pub mod record;
pub mod score;
pub mod signal;
pub mod user_settings;
pub mod watchlist;

pub use alert::{AlertRule, AlertRuleError, Channel, Condition};
pub use costs::CostModel;
pub use estimate::Estimate;
pub use performance::{AfterCosts, Opportunity};
pub use record::{ModelRecord, SkillCondition, SymbolRecord};
pub use score::{
    Entry, GRACE_SESSIONS, NeverKnown, Outcome, ScoreInput, SignalScore, Touch, Waiting, score,
};
pub use signal::{
    Action, Contribution, PolicyError, Reason, ReturnInterval, Signal, SignalInput, SignalPolicy,
    TopContributions, WithinSession, decide,
};
pub use user_settings::{Language, Palette, Theme, UserSettings, UserSettingsError};
pub use watchlist::{Watchlist, WatchlistError};
