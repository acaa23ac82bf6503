//! What a source says of an instrument on a day, besides its bar.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::instrument::Symbol;

/// One line of the exchange's bulletin without its prices, or what another source has of it.
///
/// `None` is "the source does not say". Index flags and measures of each day make a universe that
/// is point-in-time: who was in BIST 100 on a day is asked of that day's rows, delisted shares
/// included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstrumentDay {
    /// Market segment as the exchange codes it: `Z` Stars, `N` Main, `W` Watchlist.
    pub segment: Option<String>,
    /// Trading method as the exchange codes it, `SI` or `TF`.
    pub trading_method: Option<String>,
    /// Whether the share is in BIST 100.
    pub in_bist100: Option<bool>,
    /// Whether the share is in BIST 30.
    pub in_bist30: Option<bool>,
    /// Whether trades settle gross (VBTS).
    pub gross_settlement: Option<bool>,
    /// Whether trading was suspended.
    pub suspended: Option<bool>,
    /// The exchange's mark of a corporate action on this day, as it stands.
    pub corporate_action: Option<String>,
    /// The last price of the session before, not adjusted, units of 0.0001 TRY.
    pub previous_close_units: Option<i64>,
    /// Volume-weighted average price, units of 0.0001 TRY.
    pub vwap_units: Option<i64>,
    /// Money traded, units of 0.0001 TRY. Not shares.
    pub turnover_units: Option<i64>,
    /// Number of trades.
    pub trades_count: Option<u64>,
    /// Market capitalisation, TRY; a statistic, hence a float.
    pub market_cap_lira: Option<f64>,
}

/// Whose day it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatedInstrumentDay {
    /// The share, by the name it had that day.
    pub symbol: Symbol,
    /// The session.
    pub day: Date,
    /// What is said.
    #[serde(flatten)]
    pub facts: InstrumentDay,
}
