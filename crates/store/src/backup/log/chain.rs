//! The pieces of a generation, read one after the other: each must be the one that follows.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;

use super::folder::{piece_name, pieces_in, read_note};
use crate::backup::archive::{self, Hashed};
use crate::backup::error::BackupError;
use crate::backup::folder::BackupFolder;
use crate::backup::keys::BackupIdentities;
use crate::backup::manifest::{BackupEntry, BackupManifest, LogPiece};

/// A generation that is being read.
#[derive(Debug)]
pub(super) struct Chain {
    folder: PathBuf,
    generation: String,
    /// The number of the piece that is read next.
    next: u32,
    /// The highest number that is there.
    last: u32,
    /// The piece that was read last, and the SHA-256 of its archive.
    read: Option<(LogPiece, String)>,
}

/// A piece that was read and is the one that follows.
#[derive(Debug)]
pub(super) struct ReadPiece {
    pub(super) manifest: BackupManifest,
    pub(super) at: LogPiece,
}

impl Chain {
    /// The generation `name` of `backups`, before its base.
    pub(super) fn of(backups: &BackupFolder, name: &str) -> Result<Self, BackupError> {
        let folder = backups.generation_folder(name);
        let last = pieces_in(&folder)?.last().map(|(_, number)| *number);
        let last = last.ok_or_else(|| BackupError::NoSuchBackup(name.to_owned()))?;
        Ok(Self { folder, generation: name.to_owned(), next: 0, last, read: None })
    }

    /// Whether it was read up to the moment `at`, so that a later piece shows what was after it.
    pub(super) fn has_reached(&self, at: Timestamp) -> bool {
        self.read.as_ref().is_some_and(|(piece, _)| piece.shown_until >= at)
    }

    /// How many pieces were read.
    pub(super) const fn read_count(&self) -> u32 {
        self.next
    }

    /// The file of the piece that is read next.
    fn next_name(&self) -> String {
        format!("{}/{}", self.generation, piece_name(self.next))
    }

    /// Reads the next piece, from its first to its last byte, and gives each entry to what `taker` makes
    /// for it; `None` at the end.
    ///
    /// What was given to the takers is right only when this returns.
    pub(super) fn read<T: Write>(
        &mut self,
        identities: &BackupIdentities,
        taker: impl FnMut(&BackupEntry) -> Result<T, BackupError>,
    ) -> Result<Option<ReadPiece>, BackupError> {
        if self.next > self.last {
            return Ok(None);
        }
        let path = self.folder.join(piece_name(self.next));
        let failed = |source| BackupError::file(&path, source);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.broken(format!("{} is missing", self.next_name())));
            }
            Err(error) => return Err(failed(error)),
        };
        let mut hashed = Hashed::new(io::sink());
        io::copy(&mut file, &mut hashed).map_err(failed)?;
        let sha256 = hashed.sha256();
        let file = File::open(&path).map_err(failed)?;
        let manifest = archive::read(file, &path, identities, taker);
        let manifest = manifest.map_err(|error| self.named(error))?;
        let Some(at) = manifest.log.clone().filter(|at| self.is_next(at)) else {
            return Err(self.broken(format!("{} is another piece", self.next_name())));
        };
        self.next += 1;
        self.read = Some((at.clone(), sha256));
        Ok(Some(ReadPiece { manifest, at }))
    }

    /// The moment of the last piece, when all pieces were read that were noted.
    pub(super) fn end(&self) -> Result<Timestamp, BackupError> {
        let note = read_note(&self.folder);
        match (&self.read, note) {
            (None, _) => Err(BackupError::NoSuchBackup(self.generation.clone())),
            (Some((piece, sha256)), Some(note)) => {
                if note.newest > piece.number {
                    Err(self.broken(format!("{} is missing", self.next_name())))
                } else if note.newest == piece.number && note.newest_sha256 != *sha256 {
                    let name = piece_name(piece.number);
                    Err(self.broken(format!("{name} is not the file that was noted")))
                } else {
                    Ok(piece.shown_until)
                }
            }
            (Some((piece, _)), None) => Ok(piece.shown_until),
        }
    }

    /// Whether `at` is the piece that follows the one that was read last.
    fn is_next(&self, at: &LogPiece) -> bool {
        let follows = match &self.read {
            None => at.previous_sha256.is_none(),
            Some((before, sha256)) => {
                at.previous_sha256.as_ref() == Some(sha256)
                    && at.page_size == before.page_size
                    && at.shown_from >= before.shown_from
            }
        };
        follows
            && at.generation == self.generation
            && at.number == self.next
            && (512..=65_536).contains(&at.page_size)
            && at.page_size.is_power_of_two()
    }

    /// That it goes on no further than it was read.
    pub(super) fn broken(&self, reason: String) -> BackupError {
        match &self.read {
            None => BackupError::Damaged { backup: self.generation.clone(), reason },
            Some((piece, _)) => BackupError::LogBroken {
                log: self.generation.clone(),
                reason,
                until: piece.shown_until,
            },
        }
    }

    /// The same error of the piece that is read next, which all generations call the same.
    fn named(&self, error: BackupError) -> BackupError {
        if let BackupError::Damaged { reason, .. } = error {
            self.broken(format!("{}: {reason}", self.next_name()))
        } else if let BackupError::WrongKey(_) = error {
            if self.read.is_some() {
                // It is for those for whom the pieces before it are, which were opened.
                return self.broken(format!("{}: its head is damaged", self.next_name()));
            }
            BackupError::WrongKey(self.next_name())
        } else {
            error
        }
    }
}
