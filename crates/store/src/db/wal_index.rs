//! The head of SQLite's wal-index: what its readers compare to see whether anything was committed.
//!
//! Asking SQLite itself (`PRAGMA data_version`) costs two turns between threads, for each request that
//! wants to know whether what was read before still holds. The same is said by 48 bytes of the file
//! beside the database that all its processes share, which every commit writes anew
//! (<https://www.sqlite.org/walformat.html>, section 2.1); reading them is one call of the system.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use super::never_closed;

/// The version of the format that has been in use since there are wal-indices.
const FORMAT: u32 = 3_007_000;

/// What one head takes, bytes. There are two of them, so that a reader sees when it has met a writer.
const HEAD_LEN: usize = 48;

/// Where a head says that it has been written.
const IS_INIT_AT: usize = 12;

/// The head of a wal-index, as one commit has left it.
pub(crate) type WalIndexHead = [u8; HEAD_LEN];

/// The wal-index of a database that stays open in this process as long as this is used.
#[derive(Debug)]
pub(crate) struct WalIndex(Arc<File>);

impl WalIndex {
    /// The wal-index of the database in the file `database`, to which a connection is open.
    pub(crate) fn open(database: &Path) -> io::Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        never_closed::open(Path::new(&path)).map(Self)
    }

    /// The head as it is; `None` while somebody writes it, and where it is of a format that is not known.
    pub(crate) fn head(&self) -> Option<WalIndexHead> {
        let mut both = [0; 2 * HEAD_LEN];
        self.0.read_exact_at(&mut both, 0).ok()?;
        let (head, copy) = both.split_first_chunk::<HEAD_LEN>()?;
        let format = head.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        let is_whole = head[..] == *copy && head[IS_INIT_AT] != 0 && format == Some(FORMAT);
        is_whole.then_some(*head)
    }
}
