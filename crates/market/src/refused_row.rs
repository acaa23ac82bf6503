//! Rows that a reader could not turn into a bar, kept so that the report can name them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::instrument::Symbol;

/// A row of a source that did not become a [`crate::RawBar`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// The file it stood in, as the user named it.
    pub file: String,
    /// Its line there, counted from one; the row number for formats without lines.
    pub line: u64,
    /// Whose row it is, if that much could be read.
    pub symbol: Option<Symbol>,
    /// The day it is for, if that much could be read.
    pub day: Option<Date>,
    /// The row as it stood, shortened if it is long.
    pub text: String,
    /// Why it was refused.
    pub reason: Refusal,
}

/// Why a row did not become a bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// A field that every bar needs is empty.
    #[error("{field} is missing")]
    MissingField {
        /// Which, by the name of the column.
        field: String,
    },
    /// A field holds something other than a number.
    #[error("{field} is '{text}', which is not a number")]
    NotANumber {
        /// Which, by the name of the column.
        field: String,
        /// What it holds.
        text: String,
    },
    /// A number is too large to be a price or a volume.
    #[error("{field} is '{text}', which is too large")]
    NumberTooLarge {
        /// Which, by the name of the column.
        field: String,
        /// What it holds.
        text: String,
    },
    /// A number that no such event has: a negative rate, a decrease that increases.
    #[error("{field} is '{text}', which no such event has")]
    Implausible {
        /// Which, by the name of the column.
        field: String,
        /// What it holds.
        text: String,
    },
    /// The date or time stamp cannot be read.
    #[error("'{text}' is not a date")]
    NotADate {
        /// What stands there.
        text: String,
    },
    /// The symbol cannot be read.
    #[error("'{text}' is not a symbol")]
    NotASymbol {
        /// What stands there.
        text: String,
    },
    /// The row has more or fewer fields than the header.
    #[error("the row has {found} fields and the header {expected}; is the file cut off?")]
    FieldCount {
        /// Fields of the header.
        expected: u64,
        /// Fields of the row.
        found: u64,
    },
    /// The row is not valid UTF-8 text.
    #[error("the row is not readable text (UTF-8)")]
    NotText,
    /// The row says the same as an earlier one.
    #[error("the row repeats line {first_line}")]
    DuplicateRow {
        /// The line of the earlier one.
        first_line: u64,
    },
    /// The row has the time stamp of an earlier one, and other numbers.
    #[error("the row contradicts line {first_line}, which has the same time stamp")]
    ConflictingDuplicate {
        /// The line of the earlier one.
        first_line: u64,
    },
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_refused_row_survives_the_way_to_json_and_back() {
        let row = RefusedRow {
            file: "daily/THYAO.csv".to_owned(),
            line: 17,
            symbol: Some(Symbol::parse("THYAO").unwrap()),
            day: Some(date(2024, 1, 9)),
            text: "2024-01-09,abc".to_owned(),
            reason: Refusal::NotANumber { field: "open".to_owned(), text: "abc".to_owned() },
        };
        let json = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<RefusedRow>(&json).unwrap(), row);
        assert_eq!(row.reason.to_string(), "open is 'abc', which is not a number");
    }
}
