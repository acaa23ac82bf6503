//! API keys: made, rotated, taken back.

use bist_access::api_key::KEY_GRACE;
use bist_access::token::random_api_key;
use bist_access::{
    Account, AccountId, ApiKey, AuditAction, KeyId, KeyRequest, KeyState, MasterKey, Secret,
    TokenKind,
};
use bist_store::{AccessChange, AuditNote};
use jiff::{SignedDuration, Timestamp};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::json;

use super::AccessError;
use super::key_care::forget_token;
use crate::App;

/// A key that was just made.
#[derive(Clone, Debug)]
pub struct MadeKey {
    /// What is known of it.
    pub key: ApiKey,
    /// What a program shows; nobody sees it again.
    pub token: Secret,
}

impl App {
    /// The keys of the account `owner`, or of all, the newest first.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn api_keys(&self, owner: Option<&AccountId>) -> Result<Vec<ApiKey>, AccessError> {
        Ok(self.store.api_keys(owner).await?)
    }

    /// Makes a key that acts in the name of `owner`.
    ///
    /// # Errors
    ///
    /// [`AccessError::Key`] when it could do more than its owner or has no name or end, and the others
    /// when the database or the secrets fail.
    pub async fn make_key(
        &self,
        owner: &Account,
        request: &KeyRequest,
    ) -> Result<MadeKey, AccessError> {
        request.check(owner.role)?;
        let audit = self.audit().await?;
        let mut change = self.change_access().await?;
        let key = ApiKey {
            id: KeyId::generate(&mut UnwrapErr(SysRng)),
            account: owner.id.clone(),
            name: request.name.trim().to_owned(),
            scopes: request.scopes.clone(),
            networks: request.networks.clone(),
            created_at: audit.at,
            expires_at: audit.at + days(request.days),
            last_used_at: None,
            revoked_at: None,
            replaced_by: None,
            auto_rotate: request.auto_rotate,
            reminded_at: None,
            is_uncollected: false,
        };
        let made = self.keep_key(&mut change, key).await?;
        let note = noted(&made.key, AuditAction::KeyCreated);
        change.commit(&audit, vec![note]).await?;
        Ok(made)
    }

    /// Puts a key that can do the same, for as long again, in the place of the key `id` of `owner` (of
    /// anybody when that is `None`); the old one is good for seven days more, and not beyond its end.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchKey`], [`AccessError::KeyNotActive`], [`AccessError::KeyUncollected`], and the
    /// others when the database or the secrets fail.
    pub async fn rotate_key(
        &self,
        id: &str,
        owner: Option<&AccountId>,
    ) -> Result<(MadeKey, ApiKey), AccessError> {
        let audit = self.audit().await?;
        let mut change = self.change_access().await?;
        let old = key_of(&mut change, id, owner).await?;
        let state = old.state(audit.at);
        if state != KeyState::Active {
            return Err(AccessError::KeyNotActive { id: id.to_owned(), state: state.as_str() });
        }
        if old.is_uncollected {
            return Err(AccessError::KeyUncollected(id.to_owned()));
        }
        let made = self.keep_key(&mut change, successor_of(&old, audit.at)).await?;
        let old = ApiKey {
            expires_at: old.expires_at.min(audit.at + KEY_GRACE),
            replaced_by: Some(made.key.id.clone()),
            ..old
        };
        change.set_end(&old).await?;
        let mut note = noted(&old, AuditAction::KeyRotated);
        note.details.insert("replaced_by", json!(made.key.id.as_str()));
        change.commit(&audit, vec![note, noted(&made.key, AuditAction::KeyCreated)]).await?;
        Ok((made, old))
    }

    /// Takes the key `id` of `owner` (of anybody when that is `None`) back, at once and everywhere, and
    /// its successor too while nobody has collected that.
    ///
    /// # Errors
    ///
    /// As [`App::rotate_key`].
    pub async fn revoke_key(
        &self,
        id: &str,
        owner: Option<&AccountId>,
    ) -> Result<ApiKey, AccessError> {
        let (master, audit) = (self.master_key().await?, self.audit().await?);
        let mut change = self.change_access().await?;
        let key = key_of(&mut change, id, owner).await?;
        if key.revoked_at.is_some() {
            return Ok(key);
        }
        let mut notes = Vec::new();
        if let Some(next) = &key.replaced_by
            && let Some(next) = change.api_key(next).await?.filter(|next| next.is_uncollected)
        {
            let next = take_back(&mut change, &master, next, audit.at).await?;
            notes.push(noted(&next, AuditAction::KeyRevoked));
        }
        let key = take_back(&mut change, &master, key, audit.at).await?;
        notes.push(noted(&key, AuditAction::KeyRevoked));
        change.commit(&audit, notes).await?;
        Ok(key)
    }

    pub(super) async fn keep_key(
        &self,
        change: &mut AccessChange,
        key: ApiKey,
    ) -> Result<MadeKey, AccessError> {
        let token = random_api_key(&key.id, &mut UnwrapErr(SysRng));
        let digest = self.token_key().await?.digest(TokenKind::ApiKey, token.expose());
        change.add_api_key(&key, &digest).await?;
        Ok(MadeKey { key, token })
    }
}

/// A key that can do what `old` can, from `now` on for as long.
pub(super) fn successor_of(old: &ApiKey, now: Timestamp) -> ApiKey {
    ApiKey {
        id: KeyId::generate(&mut UnwrapErr(SysRng)),
        created_at: now,
        expires_at: now + old.expires_at.duration_since(old.created_at),
        last_used_at: None,
        reminded_at: None,
        ..old.clone()
    }
}

/// Takes `key` back, and forgets what opens it if nobody has collected that.
pub(super) async fn take_back(
    change: &mut AccessChange,
    master: &MasterKey,
    key: ApiKey,
    now: Timestamp,
) -> Result<ApiKey, AccessError> {
    if key.is_uncollected {
        forget_token(change, master, &key.id).await?;
    }
    let key = ApiKey { revoked_at: Some(now), is_uncollected: false, ..key };
    change.set_end(&key).await?;
    Ok(key)
}

/// The key `id`, if it is one of `owner`.
pub(super) async fn key_of(
    change: &mut AccessChange,
    id: &str,
    owner: Option<&AccountId>,
) -> Result<ApiKey, AccessError> {
    let key = match id.parse() {
        Ok(id) => change.api_key(&id).await?,
        Err(_) => None,
    };
    let key = key.filter(|key| owner.is_none_or(|owner| key.account == *owner));
    key.ok_or_else(|| AccessError::NoSuchKey(id.to_owned()))
}

/// What goes on record about a key.
pub(super) fn noted(key: &ApiKey, action: AuditAction) -> AuditNote {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let details = [
        ("account", json!(key.account.as_str())),
        ("scopes", json!(scopes)),
        ("expires_at", json!(key.expires_at)),
    ];
    AuditNote::new(action, format!("key:{}", key.id), details)
}

fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}
