//! The rows of all symbols, what was known at each, and what came after.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_market::Symbol;
use jiff::civil::{Date, DateTime, Time};

use super::{FeatureMatrix, Targets, whole};
use crate::forecaster::FitError;
use crate::horizon::Horizon;

/// Which row of a [`Panel`] this is. Ordered by day, then by time, then by symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The session of the bar whose close is the last thing known.
    pub day: Date,
    /// When that bar began, in Istanbul; midnight for a daily bar.
    pub time: Time,
    /// Whose row it is.
    pub symbol: Symbol,
}

impl RowKey {
    /// The row of a daily bar.
    pub const fn daily(day: Date, symbol: Symbol) -> Self {
        Self { day, time: Time::midnight(), symbol }
    }

    /// When its bar began, in Istanbul: rows of one moment are compared with each other.
    pub const fn moment(&self) -> DateTime {
        self.day.to_datetime(self.time)
    }
}

/// What was known at the close of each row's bar; the rows of all symbols, sorted by moment and then
/// by symbol. All that a model sees besides what it is to learn.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Moment and symbol of each row.
    pub keys: Vec<RowKey>,
    /// The features of each row.
    pub features: FeatureMatrix,
    /// Logarithm of the close, total return: only differences within a stretch mean something.
    pub log_close: Vec<f64>,
    /// Which unbroken stretch of its symbol's bars each row belongs to, counted from zero for each
    /// symbol: no return, and no sequence of rows, reaches across two.
    pub stretch: Vec<u32>,
}

impl Known {
    /// The rows of each stretch of each symbol, in the order in which they are given.
    ///
    /// # Panics
    ///
    /// When a row does not exist.
    pub(crate) fn rows_by_stretch(&self, rows: &[usize]) -> BTreeMap<(Symbol, u32), Vec<usize>> {
        let mut stretches: BTreeMap<(Symbol, u32), Vec<usize>> = BTreeMap::new();
        for &row in rows {
            stretches.entry((self.keys[row].symbol, self.stretch[row])).or_default().push(row);
        }
        stretches
    }

    /// How many bars lie between each row and the end of `horizon`, its last included.
    ///
    /// # Errors
    ///
    /// [`FitError::NoColumn`] when the rows do not tell how much of their session is left.
    pub(crate) fn bars_ahead(&self, horizon: Horizon) -> Result<Vec<u8>, FitError> {
        const LEFT: &str = "bars_to_close";
        match horizon {
            Horizon::Sessions(_) | Horizon::NextHour => {
                Ok(vec![horizon.sessions(); self.keys.len()])
            }
            Horizon::EndOfDay => {
                let column = self.features.column_index(LEFT);
                let column = column.ok_or_else(|| FitError::NoColumn(LEFT.to_owned()))?;
                Ok(self.features.column(column).iter().map(|left| whole(*left)).collect())
            }
        }
    }
}

/// The rows of all symbols with what came after them.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What was known; the same for panels of several horizons.
    pub known: Arc<Known>,
    /// What came after.
    pub targets: Targets,
}

impl Panel {
    /// What of it was known before `day` began: the rows of earlier days, each with its outcome if
    /// that was known by then, and without one otherwise.
    #[must_use]
    pub fn before(&self, day: Date) -> Self {
        let rows_count = self.known.keys.partition_point(|key| key.day < day);
        let known = Known {
            keys: self.known.keys[..rows_count].to_vec(),
            features: self.known.features.first_rows(rows_count),
            log_close: self.known.log_close[..rows_count].to_vec(),
            stretch: self.known.stretch[..rows_count].to_vec(),
        };
        Self { known: Arc::new(known), targets: self.targets.before(day, rows_count) }
    }
}
