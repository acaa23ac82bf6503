//! What is kept of the bars that models learned from and signals were made of.

use bist_market::Snapshot;

use crate::columns::{document, json};
use crate::db::query;
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// Keeps what names the bars whose fingerprint is `hash`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn save_snapshot(&self, hash: &str, snapshot: &Snapshot) -> Result<(), StoreError> {
        let known = query("SELECT hash FROM snapshots WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&self.reader)
            .await?;
        if known.is_some() {
            return Ok(());
        }
        query(
            "INSERT INTO snapshots (hash, document) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(hash)
        .bind(json("snapshot", snapshot)?)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// What was kept of the bars whose fingerprint is `hash`; `None` of those from before anything
    /// was.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn snapshot(&self, hash: &str) -> Result<Option<Snapshot>, StoreError> {
        query("SELECT document FROM snapshots WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&self.reader)
            .await?
            .map(|row| document("snapshot", &row))
            .transpose()
    }
}
