//! Files that are there whole or not at all, also after a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written.
    Keep,
    /// The new one takes its place.
    Replace,
}

/// Makes the file `path` of what `write` writes: it is on the disk, in the folder too, when this
/// returns. What is written is not buffered.
///
/// # Errors
///
/// What `write` gives and what the system says, [`io::ErrorKind::AlreadyExists`] of a file that is to
/// be kept; what was at `path` is there as before then.
pub fn write_whole(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    // As any other file, what the user's mask leaves of it.
    write_as(path, existing, 0o666, write)
}

/// Makes a new file `path` of `bytes`, which only its owner may read where the system knows such a
/// thing; one that is there stays.
///
/// # Errors
///
/// As [`write_whole`].
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_as(path, Existing::Keep, 0o600, |file| file.write_all(bytes))
}

fn write_as(
    path: &Path,
    existing: Existing,
    mode: u32,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
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
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut part = builder.tempfile_in(folder)?;
    write(part.as_file_mut())?;
    part.as_file().sync_all()?;
    match existing {
        Existing::Keep => part.persist_noclobber(path),
        Existing::Replace => part.persist(path),
    }
    .map_err(|error| error.error)?;
    // Only Unix lets a folder be opened and synced.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
