//! Secrets of the product's own: the key under which tokens are digested, and seeds of one-time codes.

use std::sync::Arc;

use bist_access::{
    AccountId, AuditAction, SealedSecrets, Secret, SecretName, SecretsError, TokenKey, TotpSeed,
};
use bist_store::AuditNote;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::App;
use crate::secrets::SecretStoreError;

/// What the key of tokens is called among the secrets.
const TOKEN_KEY: &str = "bist.token-key";

/// What the name of a seed begins with; the account follows.
const SEED: &str = "bist.totp.";

/// The key of tokens, read when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct KnownTokenKey(OnceCell<Arc<TokenKey>>);

impl App {
    /// The key under which tokens are digested; it is made when there is none.
    pub(crate) async fn token_key(&self) -> Result<Arc<TokenKey>, SecretStoreError> {
        let key = self.token_key.0.get_or_try_init(|| self.read_or_make_token_key()).await?;
        Ok(Arc::clone(key))
    }

    async fn read_or_make_token_key(&self) -> Result<Arc<TokenKey>, SecretStoreError> {
        let name: SecretName = own_name(TOKEN_KEY);
        let found = match self.secret(&name).await {
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_))) => {
                let made = TokenKey::generate(&mut UnwrapErr(SysRng)).to_base64();
                match self.keep_own_secret(&name, &made, false).await {
                    // Somebody else was quicker; theirs is the one.
                    Err(SecretStoreError::Secrets(SecretsError::Exists { .. })) => {
                        self.secret(&name).await?
                    }
                    kept => kept.map(|()| made)?,
                }
            }
            found => found?,
        };
        let key = TokenKey::from_base64(&found);
        Ok(Arc::new(key.map_err(|_| SecretStoreError::Secrets(SecretsError::Damaged(name)))?))
    }

    /// The seed of the account `id`, if one was made.
    pub(super) async fn totp_seed(
        &self,
        id: &AccountId,
    ) -> Result<Option<TotpSeed>, SecretStoreError> {
        let name = own_name(&format!("{SEED}{id}"));
        match self.secret(&name).await {
            Ok(text) => match TotpSeed::from_base32(&text) {
                Ok(seed) => Ok(Some(seed)),
                Err(_) => Err(SecretStoreError::Secrets(SecretsError::Damaged(name))),
            },
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts `seed` in the place of the one that the account `id` had.
    pub(super) async fn keep_totp_seed(
        &self,
        id: &AccountId,
        seed: &TotpSeed,
    ) -> Result<(), SecretStoreError> {
        let name = own_name(&format!("{SEED}{id}"));
        self.keep_own_secret(&name, &seed.to_base32(), true).await
    }

    /// Forgets the seed of the account `id`, if there is one.
    pub(super) async fn forget_totp_seed(&self, id: &AccountId) -> Result<(), SecretStoreError> {
        let name = own_name(&format!("{SEED}{id}"));
        let (key, audit) = (self.master_key().await?, self.audit().await?);
        let remove = |sealed: &mut SealedSecrets| {
            sealed.remove(&key, &name, &mut UnwrapErr(SysRng))?;
            let subject = format!("secret:{name}");
            Ok(((), AuditNote::new(AuditAction::SecretRemoved, subject, [])))
        };
        match self.store.change_secrets::<_, SecretStoreError>(&audit, remove).await {
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_))) => Ok(()),
            removed => removed,
        }
    }

    /// Keeps a secret of the product's own; one that is there is replaced or left, as `may_replace`
    /// says.
    pub(crate) async fn keep_own_secret(
        &self,
        name: &SecretName,
        value: &Secret,
        may_replace: bool,
    ) -> Result<(), SecretStoreError> {
        let (key, audit) = (self.master_key().await?, self.audit().await?);
        let keep = |sealed: &mut SealedSecrets| {
            let rng = &mut UnwrapErr(SysRng);
            let entry = if may_replace {
                sealed.set(&key, name, value, audit.at, rng)?
            } else {
                sealed.add(&key, name, value, audit.at, rng)?
            };
            let is_first = entry.revision == 1;
            let action = if is_first { AuditAction::SecretSet } else { AuditAction::SecretRotated };
            let details = [("revision", json!(entry.revision))];
            Ok(((), AuditNote::new(action, format!("secret:{name}"), details)))
        };
        self.store.change_secrets::<_, SecretStoreError>(&audit, keep).await
    }
}

/// A name of the product's own.
pub(crate) fn own_name(text: &str) -> SecretName {
    text.parse().expect("small letters, digits, dots and hyphens")
}
