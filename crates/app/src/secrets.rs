//! Secrets: sealed in the database, opened by the master key when something needs them.

mod master_key;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bist_access::{
    AuditAction, AuditKeyError, MasterKey, SealedSecrets, Secret, SecretEntry, SecretName,
    SecretsError,
};
use bist_feeds::Credential;
use bist_market::Source;
use bist_store::{AuditNote, StoreError, write_private};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::{App, blocking};

pub use master_key::{MasterKeySource, ReadKeyError};

/// The file of the data directory in which the master key is where nothing says otherwise.
pub(crate) const KEY_FILE_DEFAULT: &str = "master.key";

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
    /// Nothing says where the master key is, and it is not where it is by default.
    #[error(
        "no master key is configured and there is none in {0}, and secrets are opened by it; name its \
         file by --master-key-file or BIST_MASTER_KEY_FILE"
    )]
    NoKey(PathBuf),
    /// No master key can be made.
    #[error("no master key is configured, and none can be made: {0}")]
    NotMade(#[from] KeyFileError),
    /// The secret is the product's own.
    #[error(
        "the secret '{0}' is the product's own, which makes it and keeps it; choose a name that does \
         not begin with 'bist.'"
    )]
    Own(SecretName),
    /// The key of the audit is none.
    #[error(transparent)]
    AuditKey(#[from] AuditKeyError),
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
    write_new_private(path, Secret::new(format!("{}\n", text.expose()))).await
}

/// Writes `text` to the new file `path`, which only its owner may read.
pub(crate) async fn write_new_private(path: &Path, text: Secret) -> Result<(), KeyFileError> {
    let file = path.to_owned();
    let write = move || write_private(&file, text.expose().as_bytes());
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
        let sealed = self.store.sealed_secrets().await?;
        if sealed == SealedSecrets::default() {
            // There is nothing that a key would open.
            return Err(SecretsError::NoSuchSecret(name.clone()).into());
        }
        Ok(sealed.value(&*self.master_key().await?, name)?)
    }

    /// Adds the secret `name`.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when there is one of this name, the name is the product's own, there is no
    /// key or a wrong one.
    pub async fn add_secret(
        &self,
        name: &SecretName,
        value: &Secret,
    ) -> Result<SecretEntry, SecretStoreError> {
        refuse_own(name)?;
        let (key, audit) = (self.master_key().await?, self.audit().await?);
        let add = |sealed: &mut SealedSecrets| {
            let entry = sealed.add(&key, name, value, audit.at, &mut UnwrapErr(SysRng))?;
            Ok((entry, note(AuditAction::SecretSet, name)))
        };
        self.store.change_secrets::<_, SecretStoreError>(&audit, add).await
    }

    /// Gives the secret `name` a new value.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when there is none of this name, the name is the product's own, there is no
    /// key or a wrong one.
    pub async fn rotate_secret(
        &self,
        name: &SecretName,
        value: &Secret,
    ) -> Result<SecretEntry, SecretStoreError> {
        refuse_own(name)?;
        let (key, audit) = (self.master_key().await?, self.audit().await?);
        let rotate = |sealed: &mut SealedSecrets| {
            let entry = sealed.rotate(&key, name, value, audit.at, &mut UnwrapErr(SysRng))?;
            let mut note = note(AuditAction::SecretRotated, name);
            note.details.insert("revision", json!(entry.revision));
            Ok((entry, note))
        };
        self.store.change_secrets::<_, SecretStoreError>(&audit, rotate).await
    }

    /// Keeps `value` as the secret `name`, whether there is one of this name or not.
    ///
    /// # Errors
    ///
    /// As [`App::rotate_secret`].
    pub async fn put_secret(
        &self,
        name: &SecretName,
        value: &Secret,
    ) -> Result<SecretEntry, SecretStoreError> {
        match self.rotate_secret(name, value).await {
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_))) => {
                self.add_secret(name, value).await
            }
            outcome => outcome,
        }
    }

    /// Removes the secret `name`.
    ///
    /// # Errors
    ///
    /// As [`App::rotate_secret`].
    pub async fn remove_secret(&self, name: &SecretName) -> Result<(), SecretStoreError> {
        refuse_own(name)?;
        let (key, audit) = (self.master_key().await?, self.audit().await?);
        let remove = |sealed: &mut SealedSecrets| {
            sealed.remove(&key, name, &mut UnwrapErr(SysRng))?;
            Ok(((), note(AuditAction::SecretRemoved, name)))
        };
        self.store.change_secrets::<_, SecretStoreError>(&audit, remove).await
    }

    /// Seals everything under the master key at `new`, and returns how many secrets there are. This
    /// application keeps the old key, which opens nothing from then on.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when a key is wrong or a secret is damaged; all is under the old key then.
    pub async fn rekey_secrets(&self, new: &MasterKeySource) -> Result<usize, SecretStoreError> {
        let (old, new) = (self.master_key().await?, new.read().await?);
        let audit = self.audit().await?;
        let rekey = |sealed: &mut SealedSecrets| {
            let count = sealed.rekey(&old, &new, &mut UnwrapErr(SysRng))?;
            let details = [("secrets_count", json!(count))];
            let subject = "secrets".to_owned();
            Ok((count, AuditNote::new(AuditAction::SecretsRekeyed, subject, details)))
        };
        self.store.change_secrets::<_, SecretStoreError>(&audit, rekey).await
    }

    /// Shows that every secret can be opened, and that those are there that settings refer to.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError`] when the key cannot be read or is wrong, a secret is damaged, or one that
    /// is referred to is not there.
    pub async fn check_secrets(&self) -> Result<(), SecretStoreError> {
        let sealed = self.store.sealed_secrets().await?;
        if self.master_key.source.is_some() || sealed != SealedSecrets::default() {
            sealed.check(&*self.master_key().await?)?;
        }
        for source in self.stored_credentials.keys() {
            self.renew_credential(*source).await?;
        }
        Ok(())
    }

    /// Lets the provider of `source` have its key as it is now, where that is a secret.
    pub(crate) async fn renew_credential(&self, source: Source) -> Result<(), SecretStoreError> {
        match self.stored_credentials.get(&source) {
            Some(stored) => self.renew(source, stored).await,
            None => Ok(()),
        }
    }

    /// Lets whoever asks `source` have this secret as it is now.
    pub(crate) async fn renew(
        &self,
        source: Source,
        stored: &StoredCredential,
    ) -> Result<(), SecretStoreError> {
        let StoredCredential { name, credential } = stored;
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

    /// The master key: from where it is configured to be, otherwise from the data directory.
    pub(crate) async fn master_key(&self) -> Result<Arc<MasterKey>, SecretStoreError> {
        let read = || async {
            let source = match &self.master_key.source {
                Some(source) => source.clone(),
                None => self.key_in_directory().await?,
            };
            Ok::<_, SecretStoreError>(Arc::new(source.read().await?))
        };
        Ok(Arc::clone(self.master_key.read.get_or_try_init(read).await?))
    }

    /// The key file of the data directory, which is made when nothing is sealed yet. Of several
    /// processes that come here at once, one makes it.
    async fn key_in_directory(&self) -> Result<MasterKeySource, SecretStoreError> {
        let path = self.directory().join(KEY_FILE_DEFAULT);
        if !path.exists() {
            if self.store.sealed_secrets().await? != SealedSecrets::default() {
                return Err(SecretStoreError::NoKey(path));
            }
            match generate_key_file(&path).await {
                Ok(()) | Err(KeyFileError::Exists(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(MasterKeySource::File(path))
    }
}

fn refuse_own(name: &SecretName) -> Result<(), SecretStoreError> {
    if name.is_own() { Err(SecretStoreError::Own(name.clone())) } else { Ok(()) }
}

fn note(action: AuditAction, name: &SecretName) -> AuditNote {
    AuditNote::new(action, format!("secret:{name}"), [])
}

impl KnownMasterKey {
    pub(crate) fn at(source: MasterKeySource) -> Self {
        Self { source: Some(source), read: OnceCell::new() }
    }
}
