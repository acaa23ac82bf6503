//! One transaction of changes to accounts, sessions and keys, with what goes on record about them.

use crate::audit::{Audit, AuditNote, append};
use crate::db::{Connection, Transaction};
use crate::error::StoreError;
use crate::pool::Store;

/// Changes that are made together or not at all; what is read in between stays as it is until then.
///
/// What it offers stands with what it changes: [`crate::accounts`], [`crate::sessions`],
/// [`crate::passkeys`], [`crate::api_keys`], [`crate::secrets`]. Dropping it leaves everything as it
/// was.
#[derive(Debug)]
pub struct AccessChange {
    transaction: Transaction,
}

impl Store {
    /// Begins changes; nobody else changes anything until they end.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn change_access(&self) -> Result<AccessChange, StoreError> {
        Ok(AccessChange { transaction: self.writer.begin_alone().await? })
    }
}

impl AccessChange {
    /// Keeps the changes together with what goes on record about them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; nothing is changed then.
    pub async fn commit(mut self, audit: &Audit, notes: Vec<AuditNote>) -> Result<(), StoreError> {
        append(&mut self.transaction, audit, notes).await?;
        Ok(self.transaction.commit().await?)
    }

    /// The connection of the transaction.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}
