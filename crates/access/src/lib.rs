//! Who may do what and how often; secrets: how they are named, kept out of sight, and sealed by the
//! master key; and the chain of records of what was done.
//!
//! A [`Secret`] is a text that is never printed and is wiped when it is dropped. [`SealedSecrets`]
//! is what a database holds of all of them: each value is sealed under a data key of its own, the
//! data keys under the [`MasterKey`], and a register tells which secrets there are
//! (docs/adr/0027-secrets.md). An [`AuditRecord`] says who did what, in a chain that only the
//! [`AuditKey`] continues (docs/adr/0028-audit.md). Random numbers and the time are arguments; nothing here reads a file
//! or knows where the master key comes from.
//!
//! ```
//! use bist_access::{MasterKey, SealedSecrets, Secret, SecretName};
//! use jiff::Timestamp;
//! use rand_chacha::ChaCha20Rng;
//! use rand_chacha::rand_core::SeedableRng;
//!
//! // A program takes the generator of the operating system.
//! let mut rng = ChaCha20Rng::seed_from_u64(7);
//! let key = MasterKey::generate(&mut rng);
//! let name: SecretName = "evds".parse()?;
//! let mut sealed = SealedSecrets::default();
//! sealed.add(&key, &name, &Secret::parse("s3cr3t")?, Timestamp::UNIX_EPOCH, &mut rng)?;
//!
//! assert_eq!(sealed.value(&key, &name)?.expose(), "s3cr3t");
//! assert_eq!(format!("{:?}", sealed.value(&key, &name)?), "[secret]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod account;
pub mod actor;
pub mod api_key;
pub mod audit;
mod envelope;
pub mod fingerprint;
pub mod id;
pub mod master_key;
pub mod outside;
pub mod passkey;
pub mod password;
pub mod rate_limit;
pub mod recovery_code;
pub mod role;
pub mod sealed;
pub mod secret;
pub mod security_check;
pub mod session;
pub mod token;
pub mod totp;
pub mod webhook;

pub use account::{
    Account, AccountState, Authenticator, FactorKind, SecondFactor, UserName, UserNameError,
};
pub use actor::Actor;
pub use api_key::{ApiKey, KeyCare, KeyRequest, KeyRequestError, KeyState, Scope, ScopeError};
pub use audit::{
    AuditAction, AuditActionError, AuditBreak, AuditDetails, AuditEntry, AuditHead, AuditKey,
    AuditKeyError, AuditPersonal, AuditProblem, AuditRecord, AuditRoot, AuditRootError,
    AuditVerification, AuditVerifier,
};
pub use fingerprint::Fingerprint;
pub use id::{
    AccountId, AlertId, AlertRuleId, IdError, KeyId, OrderId, PasskeyId, PortfolioId, SessionId,
    WatchlistId,
};
pub use master_key::{MASTER_KEY_TEXT_BYTES_MAX, MasterKey, MasterKeyError};
pub use outside::Outside;
pub use passkey::{PASSKEYS_MAX, Passkey, PasskeyNameError};
pub use password::{HashedPassword, HashedPasswordError, WeakPassword};
pub use rate_limit::{Class, Decision, Quota, QuotaError, RateLimiter};
pub use recovery_code::{RECOVERY_CODES, normal_recovery_code, random_recovery_codes};
pub use role::{Role, RoleError};
pub use sealed::{SealedRegister, SealedSecret, SealedSecrets, SecretEntry, SecretsError};
pub use secret::{SECRET_BYTES_MAX, Secret, SecretError, SecretName, SecretNameError};
pub use security_check::{CheckResult, SecurityCheck, security_score};
pub use session::{SESSION_IDLE_MAX, Session, Stage};
pub use token::{TokenDigest, TokenKey, TokenKeyError, TokenKind};
pub use totp::{Enrolment, TotpSeed, TotpSeedError};
pub use webhook::{WebhookKey, WebhookKeyError};
