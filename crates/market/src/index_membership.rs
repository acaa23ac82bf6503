//! Who belongs to an index, from dated announcements.
//!
//! The exchange's bulletin says it day by day and is the better source; these lists serve where no
//! bulletin was taken in. They are facts with dates, not constants: a list is valid for the quarter
//! it was announced for, and nothing is guessed beyond it.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::instrument::Symbol;

/// An index whose members are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareIndex {
    /// BIST 30 (XU030).
    Bist30,
    /// BIST 100 (XU100).
    Bist100,
}

/// Why a text is not an index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an index: expected bist30 or bist100")]
pub struct ShareIndexError(String);

impl ShareIndex {
    /// The word used on the command line, in the store and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bist30 => "bist30",
            Self::Bist100 => "bist100",
        }
    }
}

impl fmt::Display for ShareIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ShareIndex {
    type Err = ShareIndexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "bist30" | "xu030" => Ok(Self::Bist30),
            "bist100" | "xu100" => Ok(Self::Bist100),
            _ => Err(ShareIndexError(text.to_owned())),
        }
    }
}

/// The members of an index over a stretch of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberList {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The tickers as they were then, in alphabetical order.
    pub tickers: &'static [&'static str],
    /// Who says so.
    pub source: &'static str,
}

impl MemberList {
    /// The members.
    ///
    /// # Panics
    ///
    /// Never: the tickers of the lists are well-formed, which a test shows.
    pub fn symbols(&self) -> Vec<Symbol> {
        let parse = |ticker: &&str| Symbol::parse(ticker).expect("the lists hold tickers");
        self.tickers.iter().map(parse).collect()
    }
}

/// The third quarter of 2026. The list of the fourth was not found.
const BIST30: &[MemberList] = &[MemberList {
    from: date(2026, 7, 1),
    to: date(2026, 9, 30),
    tickers: &[
        "AEFES", "AKBNK", "ASELS", "ASTOR", "BIMAS", "DSTKF", "EKGYO", "ENKAI", "EREGL", "FROTO",
        "GARAN", "GUBRF", "ISCTR", "KCHOL", "KRDMD", "MGROS", "PETKM", "PGSUS", "SAHOL", "SASA",
        "SISE", "TAVHL", "TCELL", "THYAO", "TOASO", "TRALT", "TTKOM", "TUPRS", "VAKBN", "YKBNK",
    ],
    source: "exchange announcement 15483 of the index period July to September 2026",
}];

/// The list in force on `day`, or the newest one before it; `None` when no list is that old, or the
/// index has none.
///
/// Whether the list is in force or only the newest known is told by its dates.
pub fn newest_list(index: ShareIndex, day: Date) -> Option<&'static MemberList> {
    let lists = match index {
        ShareIndex::Bist30 => BIST30,
        ShareIndex::Bist100 => &[],
    };
    lists.iter().rev().find(|list| list.from <= day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_as_many_members_as_its_index() {
        for list in BIST30 {
            assert_eq!(list.symbols().len(), 30);
            assert!(list.tickers.is_sorted() && list.from <= list.to);
        }
    }

    #[test]
    fn no_list_is_given_for_days_before_it() {
        assert!(newest_list(ShareIndex::Bist30, date(2026, 6, 30)).is_none());
        assert!(newest_list(ShareIndex::Bist30, date(2026, 7, 1)).is_some());
        let later = newest_list(ShareIndex::Bist30, date(2026, 11, 24)).unwrap();
        assert!(later.to < date(2026, 11, 24), "a stale list shows its age");
        assert!(newest_list(ShareIndex::Bist100, date(2026, 8, 3)).is_none());
    }
}
