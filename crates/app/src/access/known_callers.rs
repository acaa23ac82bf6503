//! Who has asked since the database changed last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bist_access::{Account, ApiKey, Session, TokenDigest};
use bist_store::{DatabaseVersion, StoreError};
use jiff::{SignedDuration, Timestamp};

use crate::App;

/// Sessions and keys that are kept at most. Beyond it, the database is asked again.
const KNOWN_MAX: usize = 10_000;

/// What was read of sessions and keys, as long as nothing in the database has changed. What is not
/// there is not kept, so that guesses take no room.
#[derive(Debug, Default)]
pub(crate) struct KnownCallers {
    read: Mutex<Known>,
    /// When this process noted last that a session or key is used.
    noted: Mutex<HashMap<TokenDigest, Timestamp>>,
}

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
        of(self.read.lock().unwrap_or_else(PoisonError::into_inner).at(version))
    }

    /// Notes by `write` that the session or key of `digest` is used at `now`, unless this process has
    /// done so, or is about to, within `every`: of ten thousand who come with one key at one moment,
    /// one writes and the others wait for nothing.
    pub(super) async fn note_use<E>(
        &self,
        digest: &TokenDigest,
        now: Timestamp,
        every: SignedDuration,
        write: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            let is_recent = |at: &Timestamp| now.duration_since(*at) < every;
            if noted.get(digest).is_some_and(is_recent) {
                return Ok(());
            }
            if noted.len() >= KNOWN_MAX {
                noted.retain(|_, at| is_recent(at));
            }
            if noted.len() >= KNOWN_MAX {
                noted.clear();
            }
            noted.insert(digest.clone(), now);
        }
        let written = write.await;
        if written.is_err() {
            self.noted.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
        }
        written
    }
}

impl App {
    /// The session of which `digest` is kept, with its account, and how the database stood then.
    pub(crate) async fn session_of(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(Arc<Session>, Arc<Account>, DatabaseVersion)>, StoreError> {
        let version = self.store.version().await?;
        let known = self.known_callers.with(&version, |known| known.sessions.get(digest).cloned());
        if let Some((session, account)) = known {
            return Ok(Some((session, account, version)));
        }
        let found = Box::pin(self.store.session(digest)).await?.map(shared);
        if let Some(found) = &found {
            self.known_callers.with(&version, |known| {
                known.sessions.insert(digest.clone(), found.clone());
            });
        }
        Ok(found.map(|(session, account)| (session, account, version)))
    }

    /// The key of which `digest` is kept, with the account that it belongs to, and how the database stood
    /// then.
    pub(super) async fn key_of(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(Arc<ApiKey>, Arc<Account>, DatabaseVersion)>, StoreError> {
        let version = self.store.version().await?;
        let known = self.known_callers.with(&version, |known| known.keys.get(digest).cloned());
        if let Some((key, account)) = known {
            return Ok(Some((key, account, version)));
        }
        let found = Box::pin(self.store.api_key(digest)).await?.map(shared);
        if let Some(found) = &found {
            self.known_callers.with(&version, |known| {
                known.keys.insert(digest.clone(), found.clone());
            });
        }
        Ok(found.map(|(key, account)| (key, account, version)))
    }
}

/// Both, to be handed out without being copied.
fn shared<A, B>((one, other): (A, B)) -> (Arc<A>, Arc<B>) {
    (Arc::new(one), Arc::new(other))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use bist_access::{Secret, TokenKey, TokenKind};
    use tokio::sync::Barrier;
    use tokio::task::JoinSet;

    use super::*;

    const EVERY: SignedDuration = SignedDuration::from_mins(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn digest(text: &str) -> TokenDigest {
        let key =
            TokenKey::from_base64(&Secret::new(format!("{}Bwc=", "BwcH".repeat(10)))).unwrap();
        key.digest(TokenKind::ApiKey, text)
    }

    /// So many come with the key `one` at the moment.
    async fn come(known: &Arc<KnownCallers>, writes: &Arc<AtomicU32>, second: i64) -> u32 {
        const CLIENTS: usize = 1_000;
        let all_there = Arc::new(Barrier::new(CLIENTS));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (known, writes, all_there) =
                (Arc::clone(known), Arc::clone(writes), Arc::clone(&all_there));
            clients.spawn(async move {
                all_there.wait().await;
                let write = async {
                    writes.fetch_add(1, Ordering::Relaxed);
                    // Others come while it is being written.
                    tokio::task::yield_now().await;
                    Ok::<(), StoreError>(())
                };
                known.note_use(&digest("one"), at(second), EVERY, write).await.unwrap();
            });
        }
        clients.join_all().await;
        writes.load(Ordering::Relaxed)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_all_who_come_with_one_key_at_one_moment_one_writes() {
        let (known, writes) = (Arc::default(), Arc::default());
        assert_eq!(come(&known, &writes, 100).await, 1);
        assert_eq!(come(&known, &writes, 159).await, 1, "within the minute");
        assert_eq!(come(&known, &writes, 160).await, 2);
        let (mut is_written, another) = (false, digest("other"));
        let other = known.note_use(&another, at(160), EVERY, async {
            is_written = true;
            Ok::<(), StoreError>(())
        });
        other.await.unwrap();
        assert!(is_written, "another key is another one");
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_tried_again() {
        let known = KnownCallers::default();
        let digest = digest("one");
        let failed = known.note_use(&digest, at(100), EVERY, async { Err("busy") }).await;
        assert_eq!(failed, Err("busy"));
        let mut written = false;
        let again = known.note_use(&digest, at(101), EVERY, async {
            written = true;
            Ok::<(), &str>(())
        });
        again.await.unwrap();
        assert!(written);
    }
}
