//! Costs, signals and performance: what a forecast is worth to someone who trades.
//!
//! [`decide`] turns a forecast, the record of the model that made it and the costs of trading into
//! a [`Signal`]: buy, sell or hold, always with its reason. [`CostModel`] says what a trade costs,
//! [`AfterCosts`] what following the forecasts would have earned, [`score()`] what came of a signal
//! when its horizon ended, and [`Estimate`] is a number with the interval in which the truth may lie.
//! Paper trading is [`review`] of an [`OrderIntent`] into an [`Approved`] one or a [`Denial`], and
//! [`step`], which applies one session to a [`Portfolio`] and its [`Order`]s.
//! What somebody watches and wants to be told of is here too: [`Watchlist`], [`AlertRule`] and
//! [`UserSettings`].
//!
//! Pure: no clock, no environment, no file, no socket. How forecasts are made and judged is not
//! known here.

pub mod alert;
pub mod broker;
pub mod costs;
pub mod distribution;
pub mod estimate;
mod money;
pub mod order;
pub mod paper_step;
pub mod performance;
pub mod portfolio;
pub mod record;
pub mod risk;
pub mod score;
pub mod signal;
pub mod user_settings;
pub mod value_at_risk;
pub mod watchlist;

pub use alert::{AlertRule, AlertRuleError, Channel, Condition};
pub use broker::{Charges, Fill, NoFill, PARTICIPATION_SHARE_MAX, execute, volume_allowed};
pub use costs::CostModel;
pub use estimate::Estimate;
pub use order::{
    CancelReason, NotOpen, Order, OrderIntent, OrderKind, OrderStatus, Side, Validity,
};
pub use paper_step::{
    DayValue, PaperEvent, Session, SessionApplied, SessionBar, SharesChange, step,
};
pub use performance::{AfterCosts, Opportunity};
pub use portfolio::{PORTFOLIOS_MAX, Pending, Portfolio, PortfolioError, Position, Valuation};
pub use record::{ModelRecord, SkillCondition, SymbolRecord};
pub use risk::{
    Approved, Denial, OPEN_ORDERS_MAX, Quoted, RiskContext, RiskLimits, RiskLimitsError,
    VALIDITY_DAYS_MAX, reserve, review,
};
pub use score::{
    Entry, GRACE_SESSIONS, NeverKnown, Outcome, ScoreInput, SignalScore, Touch, Waiting, score,
};
pub use signal::{
    Action, Contribution, PolicyError, Reason, ReturnInterval, Signal, SignalInput, SignalPolicy,
    TopContributions, WithinSession, decide,
};
pub use user_settings::{Language, Palette, Theme, UserSettings, UserSettingsError};
pub use value_at_risk::{Drawdown, TailRisk, drawdown, tail_risk};
pub use watchlist::{Watchlist, WatchlistError};
