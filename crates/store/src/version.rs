//! Whether anything in the database has changed since it was read: what makes keeping it safe.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::db::{DatabaseVersion, Glance, Pool, Watch};
use crate::error::StoreError;
use crate::pool::Store;

/// The looks at the database, which callers share.
#[derive(Debug)]
pub(crate) struct Looks {
    /// How many were begun.
    begun_count: AtomicU64,
    last: Mutex<LastLook>,
    /// What spares a look.
    glance: Option<Glance>,
    is_closed: AtomicBool,
}

#[derive(Debug)]
struct LastLook {
    watch: Option<Watch>,
    /// Its number, and what it saw.
    seen: Option<(u64, DatabaseVersion)>,
}

impl Looks {
    pub(crate) fn at(readers: &Pool) -> Self {
        let watch = Watch::of(readers);
        let glance = watch.as_ref().and_then(Watch::glance);
        let last = Mutex::new(LastLook { watch, seen: None });
        Self { begun_count: AtomicU64::new(0), last, glance, is_closed: AtomicBool::new(false) }
    }

    /// Where the database stands, if that can be seen without asking it.
    fn glance(&self) -> Option<DatabaseVersion> {
        let glance = self.glance.as_ref()?;
        // Nobody tells this process of changes any more.
        if self.is_closed.load(Ordering::SeqCst) { None } else { glance.take() }
    }

    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        if let Some(mut watch) = self.last.lock().await.watch.take() {
            watch.close().await;
        }
    }
}

impl Store {
    /// Where the database stands. What was read after one look is as it was when another one, whoever
    /// changes it, gives the same.
    ///
    /// Those who ask at the same time share one look, which begins after each of them has asked: many
    /// who ask at once cost as much as one. Of SQLite, after the first time, nobody is asked at all:
    /// it is seen in what the processes share.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or is closed.
    pub async fn version(&self) -> Result<DatabaseVersion, StoreError> {
        if let Some(version) = self.looks.glance() {
            return Ok(version);
        }
        Box::pin(self.look()).await
    }

    /// The same, by asking.
    async fn look(&self) -> Result<DatabaseVersion, StoreError> {
        let begun_before = self.looks.begun_count.load(Ordering::SeqCst);
        let mut last = self.looks.last.lock().await;
        if let Some((number, version)) = &last.seen
            && *number > begun_before
        {
            return Ok(version.clone());
        }
        let number = self.looks.begun_count.fetch_add(1, Ordering::SeqCst) + 1;
        let watch = last.watch.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let version = watch.look().await?;
        last.seen = Some((number, version.clone()));
        Ok(version)
    }
}
