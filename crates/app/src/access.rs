//! Access: accounts and their owners, who has signed in, and what programs may do in their name.
//!
//! What changes is changed in one transaction with the record of the audit. Passwords are hashed on
//! threads of their own, few at a time, so that many who sign in at once take turns instead of memory.

pub mod api_keys;
pub mod callers;
mod hashing;
pub mod key_care;
mod known_callers;
mod own_secrets;
pub mod passkeys;
mod relying_party;
pub mod second_factor;
mod sessions;
pub mod sign_in;
pub mod users;

use bist_access::{KeyRequestError, PASSKEYS_MAX, PasskeyNameError, UserNameError, WeakPassword};
use bist_store::{AccessChange, StoreError};

use crate::App;
use crate::secrets::SecretStoreError;

pub use callers::{Caller, Means};
pub(crate) use hashing::Hashing;
pub(crate) use known_callers::KnownCallers;
pub(crate) use own_secrets::{KnownTokenKey, own_name};
pub use relying_party::RelyingParty;
pub(crate) use sign_in::about;
pub use sign_in::{SignedIn, Visit};
pub use users::{InvitationFor, Invited};

/// Why something about access was not done.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The user name, the password or the code is wrong; which one is not told.
    #[error("the user name, the password or the code is wrong, or a code was used before")]
    WrongCredentials,
    /// Too many passwords are being hashed.
    #[error("too many people sign in at this moment; try again in a few seconds")]
    Busy,
    /// The password is too easy to guess.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The link was used, is too old, or never was one.
    #[error(
        "this link was used or is too old; ask an administrator for another, or make one with \
         `bist users reset NAME`"
    )]
    InvitationInvalid,
    /// An authenticator is in force already.
    #[error("an authenticator is in force already; switch it off before another is set up")]
    SecondFactorOn,
    /// There is no second factor.
    #[error("no second factor is in force; set one up first")]
    SecondFactorOff,
    /// There are no passkeys to sign with.
    #[error("the account has no passkey; add one first, or give a code")]
    NoPasskey,
    /// There is no room for another passkey.
    #[error("the account has {PASSKEYS_MAX} passkeys, and no more are kept; remove one first")]
    TooManyPasskeys,
    /// Nothing but the password would be left.
    #[error("this passkey is all that there is beside the password; give the password too")]
    PasswordNeeded,
    /// What a browser made is not taken.
    #[error(
        "the passkey is not taken: what was asked for is older than five minutes or was answered \
         before, or it was made for another page, or an account has it already; begin again"
    )]
    PasskeyRefused,
    /// What a browser said cannot be read.
    #[error("the answer of the browser is not as WebAuthn describes it: {0}")]
    PasskeyAnswer(String),
    /// There is no such passkey.
    #[error("there is no passkey '{0}' of yours; GET /api/v1/auth/passkeys lists those there are")]
    NoSuchPasskey(String),
    /// The text is no name of a passkey.
    #[error(transparent)]
    PasskeyName(#[from] PasskeyNameError),
    /// What is kept of a passkey or a challenge cannot be read.
    #[error("what is kept of a passkey cannot be used: {0}")]
    PasskeyState(String),
    /// No seed waits for a code.
    #[error("there is no second factor to be confirmed; set one up first")]
    NothingToConfirm,
    /// The text is no user name.
    #[error("user_name: {0}")]
    UserName(#[from] UserNameError),
    /// There is no such account.
    #[error("there is no account '{0}'; `bist users list` names those there are")]
    NoSuchUser(String),
    /// There is no such session.
    #[error("there is no session '{0}' of yours; it may have ended")]
    NoSuchSession(String),
    /// There is no such key.
    #[error("there is no API key '{0}'; `bist keys list` names those there are")]
    NoSuchKey(String),
    /// The key is not in force.
    #[error("the API key '{id}' is {state}; make another one")]
    KeyNotActive {
        /// The key.
        id: String,
        /// Where it stands.
        state: &'static str,
    },
    /// The key waits to be collected.
    #[error(
        "nobody has collected the API key '{0}' yet; `bist keys collect {0}` shows what opens it, once"
    )]
    KeyUncollected(String),
    /// The key does not wait to be collected.
    #[error(
        "the API key '{0}' does not wait to be collected: it was before, or is no successor; rotate the \
         key if nobody has what opens it"
    )]
    NothingToCollect(String),
    /// The key has no successor.
    #[error(
        "this API key has no successor; one that was made with auto_rotate gets it seven days before its \
         end"
    )]
    NoSuccessor,
    /// Nobody could look after accounts any more.
    #[error(
        "this is the last administrator who can sign in; make another one first, with `bist users \
         create-admin`"
    )]
    LastAdministrator,
    /// What was wanted of a key cannot be.
    #[error(transparent)]
    Key(#[from] KeyRequestError),
    /// A seed or a key cannot be had.
    #[error(transparent)]
    Secrets(#[from] SecretStoreError),
    /// The database failed, or a user name is taken.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Begins changes of access. The key of tokens is read before: making it would wait for their end.
    async fn change_access(&self) -> Result<AccessChange, AccessError> {
        self.token_key().await?;
        Ok(self.store.change_access().await?)
    }
}
