//! The audit: what is put on record of a change, and whether the records are those that were written.

mod kept_roots;

use bist_access::{
    AuditAction, AuditHead, AuditKey, AuditRecord, AuditRoot, AuditVerification, AuditVerifier,
    SealedSecrets, SecretName, SecretsError,
};
use bist_market::bar::midnight_of;
use bist_store::{Audit, AuditNote, StoreError};
use jiff::civil::Date;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::json;

use crate::App;
use crate::secrets::SecretStoreError;

pub use bist_store::AuditFilter;
pub use kept_roots::{KeptRootsError, read_roots};

impl App {
    /// What puts a change on record as made now by whoever this application acts for. The key of the
    /// audit is made when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::AuditKey`] when the key cannot be had.
    pub async fn audit(&self) -> Result<Audit, StoreError> {
        let key = self.audit_key.get_or_try_init(|| self.find_audit_key()).await;
        let key = key.map_err(not_had)?.clone();
        let (actor, request_id) = (self.actor.clone(), self.request_id.clone());
        Ok(Audit { key, actor, request_id, at: self.now() })
    }

    /// Shows that a change can be put on record, before work is spent on it.
    pub(crate) async fn check_audit(&self) -> Result<(), StoreError> {
        self.audit().await.map(drop)
    }

    /// The records that `filter` wants, at most `limit`, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn audit_records(
        &self,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.store.audit_records(filter, limit).await
    }

    /// The same, of more than are looked at: that they were given out goes on record first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn export_audit_records(
        &self,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let records = self.audit_records(filter, limit).await?;
        let details = [
            ("records_count", json!(records.len())),
            ("action", json!(filter.action)),
            ("actor", json!(filter.actor)),
            ("subject", json!(filter.subject)),
        ];
        let note = AuditNote::new(AuditAction::AuditExported, "audit".to_owned(), details);
        self.put_on_record(note).await?;
        // One export, however many pages it takes.
        if filter.before.is_none() {
            self.note_export("audit");
        }
        Ok(records)
    }

    /// Puts on record what changes nothing here, such as something that is given away.
    pub(crate) async fn put_on_record(&self, note: AuditNote) -> Result<(), StoreError> {
        self.store.put_on_record(&self.audit().await?, note).await
    }

    /// The root of the newest record, or of the last one of `day`; `None` when there is no such record.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn audit_root(&self, day: Option<Date>) -> Result<Option<AuditRoot>, StoreError> {
        let mut filter = AuditFilter::default();
        if let Some(day) = day {
            filter.from = Some(midnight_of(day));
            filter.until = day.tomorrow().ok().map(midnight_of);
        }
        let newest = self.store.audit_records(&filter, 1).await?.pop();
        Ok(newest.as_ref().map(AuditRoot::from))
    }

    /// Goes over all records as they are at this moment, and over the roots that were kept: those of
    /// `elsewhere`, and those that a server noted in the data directory.
    ///
    /// # Errors
    ///
    /// [`KeptRootsError`] when those cannot be read, the key cannot be had, or the database fails.
    pub async fn verify_audit(
        &self,
        elsewhere: &[AuditRoot],
    ) -> Result<AuditVerification, KeptRootsError> {
        let mut kept = self.noted_roots().await?;
        kept.extend_from_slice(elsewhere);
        Ok(match self.known_audit_key().await? {
            Some(key) => self.store.verify_audit(&key, &kept).await?,
            None => {
                let key = AuditKey::generate(&mut UnwrapErr(SysRng));
                AuditVerifier::new(&key, &kept).finish(Some(&AuditHead::empty(&key)))
            }
        })
    }

    /// The key of the audit; `None` before anything was put on record.
    async fn known_audit_key(&self) -> Result<Option<AuditKey>, StoreError> {
        match self.secret(&SecretName::audit_key()).await {
            Ok(secret) => match AuditKey::parse(&secret) {
                Ok(key) => Ok(Some(key)),
                Err(error) => Err(not_had(error.into())),
            },
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_)))
                if self.store.audit_head().await?.is_none()
                    && self.audit_root(None).await?.is_none() =>
            {
                Ok(None)
            }
            Err(error) => Err(not_had(error)),
        }
    }

    async fn find_audit_key(&self) -> Result<AuditKey, SecretStoreError> {
        let (master, name, now) = (self.master_key().await?, SecretName::audit_key(), self.now());
        let find = |sealed: &mut SealedSecrets| match sealed.value(&master, &name) {
            Ok(secret) => Ok(AuditKey::parse(&secret)?),
            Err(SecretsError::NoSuchSecret(_)) => {
                let mut rng = UnwrapErr(SysRng);
                let key = AuditKey::generate(&mut rng);
                sealed.add(&master, &name, &key.to_secret(), now, &mut rng)?;
                Ok(key)
            }
            Err(error) => Err(error.into()),
        };
        self.store.begin_audit::<SecretStoreError>(find).await
    }
}

/// Why the key of the audit is not had, as the use cases tell it.
fn not_had(error: SecretStoreError) -> StoreError {
    if let SecretStoreError::Store(error) = error {
        error
    } else {
        StoreError::AuditKey(Box::new(error))
    }
}
