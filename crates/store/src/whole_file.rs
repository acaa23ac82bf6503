//! Files that are there whole or not at all, also after a power cut.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written.
    Keep,
    /// The new one takes its place.
    Replace,
}

/// Who may read a new file, where the system knows such a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileMode {
    /// Whom the user's mask lets, as any other file.
    Usual,
    /// Its owner and nobody else.
    Private,
}

/// Writes `bytes` to `path`: they are on the disk, in the folder too, when this returns.
///
/// # Errors
///
/// What the system says, [`io::ErrorKind::AlreadyExists`] of a file that is to be kept; what was at
/// `path` is there as before then.
pub fn write_whole(
    path: &Path,
    bytes: &[u8],
    existing: Existing,
    mode: FileMode,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Its name is its own, so that two processes may write the same file at once.
    let mut builder = tempfile::Builder::new();
    builder.suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = match mode {
            FileMode::Usual => 0o666,
            FileMode::Private => 0o600,
        };
        // What the user's mask leaves of it.
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let mut part = builder.tempfile_in(folder)?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    match existing {
        Existing::Keep => part.persist_noclobber(path),
        Existing::Replace => part.persist(path),
    }
    .map_err(|error| error.error)?;
    // Only Unix lets a folder be opened and synced.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
