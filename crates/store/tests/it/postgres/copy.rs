//! Moving everything to PostgreSQL and back.

use bist_lifecycle::study::{NewTrial, StudyDirection, StudyStorage as _};
use bist_market::Origin;
use bist_store::{AuditFilter, DatabaseStudies, Store, StoreError};
use jiff::Timestamp;
use jiff::civil::date;
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::database;
use crate::home::open;
use crate::{audit, bar, batch, only_received};

/// A store with something in tables of every kind, and more bars than are read at once.
async fn filled(folder: &TempDir) -> Store {
    let store = open(folder.path(), "sqlite:").await;
    let first = date(1990, 1, 1);
    let bars = (0..9_000).map(|day| bar(first.saturating_add(jiff::Span::new().days(day)), day));
    store.ingest(&batch(Origin::Market, "a.csv", "THYAO", bars.collect())).await.unwrap();
    audit(&store).await;
    let studies = store.clone();
    let runtime = Handle::current();
    let fill = move || {
        let studies = DatabaseStudies::new(studies, runtime);
        let study = studies.create_study("ışık", &[StudyDirection::Minimize]).unwrap();
        studies.create_trial(study, NewTrial::Running, Timestamp::UNIX_EPOCH).unwrap();
    };
    tokio::task::spawn_blocking(fill).await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_moved_to_postgresql_answers_the_same_and_comes_back_the_same() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    let from = filled(&folder).await;
    let to = open(folder.path(), &database.url()).await;
    let mut told = Vec::new();
    let moved = from.copy_to(&to, |table| told.push(table.clone())).await.unwrap();
    assert_eq!(moved, told);
    let rows = |name| moved.iter().find(|table| table.name == name).unwrap().rows_count;
    assert_eq!((rows("bars"), rows("studies"), rows("audit_head")), (9_000, 1, 1));
    assert_eq!(from.row_counts().await.unwrap(), to.row_counts().await.unwrap());

    let (before, after) = (only_received(&from, "THYAO").await, only_received(&to, "THYAO").await);
    assert_eq!(before.series.bars, after.series.bars, "the adjusted close too, bit for bit");
    assert_eq!(from.generation().await.unwrap(), to.generation().await.unwrap());
    let all = AuditFilter::default();
    assert_eq!(
        from.audit_records(&all, 99).await.unwrap(),
        to.audit_records(&all, 99).await.unwrap()
    );
    assert_eq!(from.sealed_secrets().await.unwrap(), to.sealed_secrets().await.unwrap());

    let again = TempDir::new().unwrap();
    let back = open(again.path(), "sqlite:").await;
    assert_eq!(to.copy_to(&back, |_| ()).await.unwrap(), moved, "the hashes too");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_moved_into_a_database_that_holds_something() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let from = filled(&one).await;
    let to = open(other.path(), "sqlite:").await;
    audit(&to).await;
    let before = to.row_counts().await.unwrap();
    let error = from.copy_to(&to, |_| ()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty("secrets")), "{error}");
    assert_eq!(to.row_counts().await.unwrap(), before);
}
