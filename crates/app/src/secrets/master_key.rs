//! Where the master key comes from, and reading it there.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use bist_access::{MASTER_KEY_TEXT_BYTES_MAX, MasterKey, MasterKeyError};
use zeroize::Zeroizing;

use crate::blocking;

/// Where the master key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeySource {
    /// A file that only its owner may read.
    File(PathBuf),
    /// A file in the directory of credentials that systemd made for this service.
    Credential(PathBuf),
    /// A file descriptor that was left open for this process; 3 or more.
    Descriptor(u32),
    /// A program and its arguments; it writes the key to its standard output.
    Command(Vec<String>),
}

/// Why no master key was read. No message repeats what was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadKeyError {
    /// Others than the owner of the file may read or write it.
    #[error(
        "the master key file {path} may be read or written by others than its owner (mode {mode:03o}); \
         run `chmod 600 {path}`, and make a new key if anybody has read it"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Nothing can be read there.
    #[error("{from} cannot be read: {error}")]
    Read {
        /// Where.
        from: MasterKeySource,
        /// What the system said.
        error: io::Error,
    },
    /// The command ended badly.
    #[error("{from} was not written: it ended with {status}")]
    Failed {
        /// Which.
        from: MasterKeySource,
        /// How it ended.
        status: ExitStatus,
    },
    /// What is there is no key.
    #[error("{from} is refused: {error}")]
    NoKey {
        /// Where.
        from: MasterKeySource,
        /// Why.
        error: MasterKeyError,
    },
}

impl fmt::Display for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the master key file {}", path.display()),
            Self::Credential(path) => {
                write!(f, "the master key in the systemd credential {}", path.display())
            }
            Self::Descriptor(number) => write!(f, "the master key on the file descriptor {number}"),
            // Its arguments are its own affair.
            Self::Command(words) => {
                let program = words.first().map_or("", String::as_str);
                write!(f, "the master key of the command '{program}'")
            }
        }
    }
}

impl MasterKeySource {
    /// The file in which it is; `None` where that is no file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Credential(path) => Some(path),
            Self::Descriptor(_) | Self::Command(_) => None,
        }
    }

    /// Reads the key. A pipe gives it once only.
    ///
    /// # Errors
    ///
    /// [`ReadKeyError`] when there is none, or others may read it.
    pub async fn read(&self) -> Result<MasterKey, ReadKeyError> {
        let source = self.clone();
        blocking(move || source.read_now()).await
    }

    fn read_now(&self) -> Result<MasterKey, ReadKeyError> {
        let failed = |error| ReadKeyError::Read { from: self.clone(), error };
        let text = match self {
            Self::File(path) => {
                let file = File::open(path).map_err(failed)?;
                check_mode(path, &file.metadata().map_err(failed)?)?;
                bytes(file).map_err(failed)?
            }
            // systemd lets nobody else into its directory; the mode may show an access list.
            Self::Credential(path) => File::open(path).and_then(bytes).map_err(failed)?,
            Self::Descriptor(number) => {
                File::open(format!("/dev/fd/{number}")).and_then(bytes).map_err(failed)?
            }
            Self::Command(words) => {
                let (text, status) = output(words).map_err(failed)?;
                if !status.success() {
                    return Err(ReadKeyError::Failed { from: self.clone(), status });
                }
                text
            }
        };
        let refused = |error| ReadKeyError::NoKey { from: self.clone(), error };
        let text = std::str::from_utf8(&text).map_err(|_| refused(MasterKeyError::Form))?;
        MasterKey::parse(text).map_err(refused)
    }
}

/// Refuses a file that others than its owner may read or write.
#[cfg(unix)]
fn check_mode(path: &Path, metadata: &Metadata) -> Result<(), ReadKeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(ReadKeyError::OpenToOthers { path: path.to_owned(), mode })
    }
}

/// Other systems have no such permissions.
#[cfg(not(unix))]
fn check_mode(_: &Path, _: &Metadata) -> Result<(), ReadKeyError> {
    Ok(())
}

/// What can be read, up to a byte more than is looked at.
fn bytes(reader: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let bytes_max = MASTER_KEY_TEXT_BYTES_MAX + 1;
    // Large enough from the beginning, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * bytes_max));
    reader.take(bytes_max as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a program writes, and how it ends. It is asked nothing, and may complain on our standard
/// error.
fn output(words: &[String]) -> io::Result<(Zeroizing<Vec<u8>>, ExitStatus)> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let text = child.stdout.take().map(bytes).transpose();
    let status = child.wait()?;
    Ok((text?.unwrap_or_default(), status))
}
