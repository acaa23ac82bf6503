//! What passkeys are made for: the page that people open, and what its browsers are asked and say.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bist_access::totp::TOTP_ISSUER;
use bist_access::{Account, AccountId};
use serde_json::Value;
use webauthn_rs::Webauthn;
use webauthn_rs::prelude::{
    AuthenticationResult, Credential, CredentialID, PublicKeyCredential,
    RegisterPublicKeyCredential, SecurityKey, SecurityKeyAuthentication, SecurityKeyRegistration,
    Url, Uuid, WebauthnBuilder, WebauthnError,
};

use super::AccessError;

/// A page with a host name, for which browsers make passkeys and sign with them.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    host: String,
    webauthn: Webauthn,
}

/// What a browser is asked for, and what its answer will be held against.
#[derive(Debug)]
pub(super) struct Challenge {
    /// What the page hands to the browser, as WebAuthn describes it.
    pub(super) options: Value,
    /// What is kept on our side.
    pub(super) state: String,
}

/// A passkey as it is kept.
#[derive(Debug)]
pub(super) struct KeptCredential {
    /// What its authenticator calls it, in base64 for addresses.
    pub(super) id: String,
    /// Its public key and its counter.
    pub(super) text: String,
}

/// Why a signature is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// It is none of this passkey for this challenge and this page.
    Wrong,
    /// The counter did not go up: there may be two of the authenticator.
    Copied,
}

impl RelyingParty {
    /// The page of `origin` on `host`; `None` when the host is an address, for which browsers make no
    /// passkeys.
    pub fn new(host: &str, origin: &str) -> Option<Self> {
        let url = Url::parse(origin).ok()?;
        // Asked here, for the library logs an error when somebody comes by an address.
        url.domain()?;
        let builder = WebauthnBuilder::new(host, &url).ok()?;
        let webauthn = builder.rp_name(TOTP_ISSUER).build().ok()?;
        Some(Self { host: host.to_owned(), webauthn })
    }

    /// The host for which passkeys are made.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Asks for a new passkey of `account`, which has those of `known`.
    ///
    /// The parts of the library that are called after security keys are the ones for a second factor:
    /// they prefer that an authenticator knows its owner, and do not insist. What they tell browsers
    /// beyond that leads people away from the passkeys of their phones, and is left out.
    pub(super) fn ask_for_passkey(
        &self,
        account: &Account,
        known: &[String],
    ) -> Result<Challenge, AccessError> {
        let known = known.iter().map(|text| Ok(credential(text)?.cred_id().clone()));
        let known: Vec<CredentialID> = known.collect::<Result<_, AccessError>>()?;
        let name = account.user_name.as_str();
        let (mut options, state) = self
            .webauthn
            .start_securitykey_registration(
                user_handle(&account.id),
                name,
                name,
                Some(known),
                None,
                None,
            )
            .map_err(internal)?;
        options.public_key.hints = None;
        options.public_key.extensions = None;
        challenge(&options.public_key, &state)
    }

    /// The passkey that a browser made for the challenge of `state`.
    pub(super) fn passkey_of(
        &self,
        answer: &Value,
        state: &str,
    ) -> Result<KeptCredential, AccessError> {
        let answer: RegisterPublicKeyCredential = read_answer(answer)?;
        let state: SecurityKeyRegistration = read_kept(state)?;
        let made = self.webauthn.finish_securitykey_registration(&answer, &state);
        let made = made.map_err(|error| {
            tracing::debug!(error = %error, "a new passkey was refused: {error}");
            AccessError::PasskeyRefused
        })?;
        kept(&made)
    }

    /// Asks for a signature by one of the passkeys `known`.
    pub(super) fn ask_for_signature(&self, known: &[String]) -> Result<Challenge, AccessError> {
        let known = known.iter().map(|text| credential(text));
        let known: Vec<SecurityKey> = known.collect::<Result<_, _>>()?;
        let (mut options, state) =
            self.webauthn.start_securitykey_authentication(&known).map_err(internal)?;
        options.public_key.hints = None;
        challenge(&options.public_key, &state)
    }

    /// The passkey `known` as it is to be kept, once `answer` is its signature for the challenge of
    /// `state`.
    ///
    /// The challenge knows the counter of then. It is held against the one of now as well, so that of
    /// two that sign at the same time with the same counter one is refused.
    pub(super) fn signed_by(
        &self,
        known: &str,
        answer: &Value,
        state: &str,
    ) -> Result<Result<KeptCredential, Distrust>, AccessError> {
        let answer: PublicKeyCredential = read_answer(answer)?;
        let state: SecurityKeyAuthentication = read_kept(state)?;
        let mut known = credential(known)?;
        let result = match self.webauthn.finish_securitykey_authentication(&answer, &state) {
            Ok(result) if result.cred_id() == known.cred_id() => result,
            Err(WebauthnError::CredentialPossibleCompromise) => return Ok(Err(Distrust::Copied)),
            Ok(_) | Err(_) => return Ok(Err(Distrust::Wrong)),
        };
        if !goes_up(&known, &result) {
            return Ok(Err(Distrust::Copied));
        }
        known.update_credential(&result);
        Ok(Ok(kept(&known)?))
    }
}

/// What of an answer names the passkey.
pub(super) fn credential_id(answer: &Value) -> Option<&str> {
    answer["rawId"].as_str()
}

/// Whether the counter is above the one seen last; authenticators without one say 0 for ever.
fn goes_up(known: &SecurityKey, result: &AuthenticationResult) -> bool {
    let seen = Credential::from(known.clone()).counter;
    (seen == 0 && result.counter() == 0) || result.counter() > seen
}

/// As what an authenticator keeps the account: a number that says nothing about its owner.
fn user_handle(id: &AccountId) -> Uuid {
    let number = id.as_str().get(1..).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    Uuid::from_u64_pair(0, number.unwrap_or_default())
}

fn challenge(
    options: &impl serde::Serialize,
    state: &impl serde::Serialize,
) -> Result<Challenge, AccessError> {
    let options = serde_json::to_value(options).map_err(internal)?;
    let state = serde_json::to_string(state).map_err(internal)?;
    Ok(Challenge { options, state })
}

fn kept(made: &SecurityKey) -> Result<KeptCredential, AccessError> {
    let text = serde_json::to_string(made).map_err(internal)?;
    Ok(KeptCredential { id: URL_SAFE_NO_PAD.encode(made.cred_id()), text })
}

fn credential(text: &str) -> Result<SecurityKey, AccessError> {
    read_kept(text)
}

fn read_kept<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, AccessError> {
    serde_json::from_str(text).map_err(internal)
}

fn read_answer<T: serde::de::DeserializeOwned>(answer: &Value) -> Result<T, AccessError> {
    T::deserialize(answer).map_err(|error| AccessError::PasskeyAnswer(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "so that it fits `map_err` as it stands")]
fn internal(error: impl ToString) -> AccessError {
    AccessError::PasskeyState(error.to_string())
}
