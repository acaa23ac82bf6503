//! What is traded: the symbol of a share, and where its data come from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest symbol we accept, in bytes.
const LENGTH_MAX: usize = 12;

/// The ticker of an instrument, such as `THYAO` or `XU100`.
///
/// One to twelve upper-case ASCII letters and digits, beginning with one of them. The suffixes of
/// vendors (`.IS`) and of the exchange's equity series (`.E`) are dropped by [`Symbol::parse`].
/// Ordered alphabetically.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol {
    /// The bytes, padded with zeros.
    bytes: [u8; LENGTH_MAX],
}

/// Why a text is not a symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// The text is empty.
    #[error("a symbol is empty")]
    Empty,
    /// The text is longer than twelve characters.
    #[error("symbol '{0}' is longer than {LENGTH_MAX} characters")]
    TooLong(String),
    /// The text has a character other than A-Z and 0-9.
    #[error("symbol '{text}' has the character '{character}'; only A-Z and 0-9 are allowed")]
    Character {
        /// What was given.
        text: String,
        /// The first character that does not belong.
        character: char,
    },
}

impl Symbol {
    /// Reads a symbol, ignoring surrounding blanks, the case of ASCII letters and the suffixes
    /// `.IS` and `.E`.
    ///
    /// # Errors
    ///
    /// [`SymbolError`] when nothing is left, or too much, or a character that no ticker has.
    ///
    /// # Examples
    ///
    /// ```
    /// use bist_market::Symbol;
    /// assert_eq!(Symbol::parse("thyao.is").unwrap().as_str(), "THYAO");
    /// assert!(Symbol::parse("TH YAO").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let upper = text.trim().to_ascii_uppercase();
        let bare = upper.strip_suffix(".IS").or_else(|| upper.strip_suffix(".E")).unwrap_or(&upper);
        if bare.is_empty() {
            return Err(SymbolError::Empty);
        }
        if let Some(character) =
            bare.chars().find(|c| !c.is_ascii_uppercase() && !c.is_ascii_digit())
        {
            return Err(SymbolError::Character { text: text.to_owned(), character });
        }
        if bare.len() > LENGTH_MAX {
            return Err(SymbolError::TooLong(text.to_owned()));
        }
        let mut bytes = [0; LENGTH_MAX];
        bytes[..bare.len()].copy_from_slice(bare.as_bytes());
        Ok(Self { bytes })
    }

    /// The symbol as text, without any suffix.
    ///
    /// # Panics
    ///
    /// Never: the constructor admits ASCII only.
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|b| *b == 0).unwrap_or(LENGTH_MAX);
        std::str::from_utf8(&self.bytes[..length]).expect("a symbol is ASCII by construction")
    }
}

/// What kind of instrument a symbol names, and with it which rules its prices keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentClass {
    /// A share: sessions of the exchange, daily limits, price steps, volumes.
    Share,
    /// An index of shares: their sessions and limits, no price steps, volume if the source has one.
    Index,
    /// A rate of exchange, or metal against money: every weekday, no limits, no volume.
    Fx,
}

/// Currencies, and metals by their codes, whose rates sources have; the codes of ISO 4217.
const CURRENCIES: &[&str] = &[
    "AED", "AUD", "AZN", "BGN", "BRL", "CAD", "CHF", "CNH", "CNY", "CZK", "DKK", "EUR", "GBP",
    "HKD", "HUF", "ILS", "INR", "IRR", "JPY", "KRW", "KWD", "KZT", "MXN", "NOK", "NZD", "PKR",
    "PLN", "QAR", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "UAH", "USD", "XAG", "XAU",
    "XDR", "XPD", "XPT", "ZAR",
];

/// The letter with which the exchange's codes of indices begin, and the length they all have.
///
/// Turkish has no X. Of some 600 codes with which a public list of April 2024 asks Yahoo for
/// Istanbul the 54 that begin so are indices, and so are those of other lists (`XAKUR`, `XKTMT`,
/// `XLBNK`, `XSRDK`, `XU500`); no company's ticker is among them (certainty B).
const INDEX_INITIAL: char = 'X';
const INDEX_LENGTH: usize = 5;

impl Symbol {
    /// What kind of instrument the symbol names, by the form of the exchange's codes of indices and
    /// the codes of currencies; everything else is a share.
    ///
    /// # Examples
    ///
    /// ```
    /// use bist_market::{InstrumentClass, Symbol};
    /// assert_eq!(Symbol::parse("XU100").unwrap().class(), InstrumentClass::Index);
    /// assert_eq!(Symbol::parse("USDTRY").unwrap().class(), InstrumentClass::Fx);
    /// ```
    pub fn class(&self) -> InstrumentClass {
        let code = self.as_str();
        let known = |part: Option<&str>| part.is_some_and(|part| CURRENCIES.contains(&part));
        let pair = code.len() == 6 && known(code.get(..3)) && known(code.get(3..));
        if pair {
            InstrumentClass::Fx
        } else if code.starts_with(INDEX_INITIAL) && code.len() == INDEX_LENGTH {
            InstrumentClass::Index
        } else {
            InstrumentClass::Share
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.as_str().to_owned()
    }
}

/// Whether data are real or made by our generator; shown wherever the data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Made by the sample market generator; says nothing about any real company.
    Sample,
    /// Received from outside.
    Market,
}

impl Origin {
    /// The word used in the store, the API and the files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Market => "market",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of an instrument besides its prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its ticker.
    pub symbol: Symbol,
    /// The company, if a source named it.
    pub name: Option<String>,
    /// The sector, if a source named it.
    pub sector: Option<String>,
    /// Whether its data are real or generated.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let actual = Symbol::parse(text).map(|s| s.as_str().to_owned()).map_err(|e| e.to_string());
        assert_eq!(actual, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn vendor_and_series_suffixes_are_dropped() {
        check("THYAO", Ok("THYAO"));
        check(" thyao.is ", Ok("THYAO"));
        check("ISCTR.E", Ok("ISCTR"));
        check("XU100", Ok("XU100"));
    }

    #[test]
    fn indices_begin_with_x_rates_are_two_currencies_and_the_rest_are_shares() {
        let class = |code: &str| Symbol::parse(code).unwrap().class();
        for index in ["XU100", "XU030.IS", "X10XB", "X030S", "XBANK", "XKTMT", "XLBNK", "XSD25"] {
            assert_eq!(class(index), InstrumentClass::Index, "{index}");
        }
        for rate in ["USDTRY", "EURUSD", "XAUTRY", "XAGUSD"] {
            assert_eq!(class(rate), InstrumentClass::Fx, "{rate}");
        }
        for share in ["THYAO", "ISCTR.E", "A1CAP", "BINHO1000", "USDTR", "EUR", "MAXXX"] {
            assert_eq!(class(share), InstrumentClass::Share, "{share}");
        }
    }

    #[test]
    fn what_is_not_a_ticker_is_named() {
        check("", Err("a symbol is empty"));
        check(".IS", Err("a symbol is empty"));
        check("İSCTR", Err("symbol 'İSCTR' has the character 'İ'; only A-Z and 0-9 are allowed"));
        check("ABCDEFGHIJKLM", Err("symbol 'ABCDEFGHIJKLM' is longer than 12 characters"));
    }
}
