//! A moment of a shipped log that is damaged: the refusal names the newest one that is whole, and that one is
//! restored, also by what is older than the damage.

use std::fs;
use std::ops::Deref;
use std::path::PathBuf;

use bist_store::{BackupError, BackupIdentities, ShownMoment, Ticked, unpack_moment};

use crate::home::is_on_postgres;
use crate::shipped_log::{ShippedLog, at};

/// Two generations: a base at the second 0 with segments at 10 and 20, and a base at 100 with segments at 110,
/// 120 and 130. Before each segment a record was written.
struct Generations {
    log: ShippedLog,
    /// Their names, the older one first.
    names: [String; 2],
}

impl Deref for Generations {
    type Target = ShippedLog;

    fn deref(&self) -> &ShippedLog {
        &self.log
    }
}

impl Generations {
    async fn new() -> Self {
        let log = ShippedLog::new().await;
        let mut number = 0;
        for seconds in [&[0, 10, 20][..], &[100, 110, 120, 130]] {
            let mut follower = log.follow(64 << 10).await;
            for second in seconds {
                let expected = if *second == seconds[0] {
                    Ticked::Begun
                } else {
                    number += 1;
                    log.put_on_record(number).await;
                    Ticked::Shipped
                };
                log.set_clock(*second);
                assert_eq!(follower.tick().await.unwrap(), expected, "at {second}");
            }
            follower.close().await;
        }
        let [newer, older]: [String; 2] = log.names().try_into().unwrap();
        Self { log, names: [older, newer] }
    }

    /// The file of a piece of the generation `index`.
    fn piece(&self, index: usize, name: &str) -> PathBuf {
        self.piece_of(&self.names[index], name)
    }

    /// Changes a byte in the middle of a piece.
    fn damage(&self, index: usize, name: &str) {
        let path = self.piece(index, name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    async fn back_up(&self, second: i64) -> String {
        self.store.create_backup(&self.folder, self.backup_plan(second)).await.unwrap().0.name
    }

    async fn shown(&self, second: i64) -> Result<ShownMoment, BackupError> {
        let directory = self.place.path().join("restored");
        unpack_moment(&self.folder, at(second), &self.identities, &directory).await
    }

    /// Shows that `shown` was taken from the generation `index`.
    #[track_caller]
    fn check(&self, shown: Result<ShownMoment, BackupError>, index: usize) -> ShownMoment {
        let shown = shown.unwrap();
        assert_eq!(shown.name, self.names[index]);
        shown
    }

    async fn close(self) {
        self.log.store.close().await;
    }
}

/// Shows that `refused` names the moment of `second`, and something damaged that is called so.
#[track_caller]
fn check_refused(refused: Result<ShownMoment, BackupError>, second: Option<i64>, damaged: &str) {
    let error = refused.unwrap_err();
    let told = error.to_string();
    assert!(told.contains(damaged), "{told}");
    assert!(!told.contains("--at"), "one advice, which is whoever asks: {told}");
    let BackupError::MomentDamaged { reachable, .. } = error else { panic!("{told}") };
    assert_eq!(reachable, second.map(at), "{told}");
    match reachable {
        Some(at) => assert!(told.ends_with(&format!("can be restored is {at}")), "{told}"),
        None => assert!(told.ends_with("nothing that is older can be restored either"), "{told}"),
    }
}

#[tokio::test]
async fn a_newest_base_that_is_damaged_leaves_what_is_older_and_says_up_to_when() {
    if is_on_postgres() {
        return;
    }
    let place = Generations::new().await;
    let shown = place.check(place.shown(999).await, 1);
    assert_eq!((place.records_in(&shown.unpacked).await, shown.damaged), (5, Vec::new()));
    drop(shown.unpacked);

    place.damage(1, "base");
    for second in [100, 115, 999] {
        check_refused(place.shown(second).await, Some(20), &place.names[1]);
    }
    // The moment that was named, and what is before the damage anyhow.
    for second in [20, 99] {
        let shown = place.check(place.shown(second).await, 0);
        assert_eq!(
            (place.records_in(&shown.unpacked).await, shown.damaged),
            (2, Vec::new()),
            "{second}"
        );
    }
    // A base that is gone is no generation that was never begun.
    fs::remove_file(place.piece(1, "base")).unwrap();
    check_refused(place.shown(999).await, Some(20), "base.tar.zst.age is missing");

    place.damage(0, "00000001");
    check_refused(place.shown(999).await, Some(0), &place.names[0]);
    place.damage(0, "base");
    check_refused(place.shown(999).await, None, &place.names[0]);
    place.close().await;
}

#[tokio::test]
async fn a_piece_in_the_middle_that_is_missing_leaves_what_was_before_it() {
    if is_on_postgres() {
        return;
    }
    let place = Generations::new().await;
    fs::remove_file(place.piece(1, "00000002")).unwrap();
    for second in [115, 130, 999] {
        check_refused(place.shown(second).await, Some(110), "00000002.tar.zst.age is missing");
    }
    let shown = place.check(place.shown(110).await, 1);
    assert_eq!((place.records_in(&shown.unpacked).await, shown.damaged), (3, Vec::new()));
    drop(shown.unpacked);
    // Of one that is older nothing is missed by who asks for what is newer.
    fs::remove_file(place.piece(0, "00000001")).unwrap();
    check_refused(place.shown(50).await, Some(0), "00000001.tar.zst.age is missing");
    place.check(place.shown(110).await, 1);
    place.close().await;
}

#[tokio::test]
async fn a_moment_that_something_whole_shows_is_taken_although_a_newer_log_is_damaged() {
    if is_on_postgres() {
        return;
    }
    let place = Generations::new().await;
    let backup = place.back_up(105).await;
    place.damage(1, "base");
    check_refused(place.shown(999).await, Some(105), &place.names[1]);
    let shown = place.shown(105).await.unwrap();
    assert_eq!(shown.name, backup);
    assert_eq!(shown.damaged.len(), 1, "{:?}", shown.damaged);
    assert!(shown.damaged[0].contains(&place.names[1]), "{:?}", shown.damaged);
    place.close().await;
}

#[tokio::test]
async fn another_identity_and_a_moment_before_everything_are_told_as_such() {
    if is_on_postgres() {
        return;
    }
    let place = Generations::new().await;
    let (other, directory) = (BackupIdentities::generate(), place.place.path().join("other"));
    let refused = unpack_moment(&place.folder, at(999), &other, &directory).await;
    assert!(matches!(refused, Err(BackupError::WrongKey(_))), "{refused:?}");
    match place.shown(-1).await {
        Err(BackupError::NothingSoOld { earliest, .. }) => assert_eq!(earliest, Some(at(0))),
        other => panic!("{other:?}"),
    }
    place.close().await;
}
