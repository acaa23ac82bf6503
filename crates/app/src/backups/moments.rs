//! Which moments can be gone back to by the shipped log.

use bist_store::{BackupError, LogNote};
use jiff::{SignedDuration, Timestamp};

use crate::{App, blocking};

/// So much may be missing between two generations as between two looks: a process began anew.
const GAP_MAX: SignedDuration = SignedDuration::from_secs(60);

/// The moments that a shipped log has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSpan {
    /// The earliest one after which nothing is missing.
    pub from: Timestamp,
    /// The newest one.
    pub to: Timestamp,
    /// When it was last looked whether anything was written; everything before is in it.
    pub looked_at: Timestamp,
}

impl LogSpan {
    /// What the generations have of which `notes` tell, the newest first: up to its end, and back to the
    /// first gap.
    fn of(notes: &[LogNote]) -> Option<Self> {
        let (newest, older) = notes.split_first()?;
        let mut from = newest.from;
        for note in older {
            if from.duration_since(note.looked_at) > GAP_MAX {
                break;
            }
            from = from.min(note.from);
        }
        let looked_at = newest.looked_at;
        Some(Self { from, to: newest.until.max(looked_at), looked_at })
    }
}

impl App {
    /// The moments that can be gone back to by the shipped log, as it tells of itself without being
    /// opened; `None` where it is not shipped, and before anything was.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when the folder cannot be read.
    pub async fn log_span(&self) -> Result<Option<LogSpan>, BackupError> {
        if self.backups.ship_every.is_none() {
            return Ok(None);
        }
        let folder = self.backup_folder();
        let notes = blocking(move || folder.log_notes()).await?;
        Ok(LogSpan::of(&notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// The note of a generation, by the seconds of its moments.
    fn note(from: i64, until: i64, looked_at: i64) -> LogNote {
        LogNote {
            from: at(from),
            until: at(until),
            looked_at: at(looked_at),
            newest: 1,
            newest_sha256: String::new(),
            verified_at: None,
        }
    }

    #[track_caller]
    fn check(notes: &[LogNote], expected: Option<[i64; 3]>) {
        let expected = expected.map(|[from, to, looked_at]| LogSpan {
            from: at(from),
            to: at(to),
            looked_at: at(looked_at),
        });
        assert_eq!(LogSpan::of(notes), expected);
    }

    #[test]
    fn a_log_reaches_from_the_last_gap_to_its_last_look() {
        check(&[], None);
        // What was looked at is in it, whether there was anything to write or not.
        check(&[note(5, 30, 200)], Some([5, 200, 200]));
        // The look that wrote its newest piece was over later than it began.
        check(&[note(5, 31, 30)], Some([5, 31, 30]));
        // The next day began while the one before was followed; a restart took a minute.
        let days = [note(300, 400, 400), note(200, 240, 240), note(5, 205, 205)];
        check(&days, Some([5, 400, 400]));
        // It took a second longer, and nobody knows what was written then.
        let gap = [note(301, 400, 400), note(200, 240, 240), note(5, 205, 205)];
        check(&gap, Some([301, 400, 400]));
    }
}
