//! The shape of the chart service's answers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::json::{Cell, Column};

/// Every answer: the chart service's own under `chart`, that of other parts of Yahoo under
/// `finance`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) chart: Option<Outcome>,
    pub(super) finance: Option<Outcome>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Outcome {
    pub(super) result: Option<Vec<Chart>>,
    pub(super) error: Option<Complaint>,
}

/// Why there is no chart, in Yahoo's words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Complaint {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) description: String,
}

impl Complaint {
    /// The complaint of a body, if it is one.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let Answer { chart, finance } = crate::json::parse(body).ok()?;
        [chart, finance].into_iter().flatten().find_map(|outcome| outcome.error)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Chart {
    pub(super) meta: Meta,
    pub(super) timestamp: Option<Column<i64>>,
    #[serde(default)]
    pub(super) events: Events,
    pub(super) indicators: Indicators,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) currency: Option<String>,
    pub(super) symbol: Option<String>,
    pub(super) exchange_timezone_name: Option<String>,
    pub(super) regular_market_time: Option<i64>,
    pub(super) data_granularity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Events {
    pub(super) dividends: BTreeMap<String, Dividend>,
    pub(super) splits: BTreeMap<String, Split>,
}

/// The key of the map is not used: it is a text of the same time.
#[derive(Debug, Deserialize)]
pub(super) struct Dividend {
    pub(super) date: i64,
    pub(super) amount: Cell,
    pub(super) currency: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Split {
    pub(super) date: i64,
    pub(super) numerator: Cell,
    pub(super) denominator: Cell,
}

#[derive(Debug, Deserialize)]
pub(super) struct Indicators {
    #[serde(default)]
    pub(super) quote: Vec<Quote>,
    /// Only for days and longer.
    #[serde(default)]
    pub(super) adjclose: Vec<AdjustedClose>,
}

/// Empty when the range is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Quote {
    pub(super) open: Column<Cell>,
    pub(super) high: Column<Cell>,
    pub(super) low: Column<Cell>,
    pub(super) close: Column<Cell>,
    pub(super) volume: Column<Cell>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AdjustedClose {
    pub(super) adjclose: Column<Cell>,
}
