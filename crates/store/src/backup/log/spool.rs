//! The pages that changed since the last piece, each as it was last.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::backup::error::BackupError;

/// The number of a page before its bytes.
const NUMBER_LEN: usize = 4;

/// A file of pages, in the form of the entry of a segment: four bytes, the number of the page with its
/// highest byte first, and the page; each page once.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: File,
    /// The place of each page, in pages.
    places: BTreeMap<u32, u64>,
}

impl Spool {
    /// An empty one, in the new file `path`.
    pub(super) fn new(path: PathBuf) -> Result<Self, BackupError> {
        let failed = |error| BackupError::file(&path, error);
        let file = File::create_new(&path).map_err(failed)?;
        Ok(Self { path, file, places: BTreeMap::new() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Keeps `bytes` as the page `page`.
    pub(super) fn put(&mut self, page: u32, bytes: &[u8]) -> Result<(), BackupError> {
        let next = self.places.len() as u64;
        let place = *self.places.entry(page).or_insert(next);
        let entry = [&page.to_be_bytes()[..], bytes].concat();
        let written = self.file.write_all_at(&entry, place * entry.len() as u64);
        written.map_err(|error| BackupError::file(&self.path, error))
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) -> Result<(), BackupError> {
        self.places.clear();
        self.file.set_len(0).map_err(|error| BackupError::file(&self.path, error))
    }
}

/// Writes the pages in `pages`, which a spool wrote, to their places in `database`, and gives that the
/// size of `pages_count` pages.
///
/// # Errors
///
/// What the system says; [`io::ErrorKind::InvalidData`] of a file that is none of pages.
pub(super) fn apply(
    pages: &File,
    database: &File,
    page_size: u32,
    pages_count: u32,
) -> io::Result<()> {
    let mut entry = vec![0; NUMBER_LEN + page_size as usize];
    let size_bytes = pages.metadata()?.len();
    if size_bytes % entry.len() as u64 != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it ends within a page"));
    }
    let mut at = 0;
    while at < size_bytes {
        pages.read_exact_at(&mut entry, at)?;
        let (number, bytes) = entry.split_at(NUMBER_LEN);
        let page = u32::from_be_bytes([number[0], number[1], number[2], number[3]]);
        // A database that became smaller has no place for what it had behind its end.
        if (1..=pages_count).contains(&page) {
            database.write_all_at(bytes, u64::from(page - 1) * u64::from(page_size))?;
        }
        at += entry.len() as u64;
    }
    database.set_len(u64::from(pages_count) * u64::from(page_size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_page_is_what_is_written_and_nothing_behind_the_end() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut spool = Spool::new(folder.path().join("pages")).unwrap();
        assert!(spool.is_empty());
        for (page, fill) in [(2, 1), (1, 2), (2, 3), (7, 4)] {
            spool.put(page, &[fill; 512]).unwrap();
        }
        let path = folder.path().join("database");
        std::fs::write(&path, vec![9; 512 * 8]).unwrap();
        let database = File::options().write(true).open(&path).unwrap();
        apply(&File::open(spool.path()).unwrap(), &database, 512, 3).unwrap();
        let expected = [[2_u8; 512], [3; 512], [9; 512]].concat();
        assert!(std::fs::read(&path).unwrap() == expected);
        spool.clear().unwrap();
        assert_eq!((spool.is_empty(), spool.path().metadata().unwrap().len()), (true, 0));
        std::fs::write(spool.path(), [0; 100]).unwrap();
        let cut = apply(&File::open(spool.path()).unwrap(), &database, 512, 3).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::InvalidData);
    }
}
