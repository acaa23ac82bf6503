//! The ledger of trials: rows are only ever added, and each is chained to the one before.

use bist_lifecycle::Trial;

use crate::columns::{document, json};
use crate::db::{Target, query};
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// Adds `trials` to the ledger, all or none.
    ///
    /// # Errors
    ///
    /// [`StoreError::LedgerBroken`] when somebody changed it, and the others as the database gives
    /// them.
    pub async fn record_trials(&self, trials: &[Trial]) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let (recorded, mut link) = read_ledger(&mut *transaction).await?;
        for (number, trial) in (recorded.len() + 1..).zip(trials) {
            link = trial.link(&link);
            query("INSERT INTO trials (number, link, document) VALUES ($1, $2, $3)")
                .bind(i64::try_from(number).unwrap_or(i64::MAX))
                .bind(&link)
                .bind(json("trial", trial)?)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// All trials, oldest first.
    ///
    /// # Errors
    ///
    /// As [`Self::record_trials`].
    pub async fn trials(&self) -> Result<Vec<Trial>, StoreError> {
        Ok(read_ledger(&self.reader).await?.0)
    }
}

/// The trials and the last link of their chain.
async fn read_ledger<'c>(
    target: impl Into<Target<'c>>,
) -> Result<(Vec<Trial>, String), StoreError> {
    let rows = query("SELECT number, link, document FROM trials ORDER BY number")
        .fetch_all(target)
        .await?;
    let mut trials = Vec::with_capacity(rows.len());
    let mut last = String::new();
    for (expected, row) in (1..).zip(&rows) {
        let (number, link): (i64, String) = (row.try_get("number")?, row.try_get("link")?);
        let trial: Trial = document("trial", row)?;
        last = trial.link(&last);
        if number != expected || link != last {
            return Err(StoreError::LedgerBroken(expected));
        }
        trials.push(trial);
    }
    Ok((trials, last))
}
