//! Everything in the place of everything that is there, while others read and write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bist_access::{AuditAction, AuditRoot};
use bist_market::Origin;
use bist_store::{AuditFilter, AuditNote, Store};
use jiff::civil::date;
use tempfile::TempDir;

use crate::home::open;
use crate::{audit, bar, batch, store};

fn note(action: AuditAction, number: u64) -> AuditNote {
    AuditNote::new(action, format!("number:{number}"), [])
}

/// Puts `number` on record.
async fn record(store: &Store, number: u64) {
    let audit = audit(store).await;
    store.put_on_record(&audit, note(AuditAction::AuditExported, number)).await.unwrap();
}

/// The numbers on record, in their order.
async fn recorded(store: &Store) -> Vec<u64> {
    let records = store.audit_records(&AuditFilter::default(), 10_000).await.unwrap();
    let number = |subject: &str| subject.strip_prefix("number:").unwrap().parse().unwrap();
    records.iter().rev().map(|record| number(&record.subject)).collect()
}

/// How many rows some tables have, at one moment.
async fn rows(store: &Store) -> [u64; 3] {
    let counts = store.row_counts().await.unwrap();
    let of = |name: &str| counts.iter().find(|(table, _)| *table == name).unwrap().1;
    ["bars", "refused_rows", "ingests"].map(of)
}

async fn root(store: &Store) -> AuditRoot {
    store.audit_head().await.unwrap().unwrap().into()
}

/// A file of SQLite with other bars than [`fill`] brings, and the numbers 100 and 101.
async fn other(folder: &TempDir) -> Store {
    let other = open(folder.path(), "sqlite:").await;
    let bars = (0..5_000).map(|day| {
        let first = date(1990, 1, 1);
        bar(first.saturating_add(jiff::Span::new().days(day)), day)
    });
    other.ingest(&batch(Origin::Market, "b.csv", "GARAN", bars.collect())).await.unwrap();
    record(&other, 100).await;
    record(&other, 101).await;
    other
}

/// Fills `store` with a few bars and the numbers 0, 1 and 2.
async fn fill(store: &Store) {
    let bars = vec![bar(date(2026, 11, 20), 7), bar(date(2026, 11, 23), 8)];
    store.ingest(&batch(Origin::Market, "a.csv", "THYAO", bars)).await.unwrap();
    for number in 0..3 {
        record(store, number).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_sees_what_was_there_or_what_is_and_who_writes_goes_on_after_it() {
    let (store, home) = store().await;
    let folder = TempDir::new().unwrap();
    let other = other(&folder).await;
    fill(&store).await;
    let expected = BTreeSet::from([rows(&store).await, rows(&other).await]);
    let is_over = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn({
        let (store, is_over) = (store.clone(), Arc::clone(&is_over));
        async move {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::SeqCst) {
                seen.insert(rows(&store).await);
            }
            seen
        }
    });
    let writing = tokio::spawn({
        let (store, is_over) = (store.clone(), Arc::clone(&is_over));
        async move {
            let mut number = 3;
            while !is_over.load(Ordering::SeqCst) {
                record(&store, number).await;
                number += 1;
            }
            record(&store, number).await;
            number
        }
    });

    let replaced = store.replace_all(&other).await.unwrap();
    is_over.store(true, Ordering::SeqCst);
    let (seen, last) = (reading.await.unwrap(), writing.await.unwrap());
    assert!(seen.is_subset(&expected), "half of it was seen: {seen:?}");
    assert_eq!(replaced.iter().find(|table| table.name == "bars").unwrap().rows_count, 5_000);
    // What was written before it is gone, and what was written after it is all there.
    let numbers = recorded(&store).await;
    assert_eq!(numbers[..2], [100, 101]);
    let first = numbers[2];
    assert_eq!(numbers[2..], (first..=last).collect::<Vec<_>>());
    let audit = audit(&store).await;
    assert!(store.verify_audit(&audit.key, &[]).await.unwrap().broken.is_none());

    let mut raw = home.raw().await;
    let refused = raw.execute("DELETE FROM audit_log").await.unwrap_err();
    assert!(refused.to_string().contains("never removed"), "{refused}");
    raw.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_in_place_leaves_all_as_it_was() {
    let (store, home) = store().await;
    let folder = TempDir::new().unwrap();
    let other = other(&folder).await;
    fill(&store).await;
    let before = store.row_counts().await.unwrap();
    let mut raw = home.raw().await;
    raw.cut("audit_head").await;
    let refused = store.replace_all(&other).await.unwrap_err();
    assert!(refused.to_string().contains("cut off"), "{refused}");
    assert_eq!(store.row_counts().await.unwrap(), before);
    assert_eq!(recorded(&store).await, [0, 1, 2]);
    let refused = raw.execute("DELETE FROM audit_log").await.unwrap_err();
    assert!(refused.to_string().contains("never removed"), "{refused}");
    raw.drop_trigger("cut", "audit_head").await;
    raw.close().await;
    store.replace_all(&other).await.unwrap();
    assert_eq!(recorded(&store).await, [100, 101]);
    // It can be done again, also by itself.
    store.replace_all(&other).await.unwrap();
    assert_eq!(recorded(&store).await, [100, 101]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_seen_that_everything_was_replaced() {
    let (store, _home) = store().await;
    let folder = TempDir::new().unwrap();
    let other = other(&folder).await;
    assert!(!store.was_replaced_since(&AuditRoot::empty()).await.unwrap());
    fill(&store).await;
    assert!(!store.was_replaced_since(&AuditRoot::empty()).await.unwrap());
    let known = root(&store).await;
    record(&store, 3).await;
    assert!(!store.was_replaced_since(&known).await.unwrap(), "it goes on from there");
    // Another chain.
    let known = root(&store).await;
    store.replace_all(&other).await.unwrap();
    assert!(store.was_replaced_since(&known).await.unwrap());
    // The same chain, and a restore.
    let known = root(&store).await;
    assert!(!store.was_replaced_since(&known).await.unwrap());
    let restored = note(AuditAction::BackupRestored, 102);
    store.put_on_record(&audit(&store).await, restored).await.unwrap();
    assert!(store.was_replaced_since(&known).await.unwrap());
    assert!(!store.was_replaced_since(&root(&store).await).await.unwrap());
}
