//! The copy of a database with which a generation begins: its file, and what its log has beside.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::frames::{Fault, Head, Position, is_still, page_size_of, read_after};
use crate::backup::error::BackupError;
use crate::db;

/// Bytes that are copied at once.
const COPY_BYTES: usize = 1 << 20;

/// Where the file says how large its pages are.
const PAGE_SIZE_AT: u64 = 16;

/// What was copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct BaseCopy {
    pub(super) page_size: u32,
    pub(super) pages_count: u32,
}

/// Writes the pages that `database` shows where its log `wal` stands by `head` to the new file `to`,
/// while others write. `is_folded` tells that all of the log was in the file when it stood there.
///
/// Whoever folds the log meanwhile goes no further than `head`, for what is read there is pinned; the
/// pages that are written to the file are the ones of frames that are laid over it here.
pub(super) fn copy(
    database: &Path,
    wal: &Path,
    head: &Head,
    is_folded: bool,
    to: &Path,
) -> Result<BaseCopy, Fault> {
    let unread = |error| BackupError::file(database, error);
    let unwritten = |error| BackupError::file(to, error);
    let file = db::open_never_closed(database).map_err(unread)?;
    let (page_size, pages_count) = if head.frames_count > 0 {
        (head.page_size, head.pages_count)
    } else {
        let mut told = [0; 2];
        file.read_exact_at(&mut told, PAGE_SIZE_AT).map_err(unread)?;
        let page_size = page_size_of(u16::from_be_bytes(told));
        let pages_count = file.metadata().map_err(unread)?.len() / u64::from(page_size.max(1));
        (page_size, u32::try_from(pages_count).unwrap_or(u32::MAX))
    };
    let mut newer = BTreeMap::new();
    if !is_folded {
        read_after(wal, &Position::BEGINNING, head, |page, at, _| {
            newer.insert(page, at);
            Ok(())
        })?;
    }
    let out = File::create_new(to).map_err(unwritten)?;
    let size_bytes = u64::from(pages_count) * u64::from(page_size);
    let mut chunk = vec![0; COPY_BYTES];
    let mut at = 0;
    while at < size_bytes {
        let count = usize::try_from(size_bytes - at).unwrap_or(COPY_BYTES).min(COPY_BYTES);
        // What the file does not reach yet is in the log.
        let found = read_at(&file, &mut chunk[..count], at).map_err(unread)?;
        chunk[found..count].fill(0);
        out.write_all_at(&chunk[..count], at).map_err(unwritten)?;
        at += count as u64;
    }
    if !newer.is_empty() {
        let unread = |error| BackupError::file(wal, error);
        let log = File::open(wal).map_err(unread)?;
        let mut bytes = vec![0; page_size as usize];
        for (page, at) in newer.iter().filter(|(page, _)| (1..=pages_count).contains(*page)) {
            log.read_exact_at(&mut bytes, *at).map_err(unread)?;
            let place = u64::from(page - 1) * u64::from(page_size);
            out.write_all_at(&bytes, place).map_err(unwritten)?;
        }
        if !is_still(wal, head).map_err(unread)? {
            return Err(Fault::Gap("the log began anew while it was copied".to_owned()));
        }
    }
    Ok(BaseCopy { page_size, pages_count })
}

/// Fills `bytes` with what `file` has at `at`, and says how many that are: fewer only at its end.
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    let mut found = 0;
    while found < bytes.len() {
        match file.read_at(&mut bytes[found..], at + found as u64) {
            Ok(0) => break,
            Ok(count) => found += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
