//! Records of the audit, written while something else goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bist_access::AuditAction;
use bist_store::{Audit, AuditNote, Store};
use tokio::task::JoinHandle;

/// What the record `number` tells.
pub(crate) fn note(number: u64) -> AuditNote {
    AuditNote::new(AuditAction::AuditExported, format!("number:{number}"), [])
}

/// How many records there are.
pub(crate) async fn records_count(store: &Store) -> u64 {
    store.audit_head().await.unwrap().map_or(0, |head| head.records_count)
}

/// Who writes one record after the other until it is stopped.
pub(crate) struct Writer {
    acknowledged: Arc<AtomicU64>,
    stops: Arc<AtomicBool>,
    writing: JoinHandle<()>,
}

impl Writer {
    pub(crate) fn start(store: &Store, audit: &Audit) -> Self {
        let (store, audit) = (store.clone(), audit.clone());
        let acknowledged = Arc::new(AtomicU64::new(0));
        let stops = Arc::new(AtomicBool::new(false));
        let (told, stopped) = (Arc::clone(&acknowledged), Arc::clone(&stops));
        let writing = tokio::spawn(async move {
            let mut number = 0;
            while !stopped.load(Ordering::SeqCst) {
                number += 1;
                store.put_on_record(&audit, note(number)).await.unwrap();
                told.store(number, Ordering::SeqCst);
            }
        });
        Self { acknowledged, stops, writing }
    }

    /// How many records were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits until so many records were acknowledged, and says how many were then.
    pub(crate) async fn has_written(&self, count: u64) -> u64 {
        while self.acknowledged() < count {
            tokio::task::yield_now().await;
        }
        self.acknowledged()
    }

    /// Stops it, and says how many records it wrote.
    pub(crate) async fn stop(self) -> u64 {
        self.stops.store(true, Ordering::SeqCst);
        self.writing.await.unwrap();
        self.acknowledged.load(Ordering::SeqCst)
    }
}
