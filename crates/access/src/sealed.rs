//! All secrets as a database holds them: sealed, with a register of which there are.
//!
//! A value is sealed under a data key of its own, and the data key under the master key; both belong
//! to a name, a revision and an instant, so that neither can be put in another's place. The register
//! names each secret with its revision, so that a row that was taken out, brought back or set back
//! is noticed. Who can bring back the register together with all rows, as a restored backup does, is
//! not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::envelope::Key;
use crate::master_key::MasterKey;
use crate::secret::{Secret, SecretName};

/// What the master key seals as nothing but a proof of itself.
const KEY_CHECK: &[u8] = b"bist secrets 1, key check";

/// What the register is sealed as.
const REGISTER: &[u8] = b"bist secrets 1, register";

/// What a data key is sealed as, before the entry that it belongs to.
const DATA_KEY: &[u8] = b"bist secrets 1, data key";

/// What a value is sealed as, before the entry that it belongs to.
const VALUE: &[u8] = b"bist secrets 1, value";

/// What is known of a secret without the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEntry {
    /// What it is called.
    pub name: SecretName,
    /// How many values it has had, this one among them; 1 or more.
    pub revision: u64,
    /// When it was given this value, in whole microseconds.
    pub set_at: Timestamp,
}

/// A secret as it is stored. The sealed texts are base64 of nonce, ciphertext and tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// What is known of it.
    pub entry: SecretEntry,
    /// Its data key, sealed under the master key.
    pub wrapped_key: String,
    /// Its value, sealed under its data key.
    pub sealed_value: String,
}

/// Which secrets there are, as it is stored. The texts are base64 of nonce, ciphertext and tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRegister {
    /// Nothing, sealed under the master key: tells a wrong key from damage.
    pub key_check: String,
    /// The entries of all secrets, sealed under the master key.
    pub entries: String,
}

/// All secrets as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedSecrets {
    /// Which there are; `None` before the first one is added.
    pub register: Option<SealedRegister>,
    /// Each of them, by name.
    pub secrets: Vec<SealedSecret>,
}

/// Why a secret cannot be had or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// The master key is another one.
    #[error(
        "the master key is not the one under which the secrets of this data directory are sealed; \
         configure the right one"
    )]
    WrongKey,
    /// The register is not what was sealed.
    #[error(
        "the register of the secrets is damaged or was changed from outside; restore the database \
         from a backup"
    )]
    RegisterDamaged,
    /// A secret is not what was sealed, or does not stand where it was put.
    #[error(
        "the secret '{0}' is damaged, missing, or was put there from outside; give it a new value \
         with `bist secrets rotate {0}`, remove it with `bist secrets remove {0}`, or restore the \
         database from a backup"
    )]
    Damaged(SecretName),
    /// There is none of that name.
    #[error("there is no secret '{0}'; `bist secrets list` names those there are")]
    NoSuchSecret(SecretName),
    /// There is one of that name.
    #[error(
        "there is a secret '{name}' already, revision {revision}; give it a new value with `bist \
         secrets rotate {name}`"
    )]
    Exists {
        /// Its name.
        name: SecretName,
        /// Its revision.
        revision: u64,
    },
    /// The new master key is the old one.
    #[error(
        "the new master key is the one in force; make another with `bist secrets generate-key`"
    )]
    SameKey,
}

/// The entries of the register.
type Entries = BTreeMap<SecretName, SecretEntry>;

impl SealedSecrets {
    /// Opens everything and keeps nothing, to show that `key` is right and nothing was changed.
    ///
    /// # Errors
    ///
    /// [`SecretsError::WrongKey`], [`SecretsError::RegisterDamaged`], or [`SecretsError::Damaged`]
    /// with the first secret that is.
    pub fn check(&self, key: &MasterKey) -> Result<(), SecretsError> {
        self.data_keys(key).map(drop)
    }

    /// The value of the secret `name`.
    ///
    /// # Errors
    ///
    /// [`SecretsError::NoSuchSecret`], and those of [`SealedSecrets::check`].
    pub fn value(&self, key: &MasterKey, name: &SecretName) -> Result<Secret, SecretsError> {
        let entries = self.entries(key)?;
        let sealed = self.secrets.iter().find(|sealed| sealed.entry.name == *name);
        match (entries.get(name), sealed) {
            (None, None) => Err(SecretsError::NoSuchSecret(name.clone())),
            (Some(entry), Some(sealed)) if *entry == sealed.entry => {
                let data_key = sealed.data_key(key)?;
                sealed.value(&data_key)
            }
            _ => Err(SecretsError::Damaged(name.clone())),
        }
    }

    /// Adds the secret `name` and returns what is known of it. The first one decides under which key
    /// all are sealed.
    ///
    /// # Errors
    ///
    /// [`SecretsError::Exists`], [`SecretsError::WrongKey`] or [`SecretsError::RegisterDamaged`];
    /// nothing is changed then.
    pub fn add(
        &mut self,
        key: &MasterKey,
        name: &SecretName,
        value: &Secret,
        at: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<SecretEntry, SecretsError> {
        let entries = self.entries(key)?;
        if let Some(SecretEntry { name, revision, .. }) = entries.get(name) {
            return Err(SecretsError::Exists { name: name.clone(), revision: *revision });
        }
        let entry = entry(name, 1, at);
        self.put(key, entries, entry.clone(), value, rng);
        Ok(entry)
    }

    /// Gives the secret `name` a new value, also when the old one is damaged, and returns what is
    /// known of it.
    ///
    /// # Errors
    ///
    /// [`SecretsError::NoSuchSecret`], [`SecretsError::WrongKey`] or
    /// [`SecretsError::RegisterDamaged`]; nothing is changed then.
    pub fn rotate(
        &mut self,
        key: &MasterKey,
        name: &SecretName,
        value: &Secret,
        at: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<SecretEntry, SecretsError> {
        let entries = self.entries(key)?;
        let before = entries.get(name).ok_or_else(|| SecretsError::NoSuchSecret(name.clone()))?;
        let entry = entry(name, before.revision + 1, at);
        self.put(key, entries, entry.clone(), value, rng);
        Ok(entry)
    }

    /// Adds the secret `name`, or gives it a new value when it is there, and returns what is known of
    /// it.
    ///
    /// # Errors
    ///
    /// As [`SealedSecrets::rotate`].
    pub fn set(
        &mut self,
        key: &MasterKey,
        name: &SecretName,
        value: &Secret,
        at: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<SecretEntry, SecretsError> {
        match self.add(key, name, value, at, rng) {
            Err(SecretsError::Exists { .. }) => self.rotate(key, name, value, at, rng),
            added => added,
        }
    }

    /// Removes the secret `name`, also when it is damaged.
    ///
    /// # Errors
    ///
    /// As [`SealedSecrets::rotate`].
    pub fn remove(
        &mut self,
        key: &MasterKey,
        name: &SecretName,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SecretsError> {
        let mut entries = self.entries(key)?;
        let listed = entries.remove(name).is_some();
        let before = self.secrets.len();
        self.secrets.retain(|sealed| sealed.entry.name != *name);
        if !listed && self.secrets.len() == before {
            return Err(SecretsError::NoSuchSecret(name.clone()));
        }
        self.register = Some(SealedRegister::of(key, &entries, rng));
        Ok(())
    }

    /// Seals all data keys and the register under the key `new`; values stay as they are. Returns
    /// how many secrets there are.
    ///
    /// # Errors
    ///
    /// [`SecretsError::SameKey`], and those of [`SealedSecrets::check`]; nothing is changed then.
    pub fn rekey(
        &mut self,
        old: &MasterKey,
        new: &MasterKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<usize, SecretsError> {
        if old == new {
            return Err(SecretsError::SameKey);
        }
        let entries = self.entries(old)?;
        let data_keys = self.data_keys(old)?;
        for (sealed, data_key) in self.secrets.iter_mut().zip(&data_keys) {
            let context = context(DATA_KEY, &sealed.entry);
            sealed.wrapped_key = new.key().seal(&context, data_key.bytes(), rng);
        }
        if self.register.is_some() {
            self.register = Some(SealedRegister::of(new, &entries, rng));
        }
        Ok(self.secrets.len())
    }

    /// The data keys of all secrets, each of which opens its value.
    fn data_keys(&self, key: &MasterKey) -> Result<Vec<Key>, SecretsError> {
        let entries = self.entries(key)?;
        let mut data_keys = Vec::with_capacity(self.secrets.len());
        for sealed in &self.secrets {
            let name = &sealed.entry.name;
            if entries.get(name) != Some(&sealed.entry) {
                return Err(SecretsError::Damaged(name.clone()));
            }
            let data_key = sealed.data_key(key)?;
            sealed.value(&data_key)?;
            data_keys.push(data_key);
        }
        let is_there = |name: &SecretName| self.secrets.iter().any(|s| s.entry.name == *name);
        match entries.into_keys().find(|name| !is_there(name)) {
            Some(missing) => Err(SecretsError::Damaged(missing)),
            None => Ok(data_keys),
        }
    }

    /// What the register says.
    fn entries(&self, key: &MasterKey) -> Result<Entries, SecretsError> {
        let Some(register) = &self.register else {
            // The first secret and the register are written together.
            let is_new = self.secrets.is_empty();
            return if is_new { Ok(Entries::new()) } else { Err(SecretsError::RegisterDamaged) };
        };
        let check = key.key().open(KEY_CHECK, &register.key_check);
        let entries = key.key().open(REGISTER, &register.entries);
        match (check, entries) {
            (Some(_), Some(text)) => parse(&text).ok_or(SecretsError::RegisterDamaged),
            (None, None) => Err(SecretsError::WrongKey),
            (Some(_), None) | (None, Some(_)) => Err(SecretsError::RegisterDamaged),
        }
    }

    /// Puts a value and the register that names it.
    fn put(
        &mut self,
        key: &MasterKey,
        mut entries: Entries,
        entry: SecretEntry,
        value: &Secret,
        rng: &mut dyn CryptoRng,
    ) {
        let data_key = Key::generate(rng);
        let sealed = SealedSecret {
            wrapped_key: key.key().seal(&context(DATA_KEY, &entry), data_key.bytes(), rng),
            sealed_value: data_key.seal(&context(VALUE, &entry), value.expose().as_bytes(), rng),
            entry: entry.clone(),
        };
        self.secrets.retain(|other| other.entry.name != entry.name);
        self.secrets.push(sealed);
        self.secrets.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
        entries.insert(entry.name.clone(), entry);
        self.register = Some(SealedRegister::of(key, &entries, rng));
    }
}

impl SealedSecret {
    fn data_key(&self, key: &MasterKey) -> Result<Key, SecretsError> {
        let bytes = key.key().open(&context(DATA_KEY, &self.entry), &self.wrapped_key);
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        bytes.map(|bytes| Key::of(Zeroizing::new(bytes))).ok_or_else(|| self.damaged())
    }

    fn value(&self, data_key: &Key) -> Result<Secret, SecretsError> {
        let bytes = data_key.open(&context(VALUE, &self.entry), &self.sealed_value);
        let bytes = bytes.ok_or_else(|| self.damaged())?;
        std::str::from_utf8(&bytes).map(Secret::new).map_err(|_| self.damaged())
    }

    fn damaged(&self) -> SecretsError {
        SecretsError::Damaged(self.entry.name.clone())
    }
}

impl SealedRegister {
    fn of(key: &MasterKey, entries: &Entries, rng: &mut dyn CryptoRng) -> Self {
        let lines = entries.values().map(|SecretEntry { name, revision, set_at }| {
            format!("{name} {revision} {}\n", set_at.as_microsecond())
        });
        let lines: String = lines.collect();
        Self {
            key_check: key.key().seal(KEY_CHECK, b"", rng),
            entries: key.key().seal(REGISTER, lines.as_bytes(), rng),
        }
    }
}

/// The entries that [`SealedRegister::of`] wrote.
fn parse(text: &[u8]) -> Option<Entries> {
    let mut entries = Entries::new();
    for line in std::str::from_utf8(text).ok()?.lines() {
        let mut words = line.split(' ');
        let (name, revision, set_at) = (words.next()?, words.next()?, words.next()?);
        let name: SecretName = name.parse().ok()?;
        let set_at = Timestamp::from_microsecond(set_at.parse().ok()?).ok()?;
        let entry = SecretEntry { name: name.clone(), revision: revision.parse().ok()?, set_at };
        entries.insert(name, entry);
    }
    Some(entries)
}

/// An entry whose instant is one that a database keeps.
fn entry(name: &SecretName, revision: u64, at: Timestamp) -> SecretEntry {
    let set_at = Timestamp::from_microsecond(at.as_microsecond());
    SecretEntry {
        name: name.clone(),
        revision,
        set_at: set_at.expect("an instant without its nanoseconds is one"),
    }
}

/// What is authenticated with a message: what it is, and the entry that it belongs to. A name has no
/// zero byte and the numbers have fixed lengths, so that no two are alike.
fn context(what: &[u8], entry: &SecretEntry) -> Vec<u8> {
    let SecretEntry { name, revision, set_at } = entry;
    let set_at_us = set_at.as_microsecond().to_be_bytes();
    [what, b"\0", name.as_str().as_bytes(), b"\0", &revision.to_be_bytes(), &set_at_us].concat()
}

#[cfg(test)]
mod tests;
