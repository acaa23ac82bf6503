//! Why an order was refused, as data.

use bist_market::{Notional, Price, Shares};
use jiff::civil::Date;
use serde::Serialize;

use super::VALIDITY_DAYS_MAX;

/// Why an order was refused; written to the audit chain as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "denial", rename_all = "snake_case")]
pub enum Denial {
    /// An administrator has halted trading.
    #[error("trading is halted by an administrator")]
    Halted,
    /// The portfolio is closed.
    #[error("the portfolio is closed")]
    Closed,
    /// Nothing is known of the share.
    #[error("there are no prices of this share")]
    NoBars,
    /// A session has ended since the last price.
    #[error("the last price is of {last_day}, and the session of {expected_day} has ended")]
    Stale {
        /// The day of the last bar.
        last_day: Date,
        /// The last session that has ended.
        expected_day: Date,
    },
    /// No shares.
    #[error("an order is for one share at least")]
    NothingOrdered,
    /// The limit is no valid price step.
    #[error("{price} is not a valid price step{}", steps(*.below, *.above))]
    OffTick {
        /// The limit.
        price: Price,
        /// The valid price below; `None` when there is none.
        below: Option<Price>,
        /// The valid price above; `None` when there is none.
        above: Option<Price>,
    },
    /// The exchange would not take the limit in the order's only session.
    #[error("{price} is outside the price limits of the session, {lower} to {upper}")]
    OutsideLimits {
        /// The limit.
        price: Price,
        /// The lower price limit.
        lower: Price,
        /// The upper price limit.
        upper: Price,
    },
    /// Nobody can tell what the order may cost.
    #[error("the price limits of the session are not known")]
    LimitsUnknown,
    /// The order alone is too large for the portfolio's limits.
    #[error("the order is worth up to {notional} TRY, above the limit of {limit} TRY")]
    NotionalAboveLimit {
        /// What it is worth at most, without charges.
        notional: Notional,
        /// The portfolio's limit.
        limit: Notional,
    },
    /// The share would be too large a part of the portfolio.
    #[error(
        "the share would be {:.1} % of the portfolio, above the limit of {:.1} %",
        .share * 100.0,
        .limit * 100.0
    )]
    PositionAboveLimit {
        /// Of the portfolio's value, open purchases counted as made.
        share: f64,
        /// The portfolio's limit.
        limit: f64,
    },
    /// The cash does not suffice.
    #[error("the order needs up to {needed} TRY with charges, and {available} TRY are free")]
    CashShort {
        /// With charges, at the worst price.
        needed: Notional,
        /// Cash less what open purchases bind.
        available: Notional,
    },
    /// Fewer shares are held than are to be sold; nothing is sold short.
    #[error("{ordered} shares are to be sold, and {free} are free")]
    SharesShort {
        /// Shares of the order.
        ordered: Shares,
        /// Shares held less what open sales offer.
        free: Shares,
    },
    /// Too many orders wait.
    #[error("a portfolio has {max} open orders at most")]
    TooManyOpen {
        /// How many there may be.
        max: usize,
    },
    /// The order would end before a session can execute it.
    #[error("the order ends before its first session, {first_session}")]
    EndsTooEarly {
        /// Its first session.
        first_session: Date,
    },
    /// The order would wait too long.
    #[error("an order ends {VALIDITY_DAYS_MAX} days after its first session, by {latest}")]
    EndsTooLate {
        /// The last day that may be given.
        latest: Date,
    },
    /// An order at the market would wait for a second session.
    #[error("an order at the market is for one session; give it a limit to let it wait")]
    MarketLasts,
    /// The amount is beyond all money.
    #[error("the order is too large to be reckoned with")]
    TooLarge,
}

impl Denial {
    /// Its name in the API and the audit chain; never changed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Halted => "halted",
            Self::Closed => "closed",
            Self::NoBars => "no_bars",
            Self::Stale { .. } => "stale",
            Self::NothingOrdered => "nothing_ordered",
            Self::OffTick { .. } => "off_tick",
            Self::OutsideLimits { .. } => "outside_limits",
            Self::LimitsUnknown => "limits_unknown",
            Self::NotionalAboveLimit { .. } => "notional_above_limit",
            Self::PositionAboveLimit { .. } => "position_above_limit",
            Self::CashShort { .. } => "cash_short",
            Self::SharesShort { .. } => "shares_short",
            Self::TooManyOpen { .. } => "too_many_open",
            Self::EndsTooEarly { .. } => "ends_too_early",
            Self::EndsTooLate { .. } => "ends_too_late",
            Self::MarketLasts => "market_lasts",
            Self::TooLarge => "too_large",
        }
    }
}

/// The valid prices around one that is none.
fn steps(below: Option<Price>, above: Option<Price>) -> String {
    match (below, above) {
        (Some(below), Some(above)) => format!("; the nearest are {below} and {above}"),
        (Some(only), None) | (None, Some(only)) => format!("; the nearest is {only}"),
        (None, None) => String::new(),
    }
}
