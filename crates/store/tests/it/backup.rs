//! Backups of either database: made while others write, read again, and taken apart.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bist_market::FixedClock;
use bist_store::{
    AuditFilter, Backup, BackupError, BackupFolder, BackupIdentities, BackupPlan, Existing, Place,
    Store, StoreError, unpack,
};
use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

use crate::home::is_on_postgres;
use crate::writer::{Writer, note, records_count};
use crate::{audit, store};

/// Where backups go, and what opens them.
struct Kept {
    _place: TempDir,
    folder: BackupFolder,
    identities: BackupIdentities,
}

impl Kept {
    fn new() -> Self {
        let place = TempDir::new().unwrap();
        let folder = BackupFolder::new(place.path().join("backups"));
        Self { _place: place, folder, identities: BackupIdentities::generate() }
    }

    fn plan(&self, second: i64) -> BackupPlan {
        let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
        let (recipients, clock) = (self.identities.recipients(), Arc::new(FixedClock(at)));
        BackupPlan { recipients, configuration: None, clock }
    }

    async fn make(&self, store: &Store, second: i64) -> Backup {
        store.create_backup(&self.folder, self.plan(second)).await.unwrap().0
    }

    fn file(&self, backup: &Backup) -> std::path::PathBuf {
        self.folder.file_of(&backup.name).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.folder.list().unwrap().into_iter().map(|backup| backup.name).collect()
    }
}

/// Restores into an empty directory, as a file of SQLite.
async fn restore(kept: &Kept, backup: &Backup, directory: &Path) -> Result<(), BackupError> {
    let place = Place::of(directory, &"sqlite:".parse().unwrap()).unwrap();
    place.check(Existing::Keep).await?;
    let unpacked = unpack(&kept.file(backup), &kept.identities, directory).await?;
    unpacked.put_in_place(&place, Existing::Keep).await.map(drop)
}

fn all_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn what_was_acknowledged_before_is_in_a_backup_that_is_made_while_others_write() {
    let (store, _home) = store().await;
    let audit = audit(&store).await;
    let kept = Kept::new();
    let writer = Writer::start(&store, &audit);
    let mut made = Vec::new();
    for second in 0..3 {
        let before = writer.has_written(5).await;
        made.push((before, kept.make(&store, second).await));
    }
    assert!(writer.stop().await > made[0].0, "it went on meanwhile");

    for (before, backup) in &made {
        let manifest = kept.folder.verify(&backup.name, &kept.identities).unwrap();
        let home = TempDir::new().unwrap();
        let directory = home.path().join("data");
        restore(&kept, backup, &directory).await.unwrap();
        let restored = Store::open(&directory).await.unwrap();
        let count = records_count(&restored).await;
        assert!(count >= *before, "{count} records of the {before} that were acknowledged");
        let verification = restored.verify_audit(&audit.key, &[]).await.unwrap();
        assert_eq!((verification.broken, verification.records_count), (None, count));
        assert_eq!(manifest.audit_root.as_deref(), Some(verification.root.to_string().as_str()));
        restored.close().await;
    }
    store.close().await;
}

#[tokio::test]
async fn a_restored_database_has_every_row_and_what_is_there_is_not_overwritten() {
    let (store, _home) = store().await;
    let audit = audit(&store).await;
    for number in 0..20 {
        store.put_on_record(&audit, note(number)).await.unwrap();
    }
    let kept = Kept::new();
    let backup = kept.make(&store, 0).await;
    let home = TempDir::new().unwrap();
    restore(&kept, &backup, home.path()).await.unwrap();
    let restored = Store::open(home.path()).await.unwrap();
    assert_eq!(restored.row_counts().await.unwrap(), store.row_counts().await.unwrap());
    let filter = AuditFilter::default();
    let records = store.audit_records(&filter, 100).await.unwrap();
    assert_eq!(restored.audit_records(&filter, 100).await.unwrap(), records);
    restored.close().await;

    let again = restore(&kept, &backup, home.path()).await;
    assert!(matches!(again, Err(BackupError::NotEmpty(_))), "{again:?}");
    let twice = store.create_backup(&kept.folder, kept.plan(0)).await;
    assert!(matches!(twice, Err(BackupError::Exists(_))), "{twice:?}");
    assert_eq!(kept.names(), [backup.name]);
    store.close().await;
}

#[tokio::test]
async fn a_database_that_is_open_is_not_replaced_and_one_that_is_not_is_moved_aside() {
    let (store, _home) = store().await;
    let audit = audit(&store).await;
    store.put_on_record(&audit, note(1)).await.unwrap();
    let kept = Kept::new();
    let backup = kept.make(&store, 0).await;
    store.close().await;

    let home = TempDir::new().unwrap();
    let place = Place::of(home.path(), &"sqlite:".parse().unwrap()).unwrap();
    let open = Store::open(home.path()).await.unwrap();
    let refused = place.check(Existing::Replace).await;
    assert!(matches!(refused, Err(BackupError::InUse(_))), "{refused:?}");
    open.standing().await.unwrap();
    open.close().await;
    place.check(Existing::Replace).await.unwrap();
    let unpacked = unpack(&kept.file(&backup), &kept.identities, home.path()).await.unwrap();
    let aside = unpacked.put_in_place(&place, Existing::Replace).await.unwrap();
    assert_eq!(aside.len(), 1, "{aside:?}");
    let restored = Store::open(home.path()).await.unwrap();
    assert_eq!(records_count(&restored).await, 1);
    restored.close().await;
    // What was there is a database still.
    let old = TempDir::new().unwrap();
    fs::rename(&aside[0], old.path().join("bist.sqlite")).unwrap();
    let old = Store::open(old.path()).await.unwrap();
    assert_eq!(records_count(&old).await, 0);
    old.close().await;

    // One that is damaged beyond opening can be replaced too.
    fs::write(home.path().join("bist.sqlite"), vec![7; 8192]).unwrap();
    let unpacked = unpack(&kept.file(&backup), &kept.identities, home.path()).await.unwrap();
    unpacked.put_in_place(&place, Existing::Replace).await.unwrap();
    let restored = Store::open(home.path()).await.unwrap();
    assert_eq!(records_count(&restored).await, 1);
    restored.close().await;
}

#[tokio::test]
async fn what_a_newer_program_has_added_is_in_a_backup_or_there_is_none() {
    let (store, home) = store().await;
    let mut raw = home.raw().await;
    raw.execute("CREATE TABLE of_later (id BIGINT PRIMARY KEY)").await.unwrap();
    raw.execute("INSERT INTO of_later VALUES (7)").await.unwrap();
    let checksum = if is_on_postgres() { "'\\x00'" } else { "x'00'" };
    raw.execute(format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of later', TRUE, {checksum}, 0)"
    ))
    .await
    .unwrap();
    raw.close().await;
    let kept = Kept::new();
    let made = store.create_backup(&kept.folder, kept.plan(0)).await;
    store.close().await;
    if is_on_postgres() {
        let error = made.unwrap_err();
        assert!(
            matches!(error, BackupError::Store(StoreError::NotCopied { newest: 9999, .. })),
            "{error}"
        );
        return;
    }
    let (backup, manifest) = made.unwrap();
    assert_eq!(manifest.schema_version, 9999);
    let home = TempDir::new().unwrap();
    restore(&kept, &backup, home.path()).await.unwrap();
    let url = format!("sqlite:{}", home.path().join("bist.sqlite").display());
    let mut restored = SqliteConnection::connect(&url).await.unwrap();
    let of_later = sqlx::query_scalar::<_, i64>("SELECT id FROM of_later");
    assert_eq!(of_later.fetch_one(&mut restored).await.unwrap(), 7);
    restored.close().await.unwrap();
}

#[tokio::test]
async fn what_is_not_the_backup_that_was_written_leaves_nothing_behind() {
    let (store, _home) = store().await;
    let kept = Kept::new();
    let backup = kept.make(&store, 0).await;
    store.close().await;
    let path = kept.file(&backup);
    let bytes = fs::read(&path).unwrap();
    let home = TempDir::new().unwrap();
    let directory = home.path().join("data");
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() / 2);
    let mut flipped = bytes.clone();
    flipped[bytes.len() - 5] ^= 1;
    for changed in [cut, flipped] {
        fs::write(&path, changed).unwrap();
        let refused = restore(&kept, &backup, &directory).await;
        assert!(matches!(refused, Err(BackupError::Damaged { .. })), "{refused:?}");
        assert_eq!(all_files(&directory), [".restore-work.lock"]);
        let noted = kept.folder.compare(&backup.name);
        assert!(matches!(noted, Err(BackupError::Damaged { .. })), "{noted:?}");
    }
    fs::write(&path, bytes).unwrap();
    let other = BackupIdentities::generate();
    let refused = unpack(&path, &other, &directory).await;
    assert!(matches!(refused, Err(BackupError::WrongKey(_))), "{refused:?}");
    assert_eq!(all_files(&directory), [".restore-work.lock"]);
    restore(&kept, &backup, &directory).await.unwrap();
}

#[tokio::test]
async fn leftovers_of_a_process_that_died_are_no_backups_and_go() {
    let (store, _home) = store().await;
    let kept = Kept::new();
    let work = kept.folder.path().join(".backup-work");
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join("bist.sqlite"), "half").unwrap();
    assert_eq!(kept.names(), Vec::<String>::new());
    let backup = kept.make(&store, 0).await;
    assert!(!work.exists());
    assert_eq!(kept.names(), std::slice::from_ref(&backup.name));
    kept.folder.remove(vec![backup.name]).await.unwrap();
    assert_eq!(all_files(kept.folder.path()), [".backup-work.lock"]);
    store.close().await;
}
