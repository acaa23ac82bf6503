//! Shipping of SQLite's log: what was acknowledged before a look is in the pieces, while others write,
//! fold and truncate the log; and what is not what was written is refused.

use std::fs;
use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bist_market::FixedClock;
use bist_store::{
    BackupError, BackupFolder, BackupIdentities, BackupPlan, BackupTable, LogFollower, LogPlan,
    Ticked, Unpacked, unpack_log, verify_file,
};
use jiff::SignedDuration;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

use crate::home::is_on_postgres;
use crate::shipped_log::{ShippedLog, at};
use crate::store;
use crate::writer::{Writer, note};

/// A log that is shipped while a test goes on.
struct Shipped {
    log: ShippedLog,
    follower: LogFollower,
    written: u64,
}

impl Deref for Shipped {
    type Target = ShippedLog;

    fn deref(&self) -> &ShippedLog {
        &self.log
    }
}

impl Shipped {
    /// The log is folded above so many bytes.
    async fn new(folded_above_bytes: u64) -> Self {
        let log = ShippedLog::new().await;
        let follower = log.follow(folded_above_bytes).await;
        Self { log, follower, written: 0 }
    }

    /// Looks at the second `second`.
    async fn tick(&mut self, second: i64) -> Ticked {
        self.set_clock(second);
        self.follower.tick().await.unwrap()
    }

    /// Writes so many records.
    async fn write(&mut self, count: u64) {
        for _ in 0..count {
            self.written += 1;
            self.put_on_record(self.written).await;
        }
    }

    /// A generation with a base at second 0, and segments at 10, 20 and 30.
    async fn with_three_segments() -> Self {
        let mut shipped = Self::new(64 << 10).await;
        assert_eq!(shipped.tick(0).await, Ticked::Begun);
        for second in [10, 20, 30] {
            shipped.write(3).await;
            assert_eq!(shipped.tick(second).await, Ticked::Shipped);
        }
        shipped
    }

    /// The file of a piece of the only generation.
    fn piece(&self, name: &str) -> PathBuf {
        let names = self.names();
        assert_eq!(names.len(), 1, "{names:?}");
        self.piece_of(&names[0], name)
    }

    /// Takes the newest generation apart as it was at `second`.
    async fn taken_apart(&self, second: i64) -> Result<Unpacked, BackupError> {
        let names = self.names();
        let directory = self.place.path().join("restored");
        let taken = unpack_log(&self.folder, &names[0], at(second), &self.identities, &directory);
        Ok(taken.await?.expect("it began before"))
    }

    fn verify(&self) -> Result<u32, BackupError> {
        let name = self.names().remove(0);
        let verified = self.folder.verify_log(&name, &self.identities, at(99));
        verified.map(|verified| verified.pieces_count)
    }

    /// All tables of the database as it is now, as an ordinary backup counts them.
    async fn tables(&self) -> Vec<BackupTable> {
        let place = TempDir::new().unwrap();
        let folder = BackupFolder::new(place.path());
        self.store.create_backup(&folder, self.backup_plan(0)).await.unwrap().1.tables
    }

    fn wal_bytes(&self) -> u64 {
        fs::metadata(self.home.path().join("bist.sqlite-wal")).unwrap().len()
    }

    async fn raw(&self) -> SqliteConnection {
        let url = format!("sqlite:{}", self.home.path().join("bist.sqlite").display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    async fn close(self) {
        self.follower.close().await;
        self.log.store.close().await;
    }
}

#[tokio::test]
async fn every_look_is_restored_row_by_row_while_the_log_begins_anew_again_and_again() {
    if is_on_postgres() {
        return;
    }
    let mut shipped = Shipped::new(64 << 10).await;
    assert_eq!(shipped.tick(0).await, Ticked::Begun);
    let mut looks = vec![(0, shipped.tables().await)];
    for look in 1..=12 {
        shipped.write(20).await;
        // Whoever else folds the log, or reads it in another process, changes nothing.
        let mut raw = shipped.raw().await;
        let folded = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)");
        let folded = if look % 3 == 0 { folded.fetch_optional(&mut raw).await } else { Ok(None) };
        folded.unwrap();
        raw.close().await.unwrap();
        if look % 4 == 0 {
            let other = shipped.home.open().await;
            other.put_on_record(&shipped.audit, note(1_000)).await.unwrap();
            other.close().await;
        }
        assert_eq!(shipped.tick(look * 10).await, Ticked::Shipped, "look {look}");
        looks.push((look * 10, shipped.tables().await));
        assert_eq!(shipped.tick(look * 10 + 1).await, Ticked::Nothing, "look {look}");
    }
    assert!(shipped.wal_bytes() < (2 << 20), "it begins anew: {}", shipped.wal_bytes());
    assert_eq!(shipped.names().len(), 1, "without a gap");
    assert_eq!(shipped.verify().unwrap(), 13);
    for (second, tables) in looks {
        // Between this look and the next one, too.
        for second in [second, second + 9] {
            let unpacked = shipped.taken_apart(second).await.unwrap();
            assert_eq!(unpacked.manifest().tables, tables, "at {second}");
        }
    }
    shipped.close().await;
}

#[tokio::test]
async fn what_was_acknowledged_before_a_look_is_in_it_while_others_write() {
    if is_on_postgres() {
        return;
    }
    let mut shipped = Shipped::new(64 << 10).await;
    let writer = Writer::start(&shipped.store, &shipped.audit);
    let mut looks = Vec::new();
    for look in 0..10 {
        let before = writer.has_written(writer.acknowledged() + 5).await;
        shipped.tick(look * 10).await;
        looks.push((look * 10, before));
    }
    writer.stop().await;
    assert_eq!(shipped.names().len(), 1, "without a gap");
    let mut last = 0;
    for (second, before) in looks {
        let unpacked = shipped.taken_apart(second).await.unwrap();
        let count = shipped.records_in(&unpacked).await;
        assert!(count >= before.max(last), "{count} of {before} at {second}");
        last = count;
    }
    shipped.close().await;
}

#[tokio::test]
async fn a_log_that_began_anew_unseen_begins_a_generation_and_one_that_was_seen_goes_on() {
    if is_on_postgres() {
        return;
    }
    // Everything is folded with each look.
    let mut shipped = Shipped::new(0).await;
    assert_eq!(shipped.tick(0).await, Ticked::Begun);
    shipped.write(2).await;
    assert_eq!(shipped.tick(10).await, Ticked::Shipped);
    let mut raw = shipped.raw().await;
    let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
    let told: (i64, i64, i64) = sqlx::query_as(truncate).fetch_one(&mut raw).await.unwrap();
    assert_eq!(told.0, 0, "it was truncated");
    assert_eq!(shipped.tick(20).await, Ticked::Nothing);
    shipped.write(2).await;
    assert_eq!(shipped.tick(30).await, Ticked::Shipped);
    assert_eq!(shipped.names().len(), 1);
    for _ in 0..2 {
        let told: (i64, i64, i64) = sqlx::query_as(truncate).fetch_one(&mut raw).await.unwrap();
        assert_eq!(told.0, 0, "it was truncated");
    }
    raw.close().await.unwrap();
    shipped.write(2).await;
    assert_eq!(shipped.tick(40).await, Ticked::Begun);
    assert_eq!(shipped.names().len(), 2);
    let unpacked = shipped.taken_apart(99).await.unwrap();
    assert_eq!(shipped.records_in(&unpacked).await, shipped.written);
    drop(unpacked);
    // The one before shows what was before.
    let name = shipped.names().remove(1);
    let directory = shipped.place.path().join("before");
    let before = unpack_log(&shipped.folder, &name, at(99), &shipped.identities, &directory);
    let before = before.await.unwrap().unwrap();
    assert_eq!(shipped.records_in(&before).await, shipped.written - 2);
    shipped.close().await;
}

#[tokio::test]
async fn a_new_generation_begins_each_day_without_an_end_of_the_old_one() {
    if is_on_postgres() {
        return;
    }
    let mut shipped = Shipped::new(64 << 10).await;
    shipped.tick(0).await;
    let day = SignedDuration::from_hours(24).as_secs();
    shipped.write(1).await;
    assert_eq!(shipped.tick(day - 1).await, Ticked::Shipped);
    shipped.write(1).await;
    let mut ticked = shipped.tick(day).await;
    let mut second = day;
    while ticked != Ticked::Begun {
        shipped.write(1).await;
        second += 1;
        ticked = shipped.tick(second).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(shipped.names().len(), 2);
    shipped.write(1).await;
    assert_eq!(shipped.tick(second + 1).await, Ticked::Shipped);
    let unpacked = shipped.taken_apart(second + 1).await.unwrap();
    assert_eq!(shipped.records_in(&unpacked).await, shipped.written);
    drop(unpacked);
    shipped.close().await;
}

#[tokio::test]
async fn one_process_ships_to_a_folder_and_only_of_sqlite() {
    let (store, _home) = store().await;
    let place = TempDir::new().unwrap();
    let plan = LogPlan {
        folder: BackupFolder::new(place.path()),
        recipients: BackupIdentities::generate().recipients(),
        configuration: None,
        folded_above_bytes: 0,
    };
    let clock = || Arc::new(FixedClock(at(0)));
    let first = store.follow_log(plan.clone(), clock()).await;
    if is_on_postgres() {
        assert!(matches!(first, Err(BackupError::LogOfServer)), "{first:?}");
        return;
    }
    let first = first.unwrap();
    let second = store.follow_log(plan.clone(), clock()).await;
    assert!(matches!(second, Err(BackupError::Busy(_))), "{second:?}");
    // A backup is made beside.
    let recipients = plan.recipients.clone();
    let backup = BackupPlan { recipients, configuration: None, clock: clock() };
    store.create_backup(&plan.folder, backup).await.unwrap();
    first.close().await;
    store.follow_log(plan, clock()).await.unwrap().close().await;
    store.close().await;
}

/// That `refused` goes no further than `second`.
#[track_caller]
fn check_broken<T: std::fmt::Debug>(refused: Result<T, BackupError>, second: i64, what: &str) {
    match refused {
        Err(BackupError::LogBroken { until, .. }) => assert_eq!(until, at(second), "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn a_piece_that_is_missing_cut_off_or_another_is_refused_and_what_was_before_is_restored() {
    if is_on_postgres() {
        return;
    }
    let shipped = Shipped::with_three_segments().await;
    assert_eq!(shipped.verify().unwrap(), 4);
    let (first, second, third) =
        (shipped.piece("00000001"), shipped.piece("00000002"), shipped.piece("00000003"));
    let read = |path: &Path| fs::read(path).unwrap();
    let (one, two, three) = (read(&first), read(&second), read(&third));

    fs::remove_file(&second).unwrap();
    check_broken(shipped.verify(), 10, "missing");
    check_broken(shipped.taken_apart(30).await, 10, "missing");
    check_broken(shipped.taken_apart(15).await, 10, "missing");
    let unpacked = shipped.taken_apart(10).await.unwrap();
    assert_eq!(shipped.records_in(&unpacked).await, 3);
    drop(unpacked);

    fs::write(&second, &two[..two.len() / 2]).unwrap();
    check_broken(shipped.verify(), 10, "cut off");
    check_broken(shipped.taken_apart(30).await, 10, "cut off");
    fs::write(&second, &three).unwrap();
    fs::write(&third, &two).unwrap();
    check_broken(shipped.verify(), 10, "swapped");
    check_broken(shipped.taken_apart(30).await, 10, "swapped");
    fs::write(&second, &one).unwrap();
    check_broken(shipped.taken_apart(30).await, 10, "the one before");
    fs::write(&second, &two).unwrap();
    fs::remove_file(&third).unwrap();
    check_broken(shipped.verify(), 20, "the last one is missing");
    check_broken(shipped.taken_apart(30).await, 20, "the last one is missing");
    let unpacked = shipped.taken_apart(20).await.unwrap();
    assert_eq!(shipped.records_in(&unpacked).await, 6);
    drop(unpacked);
    fs::write(&third, &three).unwrap();
    assert_eq!(shipped.verify().unwrap(), 4);

    let other = BackupIdentities::generate();
    let (name, directory) = (shipped.names().remove(0), shipped.place.path().join("other"));
    let refused = unpack_log(&shipped.folder, &name, at(30), &other, &directory).await;
    assert!(matches!(refused, Err(BackupError::WrongKey(_))), "{refused:?}");
    let before = unpack_log(&shipped.folder, &name, at(-1), &shipped.identities, &directory).await;
    assert!(before.unwrap().is_none(), "it began later");
    shipped.close().await;
}

#[tokio::test]
async fn fifty_random_corruptions_of_a_generation_are_all_found() {
    if is_on_postgres() {
        return;
    }
    let shipped = Shipped::with_three_segments().await;
    let files = ["base", "00000001", "00000002", "00000003"].map(|name| shipped.piece(name));
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for number in 0..50 {
        let path = &files[number % files.len()];
        let whole = fs::read(path).unwrap();
        let mut changed = whole.clone();
        let place = rng.random_range(0..changed.len());
        changed[place] ^= 1 << rng.random_range(0..8);
        fs::write(path, &changed).unwrap();
        let refused = shipped.verify();
        assert!(
            matches!(
                refused,
                Err(BackupError::Damaged { .. }
                    | BackupError::LogBroken { .. }
                    | BackupError::WrongKey(_))
            ),
            "{number}: byte {place} of {}: {refused:?}",
            path.display()
        );
        fs::write(path, whole).unwrap();
    }
    assert_eq!(shipped.verify().unwrap(), 4);
    shipped.close().await;
}

#[tokio::test]
async fn a_base_is_a_backup_by_itself_and_a_segment_is_not() {
    if is_on_postgres() {
        return;
    }
    let shipped = Shipped::with_three_segments().await;
    let directory = shipped.place.path().join("base");
    let base = shipped.piece("base");
    verify_file(&base, &shipped.identities).unwrap();
    let unpacked = bist_store::unpack(&base, &shipped.identities, &directory).await.unwrap();
    assert_eq!(shipped.records_in(&unpacked).await, 0);
    drop(unpacked);
    let segment = shipped.piece("00000001");
    let refused = bist_store::unpack(&segment, &shipped.identities, &directory).await;
    assert!(matches!(refused, Err(BackupError::Damaged { .. })), "{refused:?}");
    shipped.close().await;
}

#[tokio::test]
async fn roots_of_the_audit_come_with_the_segment_after_they_were_noted() {
    if is_on_postgres() {
        return;
    }
    let mut shipped = Shipped::new(64 << 10).await;
    shipped.tick(0).await;
    let mut roots = fs::File::create(shipped.store.directory().join("audit-roots.log")).unwrap();
    writeln!(roots, "one").unwrap();
    shipped.write(1).await;
    shipped.tick(10).await;
    writeln!(roots, "two").unwrap();
    shipped.write(1).await;
    shipped.tick(20).await;
    for (second, expected) in [(0, None), (10, Some("one\n")), (20, Some("one\ntwo\n"))] {
        let unpacked = shipped.taken_apart(second).await.unwrap();
        let found = fs::read_to_string(unpacked.directory().join("audit-roots.log")).ok();
        assert_eq!(found.as_deref(), expected, "at {second}");
        let entries = unpacked.manifest().entries.iter();
        let named = entries.filter(|entry| entry.name == "audit-roots.log").count();
        assert_eq!(named, usize::from(expected.is_some()), "at {second}");
    }
    shipped.close().await;
}
