//! Choosing where studies are kept, by a word of the command line or the configuration.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use bist_lifecycle::study::{StudyStorage, StudyStorageError};
use tokio::runtime::Handle;

use crate::pool::Store;
use crate::studies::DatabaseStudies;
use crate::study_journal::JournalStorage;

/// How the name of a journal ends, so that a slip does not write into some other file.
const JOURNAL_EXTENSIONS: [&str; 2] = ["journal", "log"];

/// Where studies are kept: `database`, or `journal:PATH` with a path that ends with `.journal` or
/// `.log`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StudyStorageSpec {
    /// In the database of the data directory.
    #[default]
    Database,
    /// In a file that Optuna reads and writes as well.
    Journal(PathBuf),
}

/// Why a text names no place for studies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StudyStorageSpecError {
    /// It is neither of both.
    #[error("'{0}' is no place for studies: say database, or journal:PATH")]
    Unknown(String),
    /// The path does not look like a journal.
    #[error("'{0}' does not look like a journal: its name has to end with .journal or .log")]
    Extension(PathBuf),
}

impl StudyStorageSpec {
    /// Opens the place: the database is that of `store`, whose futures `runtime` runs; a journal is
    /// made if it is not there.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Io`] when a journal cannot be opened or read.
    pub fn open(
        &self,
        store: &Store,
        runtime: &Handle,
    ) -> Result<Arc<dyn StudyStorage>, StudyStorageError> {
        Ok(match self {
            Self::Database => Arc::new(DatabaseStudies::new(store.clone(), runtime.clone())),
            Self::Journal(path) => Arc::new(JournalStorage::open(path)?),
        })
    }
}

impl FromStr for StudyStorageSpec {
    type Err = StudyStorageSpecError;

    fn from_str(text: &str) -> Result<Self, StudyStorageSpecError> {
        if text == "database" {
            return Ok(Self::Database);
        }
        let Some(path) = text.strip_prefix("journal:").map(PathBuf::from) else {
            return Err(StudyStorageSpecError::Unknown(text.to_owned()));
        };
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| JOURNAL_EXTENSIONS.contains(&extension)) {
            return Ok(Self::Journal(path));
        }
        Err(StudyStorageSpecError::Extension(path))
    }
}

impl fmt::Display for StudyStorageSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database => f.pad("database"),
            Self::Journal(path) => write!(f, "journal:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<StudyStorageSpec, &str>) {
        let actual = text.parse::<StudyStorageSpec>();
        if let Ok(spec) = &actual {
            assert_eq!(spec.to_string(), text);
        }
        assert_eq!(actual.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn a_place_is_the_database_or_a_journal_that_looks_like_one() {
        check("database", Ok(StudyStorageSpec::Database));
        check("journal:a/b.log", Ok(StudyStorageSpec::Journal("a/b.log".into())));
        check("journal:b.journal", Ok(StudyStorageSpec::Journal("b.journal".into())));
        check("Database", Err("'Database' is no place for studies: say database, or journal:PATH"));
        check("b.log", Err("'b.log' is no place for studies: say database, or journal:PATH"));
        let other =
            "'prices.csv' does not look like a journal: its name has to end with .journal or .log";
        check("journal:prices.csv", Err(other));
        let nothing = "'' does not look like a journal: its name has to end with .journal or .log";
        check("journal:", Err(nothing));
    }
}
