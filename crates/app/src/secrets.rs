//! Secrets: sealed in the database, opened by the master key when something needs them.

mod master_key;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bist_access::{MasterKey, SealedSecrets, Secret, SecretEntry, SecretName, SecretsError};
use bist_feeds::Credential;
use bist_market::Source;
use bist_store::{StoreError, write_private};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio::sync::OnceCell;

use crate::{App, blocking};

pub use master_key::{MasterKeySource, ReadKeyError};

/// The master key, read from its source when it is first needed and not again: a pipe gives it once.
#[derive(Debug, Default)]
pub(crate) struct KnownMasterKey {
    pub(crate) source: Option<MasterKeySource>,
    read: OnceCell<Arc<MasterKey>>,
}

/// The key of a service that is a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCredential {
    /// Which secret it is.
    pub name: SecretName,
    /// What the provider of the service has of it.
    pub credential: Credential,
}

/// Why a secret was not had or changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretStoreError {
    /// Nothing says where the master key is.
    #[error(
        "no master key is configured, and secrets are opened by it; name its file by \
         --master-key-file or BIST_MASTER_KEY_FILE"
    )]
    NoKey,
    /// The master key cannot be read.
    #[error(transparent)]
    Key(#[from] ReadKeyError),
    /// The key is wrong, the secret is not there, or it was changed from outside.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The key of a service is a secret that cannot be had.
    #[error("credentials.{source_name} is the secret '{name}': {error}")]
    Credential {
        /// The service.
        source_name: Source,
        /// The secret.
        name: SecretName,
        /// Why not.
        error: Box<SecretStoreError>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file for a new master key that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is a file already, which may be a key in use.
    #[error("the file {0} is there already and is not overwritten; give another --out")]
    Exists(PathBuf),
    /// The system refuses.
    #[error("the file {path} cannot be written: {source}; give another --out")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a new master key to `path`, which only its owner may read.
///
/// # Errors
///
/// [`KeyFileError`] when there is a file already or none can be written.
pub async fn generate_key_file(path: &Path) -> Result<(), KeyFileError> {
    let text = MasterKey::generate(&mut UnwrapErr(SysRng)).to_base64();
    let file = path.to_owned();
    let write = move || {
        let line = Secret::new(format!("{}\n", text.expose()));
        write_private(&file, line.expose().as_bytes())
    };
    blocking(write).await.map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists {
            KeyFileError::Exists(path)
        } else {
            KeyFileError::Write { path, source }
        }
    })
}

impl App {
    /// What is known of all secrets without the master key, by name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn secrets(&self) -> Result<Vec<SecretEntry>, StoreError> {
        let sealed = self.store.sealed_secrets().await?;
        Ok(sealed.secrets.into_iter().map(|secret| secret.entry).collect())
    }

    /// The value of the secret `name`.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when there is no key, a wrong one, or no such secret.
    pub async fn secret(&self, name: &SecretName) -> Result<Secret, SecretStoreError> {
        let key = self.master_key().await?;
        Ok(self.store.sealed_secrets().await?.value(&key, name)?)
    }

    /// Adds the secret `name`.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when there is one of this name, no key or a wrong one.
    pub async fn add_secret(
        &self,
        name: &SecretName,
        value: &Secret,
    ) -> Result<SecretEntry, SecretStoreError> {
        let (key, now) = (self.master_key().await?, self.now());
        let add = |sealed: &mut SealedSecrets| {
            Ok(sealed.add(&key, name, value, now, &mut UnwrapErr(SysRng))?)
        };
        self.store.change_secrets::<_, SecretStoreError>(add).await
    }

    /// Gives the secret `name` a new value.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when there is none of this name, no key or a wrong one.
    pub async fn rotate_secret(
        &self,
        name: &SecretName,
        value: &Secret,
    ) -> Result<SecretEntry, SecretStoreError> {
        let (key, now) = (self.master_key().await?, self.now());
        let rotate = |sealed: &mut SealedSecrets| {
            Ok(sealed.rotate(&key, name, value, now, &mut UnwrapErr(SysRng))?)
        };
        self.store.change_secrets::<_, SecretStoreError>(rotate).await
    }

    /// Removes the secret `name`.
    ///
    /// # Errors
    ///
    /// As [`App::rotate_secret`].
    pub async fn remove_secret(&self, name: &SecretName) -> Result<(), SecretStoreError> {
        let key = self.master_key().await?;
        let remove =
            |sealed: &mut SealedSecrets| Ok(sealed.remove(&key, name, &mut UnwrapErr(SysRng))?);
        self.store.change_secrets::<_, SecretStoreError>(remove).await
    }

    /// Seals everything under the master key at `new`, and returns how many secrets there are. This
    /// application keeps the old key, which opens nothing from then on.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when a key is wrong or a secret is damaged; all is under the old key then.
    pub async fn rekey_secrets(&self, new: &MasterKeySource) -> Result<usize, SecretStoreError> {
        let (old, new) = (self.master_key().await?, new.read().await?);
        let rekey =
            |sealed: &mut SealedSecrets| Ok(sealed.rekey(&old, &new, &mut UnwrapErr(SysRng))?);
        self.store.change_secrets::<_, SecretStoreError>(rekey).await
    }

    /// Shows that every secret can be opened, where a master key is configured, and that those are
    /// there that settings refer to. Without a key nothing is opened, and so nothing is shown.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when the key cannot be read or is wrong, a secret is damaged, or one that
    /// is referred to is not there.
    pub async fn check_secrets(&self) -> Result<(), SecretStoreError> {
        if self.master_key.source.is_some() {
            let key = self.master_key().await?;
            self.store.sealed_secrets().await?.check(&key)?;
        }
        for source in self.stored_credentials.keys() {
            self.renew_credential(*source).await?;
        }
        Ok(())
    }

    /// Lets the provider of `source` have its key as it is now, where that is a secret.
    pub(crate) async fn renew_credential(&self, source: Source) -> Result<(), SecretStoreError> {
        let Some(StoredCredential { name, credential }) = self.stored_credentials.get(&source)
        else {
            return Ok(());
        };
        match self.secret(name).await {
            Ok(secret) => {
                credential.set(secret);
                Ok(())
            }
            Err(error) => Err(SecretStoreError::Credential {
                source_name: source,
                name: name.clone(),
                error: Box::new(error),
            }),
        }
    }

    async fn master_key(&self) -> Result<Arc<MasterKey>, SecretStoreError> {
        let source = self.master_key.source.as_ref().ok_or(SecretStoreError::NoKey)?;
        let read = || async { Ok::<_, ReadKeyError>(Arc::new(source.read().await?)) };
        Ok(Arc::clone(self.master_key.read.get_or_try_init(read).await?))
    }
}

impl KnownMasterKey {
    pub(crate) fn at(source: MasterKeySource) -> Self {
        Self { source: Some(source), read: OnceCell::new() }
    }
}
