//! Everything as it was at a moment: by whichever backup or shipped log shows most of what was before it.

use std::collections::BinaryHeap;
use std::path::Path;

use jiff::Timestamp;

use super::folder::LogGeneration;
use super::restore::unpack_log;
use crate::artifacts::on_disk;
use crate::backup::error::BackupError;
use crate::backup::folder::{Backup, BackupFolder};
use crate::backup::keys::BackupIdentities;
use crate::backup::restore::{Unpacked, unpack};

/// What there is of a moment, taken apart.
#[derive(Debug)]
pub struct ShownMoment {
    /// The backup, or the generation of a shipped log.
    pub name: String,
    /// What was found in it.
    pub unpacked: Unpacked,
    /// What was found damaged meanwhile; it could not have shown more.
    pub damaged: Vec<String>,
}

/// What may show a moment. The one that may show most is the greatest; of two that may show as much, a log,
/// and the newer one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// What was after this moment it does not show.
    until: Timestamp,
    kind: Kind,
    begun_at: Timestamp,
    name: String,
    /// The moment that is asked of it.
    asked: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Backup,
    Log,
}

/// Takes what `backups` has of the moment `at` apart below `directory`: the newest backup, or the newest
/// piece of a shipped log, that shows nothing after it.
///
/// Where something is damaged that may have shown more than what is whole, nothing is taken instead of it:
/// the refusal names the newest moment that is whole. Asked for that one, this takes it.
///
/// # Errors
///
/// [`BackupError::NothingSoOld`] when nothing shows that moment or one before it,
/// [`BackupError::MomentDamaged`] when what shows it is damaged, and as [`unpack`] for the rest.
pub async fn unpack_moment(
    backups: &BackupFolder,
    at: Timestamp,
    identities: &BackupIdentities,
    directory: &Path,
) -> Result<ShownMoment, BackupError> {
    let folder = backups.clone();
    let there = on_disk(move || Ok::<_, BackupError>((folder.logs()?, folder.list()?)));
    let (logs, archives) = there.await?;
    let mut candidates = candidates(&logs, &archives, at);
    let mut damages = Vec::new();
    while let Some(candidate) = candidates.pop() {
        let unpacked = match candidate.take_apart(backups, identities, directory).await {
            Ok(Some(unpacked)) => unpacked,
            Ok(None) => continue,
            Err(error) if is_damage(&error, backups) => {
                if let BackupError::LogBroken { until, .. } = &error {
                    // What is before the damage may be whole.
                    let (until, asked) = (*until, *until);
                    candidates.push(Candidate { until, asked, ..candidate.clone() });
                }
                damages.push((candidate.until, error));
                continue;
            }
            Err(error) => return Err(error),
        };
        let shown = candidate.shown_by(&unpacked);
        if candidates.peek().is_some_and(|other| other.until > shown) {
            // One of them is taken apart at a time.
            drop(unpacked);
            candidates.push(Candidate { until: shown, ..candidate });
            continue;
        }
        if damages.iter().any(|(until, _)| *until > shown) {
            return Err(damaged(at, &damages, Some(shown)));
        }
        let damaged = damages.iter().map(|(_, error)| told(error)).collect();
        return Ok(ShownMoment { name: candidate.name, unpacked, damaged });
    }
    if damages.is_empty() {
        let logs = logs.iter().map(LogGeneration::first_moment);
        let moments = logs.chain(archives.iter().map(|backup| backup.created_at));
        return Err(BackupError::NothingSoOld { at, earliest: moments.min() });
    }
    let is_wrong_key = |(_, error): &(_, BackupError)| matches!(error, BackupError::WrongKey(_));
    if damages.iter().all(is_wrong_key) {
        // Rather the identity than all of them.
        let (_, error) = damages.swap_remove(0);
        return Err(error);
    }
    Err(damaged(at, &damages, None))
}

/// What may show the moment `at`, of generations and backups, each the newest first.
fn candidates(logs: &[LogGeneration], archives: &[Backup], at: Timestamp) -> BinaryHeap<Candidate> {
    let mut candidates = BinaryHeap::new();
    let mut next_begins = None;
    for log in logs {
        let noted = log.note.as_ref().map(|note| note.until);
        // A generation goes on until the next one has begun; a note may be older than the pieces.
        let until = next_begins.map_or(at, |next: Timestamp| noted.map_or(next, |at| at.max(next)));
        next_begins = Some(log.first_moment());
        if log.first_moment() <= at {
            candidates.push(Candidate {
                until: until.min(at),
                kind: Kind::Log,
                begun_at: log.begun_at,
                name: log.name.clone(),
                asked: at,
            });
        }
    }
    for backup in archives.iter().filter(|backup| backup.created_at <= at) {
        candidates.push(Candidate {
            until: backup.created_at,
            kind: Kind::Backup,
            begun_at: backup.created_at,
            name: backup.name.clone(),
            asked: at,
        });
    }
    candidates
}

impl Candidate {
    async fn take_apart(
        &self,
        backups: &BackupFolder,
        identities: &BackupIdentities,
        directory: &Path,
    ) -> Result<Option<Unpacked>, BackupError> {
        match self.kind {
            Kind::Log => unpack_log(backups, &self.name, self.asked, identities, directory).await,
            Kind::Backup => {
                let path = backups.file_of(&self.name)?;
                unpack(&path, identities, directory).await.map(Some)
            }
        }
    }

    /// The moment that `unpacked` shows, which was made of this.
    fn shown_by(&self, unpacked: &Unpacked) -> Timestamp {
        unpacked.manifest().log.as_ref().map_or(self.until, |piece| piece.shown_until)
    }
}

/// Whether `error` is about what lies in `backups`, and another backup or log may be whole.
fn is_damage(error: &BackupError, backups: &BackupFolder) -> bool {
    if let BackupError::File { path, .. } = error {
        return path.starts_with(backups.path());
    }
    matches!(
        error,
        BackupError::Damaged { .. } | BackupError::LogBroken { .. } | BackupError::WrongKey(_)
    )
}

fn damaged(
    at: Timestamp,
    damages: &[(Timestamp, BackupError)],
    reachable: Option<Timestamp>,
) -> BackupError {
    let damage: Vec<String> = damages.iter().map(|(_, error)| told(error)).collect();
    BackupError::MomentDamaged { at, damage: damage.join("; "), reachable }
}

/// What is damaged, without what is told to do about it where it stands alone.
fn told(error: &BackupError) -> String {
    if let BackupError::LogBroken { log, reason, .. } = error {
        format!("the shipped log {log} is not what was written: {reason}")
    } else if let BackupError::Damaged { backup, reason } = error {
        format!("{backup} is not the backup that was written: {reason}")
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::{LogNote, generation_of};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// A generation that begins at a second and has a note of what it shows, if any.
    fn log(begun: i64, noted: Option<(i64, i64)>) -> LogGeneration {
        let note = noted.map(|(from, until)| LogNote {
            from: at(from),
            until: at(until),
            looked_at: at(until),
            newest: 1,
            newest_sha256: String::new(),
            verified_at: None,
        });
        let (name, begun_at) = (generation_of(at(begun)), at(begun));
        LogGeneration { name, begun_at, pieces_count: 2, size_bytes: 0, note }
    }

    fn backup(second: i64) -> Backup {
        let created_at = at(second);
        Backup { name: second.to_string(), created_at, size_bytes: 0, note: None }
    }

    /// The order in which they are looked at, by when they began and what they may show.
    #[track_caller]
    fn check(logs: &[LogGeneration], backups: &[i64], asked: i64, expected: &[(i64, i64)]) {
        let backups: Vec<Backup> = backups.iter().copied().map(backup).collect();
        let mut candidates = candidates(logs, &backups, at(asked));
        let mut found = Vec::new();
        while let Some(Candidate { begun_at, until, .. }) = candidates.pop() {
            found.push((begun_at.as_second() - at(0).as_second(), until));
        }
        let expected: Vec<(i64, Timestamp)> =
            expected.iter().map(|(begun, until)| (*begun, at(*until))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_may_show_most_of_what_was_before_a_moment_is_looked_at_first() {
        // The older one went on while the base of the newer one was written.
        let logs = [log(100, Some((103, 190))), log(0, Some((1, 105)))];
        check(&logs, &[150, 50], 200, &[(100, 200), (150, 150), (0, 105), (50, 50)]);
        // A log before a backup that shows as much, and nothing that begins later.
        check(&logs, &[150, 50], 104, &[(100, 104), (0, 104), (50, 50)]);
        check(&logs, &[102], 102, &[(0, 102), (102, 102)]);
        check(&logs, &[], 0, &[]);
        // What was brought from elsewhere has no notes.
        let logs = [log(100, None), log(0, None)];
        check(&logs, &[50], 200, &[(100, 200), (0, 100), (50, 50)]);
    }
}
