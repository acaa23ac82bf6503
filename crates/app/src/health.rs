//! How this process and what it stands on are: the checks of `/health/ready` and of `bist doctor`.

mod probe;

use std::path::Path;
use std::time::Duration;

use bist_market::breaker::BreakerState;
use bist_store::DatabaseStanding;
use jiff::{SignedDuration, Timestamp};

use crate::{App, blocking};

pub use probe::{ProbeError, probe};

/// Below so many free bytes nothing more is taken in: a transaction and a model need room.
const DISK_FREE_MIN: u64 = 64 << 20;

/// Below so many free bytes somebody should make room.
const DISK_FREE_WANTED: u64 = 1 << 30;

/// By how much two clocks may differ.
const CLOCKS_APART_MAX: SignedDuration = SignedDuration::from_secs(5);

/// How well something works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// As it should.
    Well,
    /// Not as it should, and the process goes on without: slower, or with what it knew before.
    Degraded,
    /// Not at all.
    Failed,
}

/// How one thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What was looked at: `database`, `migrations`, `disk`, `clock`, `backups`, `recovery_point`, or
    /// something outside as [`App::outside`] names it.
    pub name: String,
    /// Whether it is outside of this process and can be done without.
    pub is_outside: bool,
    /// How it is.
    pub condition: Condition,
    /// What was seen; for everybody's eyes, so without addresses, paths and names.
    pub found: String,
    /// What failed, as the log says it.
    pub cause: Option<String>,
    /// What to do when it is not well.
    pub advice: &'static str,
}

impl HealthCheck {
    /// A check of what this process cannot do without.
    pub fn of(name: &str, (condition, found): (Condition, String), advice: &'static str) -> Self {
        Self { name: name.to_owned(), is_outside: false, condition, found, cause: None, advice }
    }

    /// The same of what is outside and can be done without.
    fn outside(self) -> Self {
        Self { is_outside: true, ..self }
    }

    /// The same with what failed.
    #[must_use]
    pub fn caused_by(self, cause: Option<String>) -> Self {
        Self { cause, ..self }
    }
}

impl App {
    /// Looks at everything that this process stands on.
    pub async fn health(&self) -> Vec<HealthCheck> {
        let asked_at = self.now();
        let standing = self.store.standing().await;
        let answered_at = self.now();
        // Asked here too, for nothing else may ask of a process that waits for work.
        if let Some(redis) = self.redis()
            && let Err(error) = redis.ping().await
        {
            tracing::debug!(%error, "Redis does not answer: {error}");
        }
        let answers = match &standing {
            Ok(_) => (Condition::Well, "it answers".to_owned()),
            Err(_) => (Condition::Failed, "it does not answer; the log says why".to_owned()),
        };
        let mut checks = vec![HealthCheck::of(
            "database",
            answers,
            "start it, or correct database_url; with SQLite, see that the data directory can be read",
        )
        .caused_by(standing.as_ref().err().map(ToString::to_string))];
        if let Ok(standing) = &standing {
            checks.push(HealthCheck::of(
                "migrations",
                migrations(standing),
                "start this program again, which brings older tables up to date; for newer ones take the \
                 newer program",
            ));
            let own = (asked_at, answered_at);
            checks.push(HealthCheck::of(
                "clock",
                clock(standing, own),
                "set the clock of this machine by NTP: codes, sessions and schedules go by it",
            ));
        }
        let directory = self.directory().to_owned();
        checks.push(HealthCheck::of(
            "disk",
            blocking(move || disk(&directory)).await,
            "make room where the data directory is: old backups, or other files",
        ));
        checks.extend(self.outside().into_iter().map(|part| {
            let advice = "see that it runs and can be reached; the log has the last failure";
            let cause = match &part.breaker {
                BreakerState::Open { last, .. } => Some(last.clone()),
                BreakerState::Closed { .. } | BreakerState::HalfOpen => None,
            };
            HealthCheck::of(&part.name, outside(&part.breaker), advice).caused_by(cause).outside()
        }));
        checks.extend(self.backups_health().await);
        checks.extend(self.recovery_point_health().await);
        checks
    }

    /// The same of a log that is not shipped any more.
    async fn recovery_point_health(&self) -> Option<HealthCheck> {
        let (found, cause) = match self.recovery_point().await? {
            Ok(found) => (found, None),
            Err(error) => {
                let found = "the shipped log cannot be looked at".to_owned();
                ((Condition::Degraded, found), Some(error.to_string()))
            }
        };
        let advice = "see that `bist serve` runs and has room where the backups are; its log says why \
                      the log of the database is not shipped";
        Some(HealthCheck::of("recovery_point", found, advice).caused_by(cause).outside())
    }

    /// That there is no new backup hinders nobody, and somebody has to be told.
    async fn backups_health(&self) -> Option<HealthCheck> {
        let state = self.backups_state().await;
        let cause = state.as_ref().err().map(ToString::to_string);
        let found = match state {
            Ok(state) if !state.is_enabled => return None,
            Ok(state) if state.is_overdue => {
                (Condition::Degraded, "the newest is too old".to_owned())
            }
            Ok(_) => (Condition::Well, "the newest is young enough".to_owned()),
            Err(_) => (Condition::Degraded, "they cannot be looked at".to_owned()),
        };
        let advice = "see why by `bist jobs list backup`, and make one by `bist backup create`";
        Some(HealthCheck::of("backups", found, advice).caused_by(cause).outside())
    }
}

fn migrations(standing: &DatabaseStanding) -> (Condition, String) {
    let DatabaseStanding { migration, migration_known, migration_min, .. } = standing;
    if migration < migration_known {
        let found = format!("the tables are at {migration}, and {migration_known} is needed");
        return (Condition::Failed, found);
    }
    let own = format!("and this program knows them up to {migration_known}");
    if migration_min > migration_known {
        let found = format!("the tables need a program that knows {migration_min}, {own}");
        return (Condition::Failed, found);
    }
    if migration > migration_known {
        let found = format!("the tables are at {migration}, made by a newer program, {own}");
        return (Condition::Degraded, found);
    }
    (Condition::Well, format!("the tables are at {migration}"))
}

/// Compares the clock of this machine, before and after the database was asked, with that of the database,
/// and with what was recorded before.
fn clock(standing: &DatabaseStanding, own: (Timestamp, Timestamp)) -> (Condition, String) {
    let (before, after) = own;
    let apart = standing.clock.map(|theirs| {
        // Theirs was read in between.
        theirs.duration_since(after).max(before.duration_since(theirs)).max(SignedDuration::ZERO)
    });
    let back = standing.newest_record_at.map(|newest| newest.duration_since(after));
    let back = back.filter(|back| *back > CLOCKS_APART_MAX);
    match (apart.filter(|apart| *apart > CLOCKS_APART_MAX), back) {
        (Some(apart), _) => {
            let found = format!("it and that of the database are {} s apart", apart.as_secs());
            (Condition::Degraded, found)
        }
        (None, Some(back)) => {
            let found = format!("it stands {} s before the newest record", back.as_secs());
            (Condition::Degraded, found)
        }
        (None, None) => (Condition::Well, "it agrees with what it was compared with".to_owned()),
    }
}

/// The room where the data directory is, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// What this process may still take.
    pub free: u64,
    /// All there is.
    pub size: u64,
}

impl DiskSpace {
    /// The room where `directory` is; `None` where the system does not say.
    #[cfg(unix)]
    pub fn at(directory: &Path) -> Option<Self> {
        let told = rustix::fs::statvfs(directory).ok()?;
        Some(Self { free: told.f_bavail * told.f_frsize, size: told.f_blocks * told.f_frsize })
    }

    /// Other systems are not asked.
    #[cfg(not(unix))]
    pub fn at(_: &Path) -> Option<Self> {
        None
    }
}

fn disk(directory: &Path) -> (Condition, String) {
    let Some(DiskSpace { free, .. }) = DiskSpace::at(directory) else {
        return (Condition::Well, "the system does not tell how much room there is".to_owned());
    };
    let condition = if free < DISK_FREE_MIN {
        Condition::Failed
    } else if free < DISK_FREE_WANTED {
        Condition::Degraded
    } else {
        Condition::Well
    };
    (condition, format!("{} MiB are free", free >> 20))
}

/// What is known of something outside, without the text of its last failure, which may name an address.
fn outside(breaker: &BreakerState) -> (Condition, String) {
    match breaker {
        BreakerState::Closed { failures_count: 0 } => {
            (Condition::Well, "it is asked as usual".to_owned())
        }
        BreakerState::Closed { failures_count } => {
            let found = format!("it failed {failures_count} times in a row and is asked as usual");
            (Condition::Well, found)
        }
        BreakerState::HalfOpen => {
            let found = "it failed too often; one request is on its way to see whether it is back";
            (Condition::Degraded, found.to_owned())
        }
        BreakerState::Open { retry_in, .. } => {
            let wait = retry_in.max(&Duration::from_secs(1)).as_secs();
            (Condition::Degraded, format!("it failed too often; it is asked again in {wait} s"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const STANDING: DatabaseStanding = DatabaseStanding {
        migration: 21,
        migration_known: 21,
        migration_min: 21,
        clock: None,
        newest_record_at: None,
    };

    #[test]
    fn tables_that_are_too_old_fail_and_newer_ones_only_where_they_need_a_newer_program() {
        assert_eq!(migrations(&STANDING).0, Condition::Well);
        let (condition, found) = migrations(&DatabaseStanding { migration: 20, ..STANDING });
        assert_eq!(condition, Condition::Failed);
        assert_eq!(found, "the tables are at 20, and 21 is needed");
        let (condition, found) = migrations(&DatabaseStanding { migration: 22, ..STANDING });
        assert_eq!(condition, Condition::Degraded);
        assert_eq!(
            found,
            "the tables are at 22, made by a newer program, and this program knows them up to 21"
        );
        let taken_away = DatabaseStanding { migration: 23, migration_min: 22, ..STANDING };
        let (condition, found) = migrations(&taken_away);
        assert_eq!(condition, Condition::Failed);
        assert_eq!(
            found,
            "the tables need a program that knows 22, and this program knows them up to 21"
        );
    }

    #[test]
    fn a_clock_is_compared_with_the_databases_and_with_what_was_recorded() {
        let own = (at("2026-11-30T10:00:00Z"), at("2026-11-30T10:00:02Z"));
        let with = |clock: &str| DatabaseStanding { clock: Some(at(clock)), ..STANDING };
        for fine in ["2026-11-30T10:00:01Z", "2026-11-30T10:00:07Z", "2026-11-30T09:59:55Z"] {
            assert_eq!(clock(&with(fine), own).0, Condition::Well, "{fine}");
        }
        for (apart, told) in [("2026-11-30T10:00:08Z", 6), ("2026-11-30T09:59:50Z", 10)] {
            let (condition, found) = clock(&with(apart), own);
            assert_eq!(condition, Condition::Degraded);
            assert_eq!(found, format!("it and that of the database are {told} s apart"));
        }
        let recorded =
            DatabaseStanding { newest_record_at: Some(at("2026-11-30T10:01:02Z")), ..STANDING };
        assert_eq!(
            clock(&recorded, own),
            (Condition::Degraded, "it stands 60 s before the newest record".to_owned())
        );
    }

    #[test]
    fn what_is_left_alone_is_told_without_its_last_failure() {
        let open = BreakerState::Open {
            retry_in: Duration::from_millis(200),
            last: "10.0.0.7 refused".to_owned(),
        };
        let (condition, found) = outside(&open);
        assert_eq!(condition, Condition::Degraded);
        assert_eq!(found, "it failed too often; it is asked again in 1 s");
        assert_eq!(outside(&BreakerState::Closed { failures_count: 2 }).0, Condition::Well);
        assert_eq!(outside(&BreakerState::HalfOpen).0, Condition::Degraded);
    }

    #[test]
    fn a_disk_has_room() {
        let directory = tempfile::tempdir().unwrap();
        let space = DiskSpace::at(directory.path()).unwrap();
        assert!(space.free <= space.size && space.size > 0);
        let (_, found) = disk(directory.path());
        assert!(found.ends_with(" MiB are free"), "{found}");
    }
}
