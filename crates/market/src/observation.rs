//! Values that are not prices of shares: exchange rates, interest rates.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The name of a series of the central bank, such as `TP.DK.USD.A.YTL`.
///
/// One to 64 upper-case ASCII letters, digits, points and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SeriesCode(String);

/// Why a text is not the name of a series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a series such as TP.DK.USD.A.YTL")]
pub struct SeriesCodeError(String);

impl SeriesCode {
    /// Reads a name as it stands.
    ///
    /// # Errors
    ///
    /// [`SeriesCodeError`] when it is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, SeriesCodeError> {
        let allowed =
            |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(SeriesCodeError(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SeriesCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for SeriesCode {
    type Error = SeriesCodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SeriesCode> for String {
    fn from(code: SeriesCode) -> Self {
        code.0
    }
}

/// One value of a series on a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Which series.
    pub series: SeriesCode,
    /// The day that the value is for.
    pub day: Date,
    /// The value in the unit of the series: lira a dollar, per cent a year. Finite.
    pub value: f64,
}
