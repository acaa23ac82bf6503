//! A store whose log is shipped to a folder of backups, at times that a test sets, and what is found in what is
//! restored of it.

use std::path::PathBuf;
use std::sync::Arc;

use bist_market::FixedClock;
use bist_store::{
    Audit, BackupFolder, BackupIdentities, BackupPlan, LogFollower, LogPlan, Store, Unpacked,
};
use bist_testkit::hand_clock::HandClock;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::home::Home;
use crate::writer::{note, records_count};
use crate::{audit, store};

/// The instant that is so many seconds after the beginning of a test.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// The store, where its log is shipped to, and what opens that.
pub(crate) struct ShippedLog {
    pub(crate) store: Store,
    pub(crate) home: Home,
    pub(crate) audit: Audit,
    /// Room for what is restored.
    pub(crate) place: TempDir,
    pub(crate) folder: BackupFolder,
    pub(crate) identities: BackupIdentities,
    clock: Arc<HandClock>,
}

impl ShippedLog {
    pub(crate) async fn new() -> Self {
        let (store, home) = store().await;
        let audit = audit(&store).await;
        let place = TempDir::new().unwrap();
        let folder = BackupFolder::new(place.path().join("backups"));
        let (identities, clock) = (BackupIdentities::generate(), Arc::new(HandClock::new(at(0))));
        Self { store, home, audit, place, folder, identities, clock }
    }

    /// Begins to follow the log, which is folded above so many bytes.
    pub(crate) async fn follow(&self, folded_above_bytes: u64) -> LogFollower {
        let plan = LogPlan {
            folder: self.folder.clone(),
            recipients: self.identities.recipients(),
            configuration: None,
            folded_above_bytes,
        };
        self.store.follow_log(plan, self.clock.clone()).await.unwrap()
    }

    /// From now on it is the second `second`.
    pub(crate) fn set_clock(&self, second: i64) {
        self.clock.set_to(at(second));
    }

    /// Writes the record `number`.
    pub(crate) async fn put_on_record(&self, number: u64) {
        self.store.put_on_record(&self.audit, note(number)).await.unwrap();
    }

    /// What a backup of the second `second` is made with.
    pub(crate) fn backup_plan(&self, second: i64) -> BackupPlan {
        let (recipients, clock) = (self.identities.recipients(), Arc::new(FixedClock(at(second))));
        BackupPlan { recipients, configuration: None, clock }
    }

    /// The names of the generations, the newest first.
    pub(crate) fn names(&self) -> Vec<String> {
        self.folder.logs().unwrap().into_iter().map(|log| log.name).collect()
    }

    /// The file of the piece `name` of `generation`.
    pub(crate) fn piece_of(&self, generation: &str, name: &str) -> PathBuf {
        let folder = self.folder.path().join("log").join(generation);
        folder.join(format!("{name}.tar.zst.age"))
    }

    /// How many records the audit of `unpacked` has, all of which are right.
    pub(crate) async fn records_in(&self, unpacked: &Unpacked) -> u64 {
        let restored = Store::open(unpacked.directory()).await.unwrap();
        let verification = restored.verify_audit(&self.audit.key, &[]).await.unwrap();
        let count = records_count(&restored).await;
        restored.close().await;
        assert_eq!((verification.broken, verification.records_count), (None, count));
        count
    }
}
