//! Whose data are wanted: an index on a day, everything stored, or a list in a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bist_market::index_membership::{ShareIndex, newest_list};
use bist_market::rename::current_name;
use bist_market::{Symbol, SymbolError};
use bist_store::StoreError;
use jiff::civil::Date;

use crate::{App, blocking};

/// Largest file that is read as a list of symbols.
const LIST_BYTES_MAX: u64 = 1 << 20;

/// How the user names a universe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UniverseName {
    /// The members of an index on the day asked for.
    Index(ShareIndex),
    /// Every share that the store has.
    Stored,
    /// A file with one symbol a line; what follows the symbol is ignored, and lines that begin with
    /// `#` are too.
    File(PathBuf),
}

impl UniverseName {
    /// Reads what the user typed: anything but the known names is a file.
    pub fn parse(text: &str) -> Self {
        match (text, text.parse()) {
            (_, Ok(index)) => Self::Index(index),
            ("stored", _) => Self::Stored,
            _ => Self::File(PathBuf::from(text)),
        }
    }
}

/// Why it is not known whose data are wanted.
#[derive(Debug, thiserror::Error)]
pub enum UniverseNameError {
    /// No list and no bulletin says who was in the index.
    #[error(
        "who is in {index} on {day} is not known; take in bulletins with `bist ingest bulletin`, or name a file with the symbols"
    )]
    MembersUnknown {
        /// Which index.
        index: ShareIndex,
        /// On which day.
        day: Date,
    },
    /// The store has no share.
    #[error("the data directory has no shares yet; name bist30, bist100 or a file with symbols")]
    NothingStored,
    /// The file cannot be read.
    #[error(
        "cannot read the list of symbols '{path}': {source}; name bist30, bist100, stored or a file"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no list of symbols.
    #[error("'{path}' is larger than {LIST_BYTES_MAX} bytes, which no list of symbols is")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A line is no symbol.
    #[error("'{path}', line {line}: {source}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        source: SymbolError,
    },
    /// The file has no symbol.
    #[error("'{path}' names no symbol; write one a line")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// The symbols of a universe on `day`, by name, each once and under its present name.
    ///
    /// The members of an index are those that the newest bulletin on or before `day` marks; without
    /// one, those of the newest list in [`bist_market::index_membership`].
    ///
    /// # Errors
    ///
    /// [`UniverseNameError`] when nothing says who belongs to it.
    pub async fn universe(
        &self,
        name: &UniverseName,
        day: Date,
    ) -> Result<Vec<Symbol>, UniverseNameError> {
        let symbols = match name {
            UniverseName::Index(index) => {
                let members = self.store.members_on(*index, day).await?;
                match (members, newest_list(*index, day)) {
                    (Some(members), _) => members.symbols,
                    (None, Some(list)) => list.symbols(),
                    (None, None) => {
                        return Err(UniverseNameError::MembersUnknown { index: *index, day });
                    }
                }
            }
            UniverseName::Stored => {
                let stored = self.store.instruments().await?;
                stored.into_iter().map(|instrument| instrument.symbol).collect()
            }
            UniverseName::File(path) => {
                let path = path.clone();
                blocking(move || read_list(&path)).await?
            }
        };
        if symbols.is_empty() {
            return Err(UniverseNameError::NothingStored);
        }
        Ok(symbols.into_iter().map(current_name).collect::<BTreeSet<_>>().into_iter().collect())
    }
}

fn read_list(path: &Path) -> Result<Vec<Symbol>, UniverseNameError> {
    let unreadable = |source| UniverseNameError::Read { path: path.to_owned(), source };
    let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if size_bytes > LIST_BYTES_MAX {
        return Err(UniverseNameError::TooLarge { path: path.to_owned() });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let symbols = symbols_of(&text).map_err(|(line, source)| UniverseNameError::Line {
        path: path.to_owned(),
        line,
        source,
    })?;
    if symbols.is_empty() {
        return Err(UniverseNameError::Empty { path: path.to_owned() });
    }
    Ok(symbols)
}

/// The symbols at the beginning of each line; a first line that names the column is passed over.
fn symbols_of(text: &str) -> Result<Vec<Symbol>, (u64, SymbolError)> {
    const HEADINGS: [&str; 6] = ["SYMBOL", "SEMBOL", "TICKER", "KOD", "CODE", "HISSE"];
    let mut symbols = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let word = line.split([',', ';', '\t', ' ']).next().unwrap_or_default();
        if word.is_empty() || word.starts_with('#') {
            continue;
        }
        if number == 1 && HEADINGS.contains(&word.to_ascii_uppercase().as_str()) {
            continue;
        }
        symbols.push(Symbol::parse(word).map_err(|source| (number, source))?);
    }
    Ok(symbols)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_have_a_heading_comments_and_more_columns() {
        let names = |text| {
            symbols_of(text).map(|symbols| {
                symbols.iter().map(|symbol| symbol.as_str().to_owned()).collect::<Vec<_>>()
            })
        };
        assert_eq!(
            names("\u{feff}Symbol;Name\nTHYAO.E;Türk\n\n# late\nakbnk\n").unwrap(),
            ["THYAO", "AKBNK"]
        );
        assert_eq!(names("THYAO\nTÜRK\n").unwrap_err().0, 2);
    }

    #[test]
    fn anything_but_a_known_name_is_a_file() {
        assert_eq!(UniverseName::parse("BIST30"), UniverseName::Index(ShareIndex::Bist30));
        assert_eq!(UniverseName::parse("stored"), UniverseName::Stored);
        assert_eq!(UniverseName::parse("mine.txt"), UniverseName::File("mine.txt".into()));
    }
}
