//! API keys near their end: whose owner is reminded, which get a successor, and who collects that.
//!
//! What opens a successor is sealed among the secrets in the transaction that makes it, and goes out once:
//! to the program that still has the key before, or to its owner.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bist_access::{
    AccountId, AccountState, ApiKey, AuditAction, KeyCare, KeyId, KeyState, MasterKey,
    SealedSecrets, Secret, SecretName, SecretsError,
};
use bist_market::bar::istanbul;
use bist_store::{AccessChange, ClaimedJob, JobRun, StoreError};
use jiff::Timestamp;
use jiff::civil::{Date, Time, time};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::json;

use super::AccessError;
use super::api_keys::{MadeKey, key_of, noted, successor_of, take_back};
use super::own_secrets::own_name;
use crate::jobs::StageDone;
use crate::progress::ProgressSink;
use crate::secrets::SecretStoreError;
use crate::{App, due};

/// Local time at which keys are looked after, each day.
const LOOKED_AFTER: Time = time(6, 0, 0, 0);

/// What the name of a token that waits begins with; the key follows.
const SUCCESSOR: &str = "bist.successor.";

/// The stage of the job.
const LOOK: &str = "look";

/// What was done about keys near their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeysCared {
    /// How many owners were reminded.
    pub reminded_count: u32,
    /// How many keys got a successor.
    pub replaced_count: u32,
    /// How many successors were taken back because nobody collected them in time.
    pub withdrawn_count: u32,
}

impl fmt::Display for KeysCared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reminded_count, replaced_count, withdrawn_count } = self;
        write!(
            f,
            "reminded of: {reminded_count}, given a successor: {replaced_count}, successors that \
             nobody collected: {withdrawn_count}"
        )
    }
}

/// The first look after `now`.
pub(crate) fn next_due(now: Timestamp) -> Option<Timestamp> {
    due::next(now, due_at)
}

fn due_at(day: Date) -> Option<Timestamp> {
    istanbul().to_timestamp(day.to_datetime(LOOKED_AFTER)).ok()
}

impl App {
    /// When the newest look that is due was; nothing is due while there are no keys.
    pub(crate) async fn key_care_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let has_keys = !self.store.api_keys(None).await?.is_empty();
        Ok(due::last(self.now(), due_at).map(|(_, at)| at).filter(|_| has_keys))
    }

    /// Does the run `run` of the job.
    pub(crate) async fn do_key_care(
        &self,
        run: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<JobRun, StoreError> {
        let attended = self.attend(run, vec![LOOK.to_owned()], progress).await?;
        let work = async {
            let look = |_| async move {
                let told = self.look_after_keys().await?.to_string();
                Ok::<_, AccessError>(StageDone { result: told.clone(), told })
            };
            attended.stage::<String, _, _>(LOOK, look).await
        };
        let outcome = attended.watch(work).await;
        attended.finish(outcome).await
    }

    /// Looks at all keys: owners of keys with seven days left or less are reminded once, keys that want
    /// it get a successor, and successors that nobody collected before the end are taken back.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database or the secrets fail; what was done until then is done.
    pub async fn look_after_keys(&self) -> Result<KeysCared, AccessError> {
        let users = self.users().await?.into_iter();
        let users = users.filter(|user| user.state != AccountState::Disabled);
        let in_use: BTreeSet<AccountId> = users.map(|user| user.id).collect();
        let mut cared = KeysCared::default();
        for key in self.store.api_keys(None).await? {
            if key.is_uncollected {
                cared.withdrawn_count += u32::from(self.withdraw(&key.id).await?);
            } else if in_use.contains(&key.account) {
                match key.care(self.now()) {
                    Some(KeyCare::Reminder) => {
                        cared.reminded_count += u32::from(self.remind_of(&key.id).await?);
                    }
                    Some(KeyCare::Successor) => {
                        cared.replaced_count += u32::from(self.succeed(&key.id).await?);
                    }
                    None => {}
                }
            }
        }
        Ok(cared)
    }

    /// Puts on record that the end of the key `id` is near, unless somebody else has just done so.
    async fn remind_of(&self, id: &KeyId) -> Result<bool, AccessError> {
        let audit = self.audit().await?;
        let mut change = self.change_access().await?;
        let Some(key) = in_need(&mut change, id, KeyCare::Reminder, audit.at).await? else {
            return Ok(false);
        };
        let key = ApiKey { reminded_at: Some(audit.at), ..key };
        change.set_end(&key).await?;
        change.commit(&audit, vec![noted(&key, AuditAction::KeyExpiring)]).await?;
        let days_left = key.days_left(audit.at);
        tracing::warn!(
            key = %key.id, days_left,
            "the API key {id} ends in {days_left} days: rotate it with `bist keys rotate {id}`"
        );
        Ok(true)
    }

    /// Gives the key `id` a successor that waits to be collected, unless somebody else has just done so.
    async fn succeed(&self, id: &KeyId) -> Result<bool, AccessError> {
        let (master, audit) = (self.master_key().await?, self.audit().await?);
        // Made here if there is none: no other change can be made once the next line has begun.
        self.token_key().await?;
        let mut change = self.change_access().await?;
        let Some(old) = in_need(&mut change, id, KeyCare::Successor, audit.at).await? else {
            return Ok(false);
        };
        let next = ApiKey { is_uncollected: true, ..successor_of(&old, audit.at) };
        let MadeKey { key: next, token } = self.keep_key(&mut change, next).await?;
        let seal = |sealed: &mut SealedSecrets| {
            let name = name_of(&next.id);
            Ok(sealed.add(&master, &name, &token, audit.at, &mut UnwrapErr(SysRng))?)
        };
        change.change_secrets::<_, SecretStoreError>(seal).await?;
        let old = ApiKey { replaced_by: Some(next.id.clone()), ..old };
        change.set_end(&old).await?;
        let mut note = noted(&old, AuditAction::KeyRotated);
        note.details.insert("replaced_by", json!(next.id.as_str()));
        change.commit(&audit, vec![note, noted(&next, AuditAction::KeyCreated)]).await?;
        tracing::info!(key = %old.id, "the API key {id} has a successor that waits to be collected");
        Ok(true)
    }

    /// Takes the successor `id` back, if the key before is not in force any more.
    async fn withdraw(&self, id: &KeyId) -> Result<bool, AccessError> {
        let (master, audit) = (self.master_key().await?, self.audit().await?);
        let mut change = self.change_access().await?;
        let Some(next) = change.api_key(id).await?.filter(|next| next.is_uncollected) else {
            return Ok(false);
        };
        let before = change.api_key_before(id).await?;
        if before.is_some_and(|before| is_in_force(before.state(audit.at))) {
            return Ok(false);
        }
        let next = take_back(&mut change, &master, next, audit.at).await?;
        let mut note = noted(&next, AuditAction::KeyRevoked);
        note.details.insert("reason", json!("nobody collected it"));
        change.commit(&audit, vec![note]).await?;
        tracing::warn!(key = %next.id, "the API key {id} is revoked: nobody collected it in time");
        Ok(true)
    }

    /// Gives out what opens the successor of `old`, once, to whoever has shown `old` itself.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuccessor`], and those of [`App::collect_key`].
    pub async fn collect_successor(&self, old: &ApiKey) -> Result<MadeKey, AccessError> {
        let next = old.replaced_by.as_ref().ok_or(AccessError::NoSuccessor)?;
        self.collect_key(next.as_str(), Some(&old.account)).await
    }

    /// Gives out what opens the successor `id` of a key of `owner` (of anybody when that is `None`), once.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchKey`], [`AccessError::NothingToCollect`] when it was collected or is no
    /// successor, [`AccessError::KeyNotActive`] when the key before is not in force any more, and the
    /// others when the database or the secrets fail.
    pub async fn collect_key(
        &self,
        id: &str,
        owner: Option<&AccountId>,
    ) -> Result<MadeKey, AccessError> {
        let (master, audit) = (self.master_key().await?, self.audit().await?);
        let mut change = self.change_access().await?;
        let next = key_of(&mut change, id, owner).await?;
        if !next.is_uncollected {
            return Err(AccessError::NothingToCollect(id.to_owned()));
        }
        let before = change.api_key_before(&next.id).await?;
        let before = before.ok_or_else(|| AccessError::NothingToCollect(id.to_owned()))?;
        let state = before.state(audit.at);
        if !is_in_force(state) {
            let id = before.id.to_string();
            return Err(AccessError::KeyNotActive { id, state: state.as_str() });
        }
        let token = take_token(&mut change, &master, &next.id).await?;
        let key = ApiKey { is_uncollected: false, ..next };
        change.set_end(&key).await?;
        change.commit(&audit, vec![noted(&key, AuditAction::KeyCollected)]).await?;
        Ok(MadeKey { key, token })
    }
}

/// What opens the successor `id`, which is forgotten here.
async fn take_token(
    change: &mut AccessChange,
    master: &MasterKey,
    id: &KeyId,
) -> Result<Secret, AccessError> {
    let name = name_of(id);
    let take = |sealed: &mut SealedSecrets| {
        let token = sealed.value(master, &name)?;
        sealed.remove(master, &name, &mut UnwrapErr(SysRng))?;
        Ok(token)
    };
    Ok(change.change_secrets::<_, SecretStoreError>(take).await?)
}

/// Forgets what opens the successor `id`, also when it is damaged or not there.
pub(super) async fn forget_token(
    change: &mut AccessChange,
    master: &MasterKey,
    id: &KeyId,
) -> Result<(), AccessError> {
    let name = name_of(id);
    let forget =
        |sealed: &mut SealedSecrets| match sealed.remove(master, &name, &mut UnwrapErr(SysRng)) {
            Ok(()) | Err(SecretsError::NoSuchSecret(_)) => Ok(()),
            Err(error) => Err(error.into()),
        };
    Ok(change.change_secrets::<_, SecretStoreError>(forget).await?)
}

/// The key `id`, if it needs `care` at `now`.
async fn in_need(
    change: &mut AccessChange,
    id: &KeyId,
    care: KeyCare,
    now: Timestamp,
) -> Result<Option<ApiKey>, StoreError> {
    Ok(change.api_key(id).await?.filter(|key| key.care(now) == Some(care)))
}

fn is_in_force(state: KeyState) -> bool {
    matches!(state, KeyState::Active | KeyState::Grace)
}

fn name_of(id: &KeyId) -> SecretName {
    own_name(&format!("{SUCCESSOR}{id}"))
}
