//! Files that somebody asked for: written whole or not at all, and over nothing unless told to.

use std::io;
use std::path::{Path, PathBuf};

use bist_store::write_whole;

pub use bist_store::Existing;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum OutFileError {
    /// The file is there already.
    #[error("the file {path} is there already; give another --out, or --force to replace it")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("the file {path} cannot be written: {source}; give another --out")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes the file `path` of what `write` writes.
pub(crate) fn write_out(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), OutFileError> {
    refuse_existing(path, existing)?;
    write_whole(path, existing, write).map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists {
            OutFileError::Exists { path }
        } else {
            OutFileError::Write { path, source }
        }
    })
}

/// Refuses a file that is to be kept before work is done for it.
pub(crate) fn refuse_existing(path: &Path, existing: Existing) -> Result<(), OutFileError> {
    match existing {
        Existing::Keep if path.exists() => Err(OutFileError::Exists { path: path.to_owned() }),
        Existing::Keep | Existing::Replace => Ok(()),
    }
}
