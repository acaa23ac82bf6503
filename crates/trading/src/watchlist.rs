//! Lists of shares that somebody watches.

use std::collections::BTreeSet;

use bist_market::Symbol;
use serde::{Deserialize, Serialize};

/// Lists of one person: more than a panel can show at once helps nobody.
pub const WATCHLISTS_MAX: usize = 20;

/// Shares of one list: all that one live connection may name by symbol.
pub const WATCHLIST_SYMBOLS_MAX: usize = 200;

/// Characters of a name that somebody gives.
pub const NAME_CHARS_MAX: usize = 60;

/// A list of shares, in the order that its owner gave them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watchlist {
    /// What its owner calls it.
    pub name: String,
    /// The shares, each once.
    pub symbols: Vec<Symbol>,
}

/// Why something is no list of shares.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchlistError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is too long.
    #[error("symbols: a list has {WATCHLIST_SYMBOLS_MAX} shares at most, and this one {0}")]
    TooLong(usize),
    /// A share stands twice.
    #[error("symbols: {0} stands twice; give each share once")]
    Twice(Symbol),
}

/// A text that nothing can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name: give 1 to {NAME_CHARS_MAX} characters, without line breaks and control characters")]
pub struct NameError;

impl Watchlist {
    /// A list of `symbols`, called `name`.
    ///
    /// # Errors
    ///
    /// [`WatchlistError`] for a name that is none, for too many shares, and for one that stands twice.
    pub fn new(name: &str, symbols: Vec<Symbol>) -> Result<Self, WatchlistError> {
        let name = checked_name(name)?;
        if symbols.len() > WATCHLIST_SYMBOLS_MAX {
            return Err(WatchlistError::TooLong(symbols.len()));
        }
        let mut seen = BTreeSet::new();
        match symbols.iter().find(|symbol| !seen.insert(**symbol)) {
            Some(twice) => Err(WatchlistError::Twice(*twice)),
            None => Ok(Self { name, symbols }),
        }
    }
}

/// A name that somebody gives, without the blanks around it.
pub(crate) fn checked_name(text: &str) -> Result<String, NameError> {
    let text = text.trim();
    let chars_count = text.chars().count();
    if (1..=NAME_CHARS_MAX).contains(&chars_count) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(NameError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_name_and_each_share_once() {
        let [a, b] = ["THYAO", "GARAN"].map(|text| Symbol::parse(text).unwrap());
        let list = Watchlist::new(" Bankalar ", vec![a, b]).unwrap();
        assert_eq!((list.name.as_str(), list.symbols), ("Bankalar", vec![a, b]));
        assert_eq!(Watchlist::new("x", vec![a, b, a]), Err(WatchlistError::Twice(a)));
        assert_eq!(Watchlist::new("x", vec![a; 201]), Err(WatchlistError::TooLong(201)));
        for name in ["", "  ", "a\nb", &"x".repeat(61)] {
            assert_eq!(Watchlist::new(name, Vec::new()), Err(NameError.into()), "{name:?}");
        }
    }
}
