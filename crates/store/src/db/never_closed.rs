//! Files of SQLite that are read beside it, and are never closed.
//!
//! SQLite tells its processes of each other by locks on the database and on its wal-index. Closing any
//! handle of a file ends all locks that the process has on it (fcntl(2)), also those that SQLite took by
//! a handle of its own. So each file is opened once in a process, and stays open.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A file by its device and its number there, which belong to no other one while it is open.
type Identity = (u64, u64);

static OPEN: Mutex<BTreeMap<Identity, Arc<File>>> = Mutex::new(BTreeMap::new());

/// The file `path`, for reading. Another one under the name of one that is open is another file.
pub(crate) fn open(path: &Path) -> io::Result<Arc<File>> {
    let identity = |told: &Metadata| (told.dev(), told.ino());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = open.get(&identity(&std::fs::metadata(path)?)) {
        return Ok(Arc::clone(file));
    }
    let file = Arc::new(File::open(path)?);
    // One that took the name within this instant may be open too; that handle stays as well.
    std::mem::forget(open.insert(identity(&file.metadata()?), Arc::clone(&file)));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_opened_once_and_another_under_its_name_is_another() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let first = open(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &open(&path).unwrap()));
        std::fs::rename(&path, folder.path().join("aside")).unwrap();
        std::fs::write(&path, "two").unwrap();
        assert!(!Arc::ptr_eq(&first, &open(&path).unwrap()));
        assert!(Arc::ptr_eq(&first, &open(&folder.path().join("aside")).unwrap()));
    }
}
