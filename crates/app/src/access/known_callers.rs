//! Who has asked since the database changed last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bist_access::{Account, ApiKey, Session, TokenDigest};
use bist_store::{DatabaseVersion, StoreError};

use crate::App;

/// Sessions and keys that are kept at most. Beyond it, the database is asked again.
const KNOWN_MAX: usize = 10_000;

/// What was read of sessions and keys, as long as nothing in the database has changed. What is not
/// there is not kept, so that guesses take no room.
#[derive(Debug, Default)]
pub(crate) struct KnownCallers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    version: Option<DatabaseVersion>,
    sessions: HashMap<TokenDigest, (Arc<Session>, Arc<Account>)>,
    keys: HashMap<TokenDigest, (Arc<ApiKey>, Arc<Account>)>,
}

impl Known {
    /// What is known, if it is of `version`; otherwise nothing is known from now on.
    fn at(&mut self, version: &DatabaseVersion) -> &mut Self {
        let is_full = self.sessions.len() + self.keys.len() >= KNOWN_MAX;
        if is_full || self.version.as_ref() != Some(version) {
            *self = Self { version: Some(version.clone()), ..Self::default() };
        }
        self
    }
}

impl KnownCallers {
    fn with<T>(&self, version: &DatabaseVersion, of: impl FnOnce(&mut Known) -> T) -> T {
        of(self.0.lock().unwrap_or_else(PoisonError::into_inner).at(version))
    }
}

impl App {
    /// The session of which `digest` is kept, with its account.
    pub(crate) async fn session_of(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(Arc<Session>, Arc<Account>)>, StoreError> {
        let version = self.store.version().await?;
        let known = self.known_callers.with(&version, |known| known.sessions.get(digest).cloned());
        if known.is_some() {
            return Ok(known);
        }
        let found = Box::pin(self.store.session(digest)).await?.map(shared);
        if let Some(found) = &found {
            self.known_callers.with(&version, |known| {
                known.sessions.insert(digest.clone(), found.clone());
            });
        }
        Ok(found)
    }

    /// The key of which `digest` is kept, with the account that it belongs to.
    pub(super) async fn key_of(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(Arc<ApiKey>, Arc<Account>)>, StoreError> {
        let version = self.store.version().await?;
        let known = self.known_callers.with(&version, |known| known.keys.get(digest).cloned());
        if known.is_some() {
            return Ok(known);
        }
        let found = Box::pin(self.store.api_key(digest)).await?.map(shared);
        if let Some(found) = &found {
            self.known_callers.with(&version, |known| {
                known.keys.insert(digest.clone(), found.clone());
            });
        }
        Ok(found)
    }
}

/// Both, to be handed out without being copied.
fn shared<A, B>((one, other): (A, B)) -> (Arc<A>, Arc<B>) {
    (Arc::new(one), Arc::new(other))
}
