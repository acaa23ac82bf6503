//! Secrets, sealed: this crate neither has the master key nor opens anything.

use bist_access::{AuditKey, SealedRegister, SealedSecret, SealedSecrets, SecretEntry};

use crate::access_change::AccessChange;
use crate::audit::{Audit, AuditNote, append, begin_chain};
use crate::columns::{count, impossible, instant_us, signed};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// All secrets as they are stored, by name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or holds a name that is none.
    pub async fn sealed_secrets(&self) -> Result<SealedSecrets, StoreError> {
        // One view of both tables.
        let mut transaction = self.reader.begin().await?;
        read(&mut transaction).await
    }

    /// Lets `change` work on all secrets, and keeps what it leaves in one transaction, with a record of
    /// it: everything, or nothing when `change` refuses. Nobody else changes them in between.
    ///
    /// # Errors
    ///
    /// What `change` says, or [`StoreError`] when the database fails.
    pub async fn change_secrets<T, E: From<StoreError>>(
        &self,
        audit: &Audit,
        change: impl FnOnce(&mut SealedSecrets) -> Result<(T, AuditNote), E> + Send,
    ) -> Result<T, E> {
        let mut transaction = self.writer.begin_alone().await.map_err(StoreError::from)?;
        let mut secrets = read(&mut transaction).await?;
        let (answer, note) = change(&mut secrets)?;
        write(&mut transaction, &secrets).await?;
        append(&mut transaction, audit, vec![note]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(answer)
    }

    /// Lets `find` have all secrets, of which the key of the audit is one or becomes one; when it does,
    /// the audit begins in the same transaction. Of several who ask at once, one makes the key.
    ///
    /// # Errors
    ///
    /// What `find` says, [`StoreError::AuditBroken`] when the key is new and an audit is there, or the
    /// others when the database fails.
    pub async fn begin_audit<E: From<StoreError>>(
        &self,
        find: impl FnOnce(&mut SealedSecrets) -> Result<AuditKey, E> + Send,
    ) -> Result<AuditKey, E> {
        let mut transaction = self.writer.begin_alone().await.map_err(StoreError::from)?;
        let before = read(&mut transaction).await?;
        let mut secrets = before.clone();
        let key = find(&mut secrets)?;
        if secrets != before {
            write(&mut transaction, &secrets).await?;
            begin_chain(&mut transaction, &key).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(key)
    }
}

impl AccessChange {
    /// Lets `change` work on all secrets, and keeps what it leaves together with the other changes.
    ///
    /// # Errors
    ///
    /// What `change` says, or [`StoreError`] when the database fails.
    pub async fn change_secrets<T, E: From<StoreError>>(
        &mut self,
        change: impl FnOnce(&mut SealedSecrets) -> Result<T, E> + Send,
    ) -> Result<T, E> {
        let mut secrets = read(self.connection()).await?;
        let answer = change(&mut secrets)?;
        write(self.connection(), &secrets).await?;
        Ok(answer)
    }
}

async fn read(connection: &mut Connection) -> Result<SealedSecrets, StoreError> {
    let register = query("SELECT key_check, entries FROM secret_register WHERE id = 1")
        .fetch_optional(&mut *connection)
        .await?;
    let secrets = query(
        "SELECT name, revision, set_at_us, wrapped_key, sealed_value FROM secrets ORDER BY name",
    )
    .fetch_all(connection)
    .await?;
    Ok(SealedSecrets {
        register: register.as_ref().map(sealed_register).transpose()?,
        secrets: secrets.iter().map(sealed_secret).collect::<Result<_, _>>()?,
    })
}

/// Puts `secrets` in place of what is there.
async fn write(connection: &mut Connection, secrets: &SealedSecrets) -> Result<(), StoreError> {
    query("DELETE FROM secrets").execute(&mut *connection).await?;
    for SealedSecret { entry, wrapped_key, sealed_value } in &secrets.secrets {
        query(
            "INSERT INTO secrets (name, revision, set_at_us, wrapped_key, sealed_value)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(entry.name.as_str())
        .bind(signed(entry.revision))
        .bind(entry.set_at.as_microsecond())
        .bind(wrapped_key)
        .bind(sealed_value)
        .execute(&mut *connection)
        .await?;
    }
    query("DELETE FROM secret_register").execute(&mut *connection).await?;
    if let Some(SealedRegister { key_check, entries }) = &secrets.register {
        query("INSERT INTO secret_register (id, key_check, entries) VALUES (1, $1, $2)")
            .bind(key_check)
            .bind(entries)
            .execute(connection)
            .await?;
    }
    Ok(())
}

fn sealed_secret(row: &Row) -> Result<SealedSecret, StoreError> {
    Ok(SealedSecret {
        entry: SecretEntry {
            name: row.try_get::<&str, _>("name")?.parse().map_err(impossible)?,
            revision: count(row, "revision")?,
            set_at: instant_us(row.try_get("set_at_us")?)?,
        },
        wrapped_key: row.try_get("wrapped_key")?,
        sealed_value: row.try_get("sealed_value")?,
    })
}

fn sealed_register(row: &Row) -> Result<SealedRegister, StoreError> {
    Ok(SealedRegister { key_check: row.try_get("key_check")?, entries: row.try_get("entries")? })
}
