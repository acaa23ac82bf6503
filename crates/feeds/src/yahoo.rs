//! The chart service of Yahoo Finance: daily bars, bars of minutes, dividends and splits.

mod answer;
mod chart;
mod events;
mod finished;
mod level;
mod table;
mod ticker;

pub use chart::{ChartRequest, parse_chart};
pub use level::level_changed;
pub use ticker::{symbol_of, ticker_of};
