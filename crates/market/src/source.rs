//! Where data come from, and what its prices mean.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name we accept, in bytes.
const LENGTH_MAX: usize = 24;

/// The name of a source of market data, such as `yahoo`, `bulletin` or `csv`.
///
/// One to 24 lower-case ASCII letters, digits, `-` and `_`. Files take the name of their format
/// unless the user names their vendor, so that two vendors can be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Source {
    /// The bytes, padded with zeros.
    bytes: [u8; LENGTH_MAX],
}

/// Why a text is not the name of a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not the name of a source: 1 to {LENGTH_MAX} lower-case letters, digits, '-' and '_'"
)]
pub struct SourceError(String);

impl Source {
    /// The live prices of a broker's service for programs.
    pub const ALGOLAB: Self = Self::known("algolab");
    /// The exchange's end-of-day bulletin.
    pub const BULLETIN: Self = Self::known("bulletin");
    /// Files of delimited text.
    pub const CSV: Self = Self::known("csv");
    /// The central bank's data service and its daily rates.
    pub const EVDS: Self = Self::known("evds");
    /// Daily prices and corporate actions of İş Yatırım.
    pub const ISYATIRIM: Self = Self::known("isyatirim");
    /// The public disclosure platform.
    pub const KAP: Self = Self::known("kap");
    /// Apache Parquet files.
    pub const PARQUET: Self = Self::known("parquet");
    /// Stored sessions, told again as if they went on now.
    pub const REPLAY: Self = Self::known("replay");
    /// The generated market.
    pub const SAMPLE: Self = Self::known("sample");
    /// The chart service of Yahoo Finance.
    pub const YAHOO: Self = Self::known("yahoo");

    const fn known(name: &str) -> Self {
        let name = name.as_bytes();
        let mut bytes = [0; LENGTH_MAX];
        let mut index = 0;
        while index < name.len() {
            bytes[index] = name[index];
            index += 1;
        }
        Self { bytes }
    }

    /// Reads a name as it stands.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        if text.is_empty() || text.len() > LENGTH_MAX || !text.bytes().all(allowed) {
            return Err(SourceError(text.to_owned()));
        }
        Ok(Self::known(text))
    }

    /// The name.
    ///
    /// # Panics
    ///
    /// Never: the constructors admit ASCII only.
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|b| *b == 0).unwrap_or(LENGTH_MAX);
        std::str::from_utf8(&self.bytes[..length]).expect("a source is ASCII by construction")
    }

    /// What the prices of this source mean.
    pub fn price_basis(self) -> PriceBasis {
        match self {
            Self::ALGOLAB | Self::BULLETIN | Self::SAMPLE => PriceBasis::Raw,
            // HG_* fields, as traded; the adjusted close stands beside them.
            Self::ISYATIRIM => PriceBasis::Raw,
            Self::YAHOO => PriceBasis::SplitAdjusted,
            _ => PriceBasis::Unknown,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Source {
    type Error = SourceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.as_str().to_owned()
    }
}

/// What the prices of a source mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// As traded on the day: every price is a multiple of that day's tick.
    Raw,
    /// Earlier prices are divided by later splits and bonus issues.
    SplitAdjusted,
    /// Earlier prices are adjusted for all corporate actions, cash dividends included.
    FullyAdjusted,
    /// The source does not say.
    Unknown,
}

impl PriceBasis {
    /// The word used in the store, the API and the reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::SplitAdjusted => "split_adjusted",
            Self::FullyAdjusted => "fully_adjusted",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for PriceBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_and_anything_else_is_refused() {
        assert_eq!(Source::parse("yahoo"), Ok(Source::YAHOO));
        assert_eq!(Source::parse("vendor-2_b").unwrap().as_str(), "vendor-2_b");
        for text in ["", "Yahoo", "a b", "ş", &"x".repeat(25)] {
            assert!(Source::parse(text).is_err(), "{text:?}");
        }
    }
}
