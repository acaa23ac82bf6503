//! From what the user typed to the files that are meant.

use std::fs;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::error::FeedError;

/// A format of files that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Delimited text.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// The exchange's bulletin, in its archive or out of it.
    Bulletin,
    /// Delimited text with corporate actions.
    Actions,
}

impl FileFormat {
    /// The extensions that its files have, without the point.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Csv | Self::Actions => &["csv"],
            Self::Parquet => &["parquet"],
            Self::Bulletin => &["zip", "csv"],
        }
    }
}

/// The files that `path` means, sorted and each once.
///
/// A file is itself, whatever its name; a folder is those of its direct children that have the
/// format's extension in any case and are not hidden; anything else with `*`, `?` or `[` is a
/// pattern and means the files that match it, hidden ones only when the pattern begins a name with
/// a point.
///
/// # Errors
///
/// [`FeedError`] when nothing is meant, or when the file system refuses.
pub fn discover(path: &str, format: FileFormat) -> Result<Vec<PathBuf>, FeedError> {
    let plain = Path::new(path);
    let mut files = if plain.is_dir() {
        children(plain, format)?
    } else if plain.exists() {
        vec![plain.to_owned()]
    } else if path.contains(['*', '?', '[']) {
        matches(path)?
    } else {
        return Err(FeedError::NoSuchPath(plain.to_owned()));
    };
    files.sort();
    files.dedup();
    Ok(files)
}

fn children(folder: &Path, format: FileFormat) -> Result<Vec<PathBuf>, FeedError> {
    let refused = |source| FeedError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let wanted = path.extension().is_some_and(|found| {
            format.extensions().iter().any(|known| found.eq_ignore_ascii_case(known))
        });
        if wanted && !hidden && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(FeedError::NoFiles { folder: folder.to_owned(), format });
    }
    Ok(files)
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>, FeedError> {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options)
        .map_err(|source| FeedError::Pattern { pattern: pattern.to_owned(), source })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| FeedError::Read {
            path: error.path().to_owned(),
            source: error.into(),
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(FeedError::NoMatch(pattern.to_owned()));
    }
    Ok(files)
}
