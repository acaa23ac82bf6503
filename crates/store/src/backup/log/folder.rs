//! The folder of shipped logs: a folder for each generation, with its base, its segments and a note.

use std::cmp::Reverse;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::chain::Chain;
use crate::backup::error::BackupError;
use crate::backup::folder::{ARCHIVE_SUFFIX, BackupFolder, moment_of, name_of};
use crate::backup::keys::BackupIdentities;
use crate::whole_file::{Existing, write_whole};

/// The folder of logs in the folder of backups, and what their objects in a bucket begin with.
pub(in crate::backup) const LOGS: &str = "log";

/// What the base of a generation is called.
const BASE: &str = "base";

/// The note in the folder of a generation.
const NOTE: &str = "note.json";

/// A generation is kept for so long after the next one has begun.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(48);

/// So many of the newest stay, however old they are.
const KEPT_MIN: usize = 2;

/// What is known of a generation without opening it; it lies beside its pieces and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNote {
    /// The first moment that can be restored.
    pub from: Timestamp,
    /// The moment of its newest piece.
    pub until: Timestamp,
    /// When it was last looked whether anything was written; everything before is in it.
    pub looked_at: Timestamp,
    /// The number of its newest piece.
    pub newest: u32,
    /// The SHA-256 of that, as hexadecimal digits.
    pub newest_sha256: String,
    /// When all of its pieces were read last, and were right.
    pub verified_at: Option<Timestamp>,
}

/// A generation that has a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGeneration {
    /// The name of its folder.
    pub name: String,
    /// When it began, in whole seconds.
    pub begun_at: Timestamp,
    /// How many pieces there are, the base among them.
    pub pieces_count: usize,
    /// The bytes of their files.
    pub size_bytes: u64,
    /// What was noted of it; `None` where the note is gone, as of one that was brought from elsewhere.
    pub note: Option<LogNote>,
}

impl LogGeneration {
    /// The first moment that can be restored of it, as far as that is known without opening it.
    pub fn first_moment(&self) -> Timestamp {
        self.note.as_ref().map_or(self.begun_at, |note| note.from)
    }
}

/// A generation of which every piece was read and is what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedLog {
    /// The generation.
    pub log: String,
    /// How many pieces there are.
    pub pieces_count: u32,
    /// The first moment that can be restored.
    pub from: Timestamp,
    /// The moment of its newest piece.
    pub until: Timestamp,
}

impl BackupFolder {
    /// All generations that have a piece, the newest first; one whose base is gone is damaged, and not
    /// one that was never begun.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`] when the folder cannot be read; that it is not there is no error.
    pub fn logs(&self) -> Result<Vec<LogGeneration>, BackupError> {
        let mut logs = Vec::new();
        for name in self.generation_names()? {
            let Some(begun_at) = generation_moment(&name) else { continue };
            let folder = self.generation_folder(&name);
            let (mut pieces_count, mut size_bytes) = (0, 0);
            for (path, _) in pieces_in(&folder)? {
                let failed = |source| BackupError::file(&path, source);
                size_bytes += path.metadata().map_err(failed)?.len();
                pieces_count += 1;
            }
            if pieces_count == 0 {
                continue;
            }
            let note = read_note(&folder);
            logs.push(LogGeneration { name, begun_at, pieces_count, size_bytes, note });
        }
        logs.sort_by_key(|log| Reverse(log.begun_at));
        Ok(logs)
    }

    /// When it was last looked whether anything was written that is to be shipped; everything before is
    /// in the folder.
    ///
    /// # Errors
    ///
    /// As [`Self::logs`].
    pub fn log_looked_at(&self) -> Result<Option<Timestamp>, BackupError> {
        let notes = self.generation_names()?;
        let notes = notes.iter().filter_map(|name| read_note(&self.generation_folder(name)));
        Ok(notes.map(|note| note.looked_at).max())
    }

    /// What is noted of the generations, the newest first; those without a note are left out.
    ///
    /// # Errors
    ///
    /// As [`Self::logs`].
    pub fn log_notes(&self) -> Result<Vec<LogNote>, BackupError> {
        let names = self.generation_names()?;
        let notes = names.iter().filter_map(|name| read_note(&self.generation_folder(name)));
        let mut notes: Vec<LogNote> = notes.collect();
        notes.sort_by_key(|note| Reverse(note.from));
        Ok(notes)
    }

    /// Reads every piece of the generation `name` without writing anything of it, and notes that it was
    /// right at `now`.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when it is not what was written, or a piece is missing.
    pub fn verify_log(
        &self,
        name: &str,
        identities: &BackupIdentities,
        now: Timestamp,
    ) -> Result<VerifiedLog, BackupError> {
        let mut chain = Chain::of(self, name)?;
        let mut from = None;
        while let Some(piece) = chain.read(identities, |_| Ok(io::sink()))? {
            from.get_or_insert(piece.at.shown_until);
        }
        let until = chain.end()?;
        self.note_log(name, |note| note.verified_at = Some(now))?;
        Ok(VerifiedLog {
            log: name.to_owned(),
            pieces_count: chain.read_count(),
            from: from.unwrap_or(until),
            until,
        })
    }

    /// Changes what is noted of the generation `name`, if anything is.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`] when the note cannot be written.
    pub fn note_log(
        &self,
        name: &str,
        change: impl FnOnce(&mut LogNote),
    ) -> Result<(), BackupError> {
        let folder = self.generation_folder(name);
        let Some(mut note) = read_note(&folder) else { return Ok(()) };
        change(&mut note);
        write_note(&folder, &note)
    }

    /// The files of the pieces of all generations, each with what it is called in a bucket, the oldest
    /// first.
    pub(in crate::backup) fn log_pieces(&self) -> Result<Vec<(String, PathBuf)>, BackupError> {
        let mut names = self.generation_names()?;
        names.sort();
        let mut pieces = Vec::new();
        for name in names {
            for (path, number) in pieces_in(&self.generation_folder(&name))? {
                pieces.push((format!("{LOGS}/{name}/{}", piece_name(number)), path));
            }
        }
        Ok(pieces)
    }

    /// Removes the generations that are not to be kept at `now`; returns their names.
    pub(super) fn remove_old_logs(&self, now: Timestamp) -> Result<Vec<String>, BackupError> {
        let old = expired(self.generation_names()?, now);
        for name in &old {
            let folder = self.generation_folder(name);
            std::fs::remove_dir_all(&folder)
                .map_err(|source| BackupError::file(&folder, source))?;
        }
        Ok(old)
    }

    /// Where the pieces of the generation `name` are.
    pub(super) fn generation_folder(&self, name: &str) -> PathBuf {
        self.logs_folder().join(name)
    }

    /// Where all generations are.
    pub(super) fn logs_folder(&self) -> PathBuf {
        self.path().join(LOGS)
    }

    /// The names of all generations, also of those that were not begun to the end.
    fn generation_names(&self) -> Result<Vec<String>, BackupError> {
        let names = names_in(&self.logs_folder())?;
        Ok(names.into_iter().filter(|name| generation_moment(name).is_some()).collect())
    }
}

/// The generations of `names` that are not to be kept at `now`. One ends where the next one begins.
pub(in crate::backup) fn expired(names: Vec<String>, now: Timestamp) -> Vec<String> {
    let begun = names.into_iter().filter_map(|name| Some((generation_moment(&name)?, name)));
    let mut begun: Vec<(Timestamp, String)> = begun.collect();
    begun.sort();
    let ends: Vec<Timestamp> = begun.iter().skip(1).map(|(at, _)| *at).collect();
    let may_go = begun.len().saturating_sub(KEPT_MIN);
    let old = begun.into_iter().zip(ends).take(may_go);
    let old = old.filter(|(_, end)| now.duration_since(*end) > KEPT_FOR);
    old.map(|((_, name), _)| name).collect()
}

/// The files of the pieces in the folder of a generation, with their numbers, in their order.
pub(super) fn pieces_in(folder: &Path) -> Result<Vec<(PathBuf, u32)>, BackupError> {
    let names = names_in(folder)?;
    let pieces = names.iter().filter_map(|name| Some((folder.join(name), number_of(name)?)));
    let mut pieces: Vec<(PathBuf, u32)> = pieces.collect();
    pieces.sort_by_key(|(_, number)| *number);
    Ok(pieces)
}

/// The names in `folder`; none where it is not there.
fn names_in(folder: &Path) -> Result<Vec<String>, BackupError> {
    let failed = |source| BackupError::file(folder, source);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let name = |entry: io::Result<std::fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned()).map_err(failed)
    };
    entries.map(name).collect()
}

/// What is noted in the folder of a generation; a note that cannot be read is as good as none.
pub(super) fn read_note(folder: &Path) -> Option<LogNote> {
    serde_json::from_slice(&std::fs::read(folder.join(NOTE)).ok()?).ok()
}

pub(super) fn write_note(folder: &Path, note: &LogNote) -> Result<(), BackupError> {
    let path = folder.join(NOTE);
    let text = serde_json::to_vec_pretty(note).map_err(io::Error::from);
    let written =
        text.and_then(|text| write_whole(&path, Existing::Replace, |file| file.write_all(&text)));
    written.map_err(|source| BackupError::file(&path, source))
}

/// What the generation that begins at `at` is called.
pub(super) fn generation_of(at: Timestamp) -> String {
    let name = name_of(at);
    name.strip_suffix(ARCHIVE_SUFFIX).unwrap_or(&name).to_owned()
}

/// The moment in the name of a generation; `None` for any other text.
pub fn generation_moment(name: &str) -> Option<Timestamp> {
    moment_of(&format!("{name}{ARCHIVE_SUFFIX}"))
}

/// What the piece `number` of a generation is called.
pub(super) fn piece_name(number: u32) -> String {
    if number == 0 {
        format!("{BASE}{ARCHIVE_SUFFIX}")
    } else {
        format!("{number:08}{ARCHIVE_SUFFIX}")
    }
}

/// The number of the piece that is called `name`; `None` for any other file.
fn number_of(name: &str) -> Option<u32> {
    let text = name.strip_suffix(ARCHIVE_SUFFIX)?;
    let number = if text == BASE { 0 } else { text.parse().ok()? };
    // What could be written in two ways is no name.
    (piece_name(number) == name).then_some(number)
}

/// The generation in the name of the object of a piece in a bucket; `None` for any other one.
pub(in crate::backup) fn generation_in(object: &str) -> Option<&str> {
    let (generation, piece) = object.strip_prefix(LOGS)?.strip_prefix('/')?.split_once('/')?;
    number_of(piece)?;
    generation_moment(generation).map(|_| generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_generation_and_number_and_nothing_else_is_one() {
        let at: Timestamp = "2026-11-30T20:56:44.5Z".parse().unwrap();
        let name = generation_of(at);
        assert_eq!(name, "bist-20261130T205644Z");
        assert_eq!(generation_moment(&name).unwrap().to_string(), "2026-11-30T20:56:44Z");
        assert_eq!(piece_name(0), "base.tar.zst.age");
        assert_eq!(piece_name(7), "00000007.tar.zst.age");
        for (name, number) in [
            ("base.tar.zst.age", Some(0)),
            ("00000007.tar.zst.age", Some(7)),
            ("123456789.tar.zst.age", Some(123_456_789)),
            ("00000000.tar.zst.age", None),
            ("7.tar.zst.age", None),
            ("note.json", None),
        ] {
            assert_eq!(number_of(name), number, "{name}");
        }
        let object = "log/bist-20261130T205644Z/00000007.tar.zst.age";
        assert_eq!(generation_in(object), Some("bist-20261130T205644Z"));
        for other in ["log/x/00000007.tar.zst.age", "log/bist-20261130T205644Z/note.json", "log"] {
            assert_eq!(generation_in(other), None, "{other}");
        }
    }

    #[test]
    fn a_generation_goes_two_days_after_the_next_one_began_and_the_newest_two_stay() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let hours_ago = |hours| generation_of(now - SignedDuration::from_hours(hours));
        let ages = [10, 34, 47, 49, 60, 84];
        let names: Vec<String> = ages.into_iter().map(hours_ago).collect();
        // The one of 60 hours ended 49 hours ago, the one of 49 hours 47 hours ago.
        assert_eq!(expired(names, now), [hours_ago(84), hours_ago(60)]);
        let old = vec![hours_ago(500), hours_ago(400), hours_ago(300)];
        assert_eq!(expired(old, now), [hours_ago(500)]);
        assert_eq!(expired(vec![hours_ago(500), hours_ago(400)], now), Vec::<String>::new());
        assert_eq!(expired(vec!["other".to_owned()], now), Vec::<String>::new());
    }
}
