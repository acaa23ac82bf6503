//! Putting a database together again: the base of a generation, and its segments up to a moment.

use std::fs::File;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::chain::{Chain, ReadPiece};
use super::spool::apply;
use crate::artifacts::on_disk;
use crate::backup::archive::Source;
use crate::backup::error::BackupError;
use crate::backup::folder::BackupFolder;
use crate::backup::keys::BackupIdentities;
use crate::backup::manifest::{ARTIFACTS, BackupEntry, DATABASE, PAGES};
use crate::backup::restore::{Unpacked, is_ours};
use crate::backup::work::{Purpose, Work};

/// Where a segment is taken apart.
const SEGMENT: &str = "segment";

/// Takes the generation `name` of `backups` apart below `directory`, which is made if need be, as it was
/// at `at`: the newest of its pieces that shows nothing after that. `None` when it began later.
///
/// # Errors
///
/// As [`unpack`](crate::backup::unpack); [`BackupError::LogBroken`] when a piece before that moment is
/// missing or not what was written.
pub async fn unpack_log(
    backups: &BackupFolder,
    name: &str,
    at: Timestamp,
    identities: &BackupIdentities,
    directory: &Path,
) -> Result<Option<Unpacked>, BackupError> {
    let work = Work::begin(directory, Purpose::TakingApart).await?;
    let (backups, identities, name) = (backups.clone(), identities.clone(), name.to_owned());
    let taken = on_disk(move || take_apart(&backups, &name, at, &identities, work));
    let Some(mut unpacked) = taken.await? else { return Ok(None) };
    unpacked.count().await?;
    Ok(Some(unpacked))
}

fn take_apart(
    backups: &BackupFolder,
    name: &str,
    at: Timestamp,
    identities: &BackupIdentities,
    work: Work,
) -> Result<Option<Unpacked>, BackupError> {
    let to = work.path().to_owned();
    let failed = |source| BackupError::file(&to, source);
    let segment = to.join(SEGMENT);
    for folder in [to.join(ARTIFACTS), segment.join(ARTIFACTS)] {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut chain = Chain::of(backups, name)?;
    let base = chain.read(identities, |entry| take(entry, is_ours(&entry.name), &to, name))?;
    let base = base.ok_or_else(|| BackupError::NoSuchBackup(name.to_owned()))?;
    if base.at.shown_until > at {
        return Ok(None);
    }
    let mut manifest = base.manifest;
    let database = to.join(DATABASE);
    let pages = File::options().write(true).open(&database).map_err(failed)?;
    while !chain.has_reached(at) {
        let taker = |entry: &BackupEntry| {
            let may_be = entry.name == PAGES || (is_ours(&entry.name) && entry.name != DATABASE);
            take(entry, may_be, &segment, name)
        };
        let Some(ReadPiece { manifest: read, at: piece }) = chain.read(identities, taker)? else {
            chain.end()?;
            break;
        };
        if piece.shown_until > at {
            break;
        }
        let changed = File::open(segment.join(PAGES)).map_err(failed)?;
        apply(&changed, &pages, piece.page_size, piece.pages_count).map_err(failed)?;
        for entry in read.entries {
            let from = segment.join(&entry.name);
            if entry.name == PAGES {
                std::fs::remove_file(from).map_err(failed)?;
                continue;
            }
            std::fs::rename(from, to.join(&entry.name)).map_err(failed)?;
            manifest.entries.retain(|known| known.name != entry.name);
            manifest.entries.push(entry);
        }
        manifest.created_at = read.created_at;
        manifest.missing_artifacts = read.missing_artifacts;
        manifest.log = Some(piece);
    }
    drop(pages);
    std::fs::remove_dir_all(&segment).map_err(failed)?;
    let whole = Source::of(DATABASE, database).map_err(failed)?.entry;
    for entry in &mut manifest.entries {
        if entry.name == DATABASE {
            *entry = whole.clone();
        }
        let file = File::open(to.join(&entry.name)).and_then(|file| file.sync_all());
        file.map_err(failed)?;
    }
    Ok(Some(Unpacked { work, manifest }))
}

/// The file in `folder` that an entry of the log `name` is written to; what was left there by a piece that
/// did not count is written over.
fn take(entry: &BackupEntry, may_be: bool, folder: &Path, name: &str) -> Result<File, BackupError> {
    if !may_be {
        return Err(BackupError::Damaged {
            backup: name.to_owned(),
            reason: format!("'{}' is nothing that belongs into it", entry.name),
        });
    }
    let path = folder.join(&entry.name);
    let file = File::create(&path);
    file.map_err(|source: io::Error| BackupError::file(&path, source))
}
