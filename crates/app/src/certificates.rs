//! The certificate of this service: ordered from an authority, kept among the secrets, and renewed.
//!
//! Of several servers one orders, and each of them may be asked by the authority whether the domain is
//! ours: what it has to find is in the database. The certificate, its key and the account are secrets
//! of the product's own, so that a server that starts again has them already.

mod authority;
mod validity;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bist_access::{AuditAction, SealedSecrets, Secret, SecretsError};
use bist_store::certificate_orders::OrderTurn;
use bist_store::{AuditNote, StoreError};
use instant_acme::{Account, AccountCredentials};
use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::authority::{Issued, OrderError};
use crate::App;
use crate::access::own_name;
use crate::secrets::SecretStoreError;

pub use validity::Validity;

/// Where certificates are ordered unless the operator says otherwise: Let's Encrypt.
pub const DIRECTORY_DEFAULT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// What the account is called among the secrets.
const ACCOUNT: &str = "bist.acme-account";

/// What the certificate with its key is called among the secrets.
const CERTIFICATE: &str = "bist.acme-certificate";

/// How long an order may take, until somebody else may try.
const ORDER_TIME_MAX: Duration = Duration::from_secs(4 * 60);

/// How long an order is held: longer than it may take.
const HELD_FOR: SignedDuration = SignedDuration::from_mins(5);

/// How long to wait after the first failure, and at most. Let's Encrypt lets a domain fail five times
/// an hour.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// See [`RETRY_AFTER`].
const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_hours(4);

/// How often it is looked whether another server has renewed the certificate.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked while there is none.
const LOOK_OFTEN: Duration = Duration::from_secs(2);

/// What is ordered, and where. The terms of the authority are accepted by whoever makes this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The names of this service; at least one.
    pub domains: Vec<String>,
    /// Where the authority may write to.
    pub contact: Option<String>,
    /// The address of its directory.
    pub directory: String,
    /// A file with the root that its own certificate leads to, in PEM form; those of the system
    /// otherwise.
    pub roots: Option<PathBuf>,
}

impl AcmeSettings {
    /// What an order is for; another wish need not wait for the last attempt of this one.
    fn wanted(&self) -> String {
        format!("{} {}", self.directory, self.domains.join(" "))
    }
}

/// A certificate in use.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// It, those that lead to its root, and its key.
    certified: Arc<CertifiedKey>,
    /// From when until when it is good.
    pub validity: Validity,
}

/// The certificate of this service, looked after.
#[derive(Debug)]
pub struct Certificates {
    app: App,
    settings: AcmeSettings,
    current: RwLock<Option<Certificate>>,
}

/// Why certificates cannot be looked after.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// The authority cannot be trusted or asked at all.
    #[error("server.acme.roots: the certificate in {path} cannot be used: {told}")]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why.
        told: String,
    },
    /// What is kept cannot be opened.
    #[error(transparent)]
    Secrets(#[from] SecretStoreError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A certificate as it is kept.
#[derive(Deserialize, Serialize)]
struct KeptCertificate {
    directory: String,
    domains: Vec<String>,
    chain: String,
    key: String,
}

/// An account as it is kept.
#[derive(Deserialize, Serialize)]
struct KeptAccount {
    directory: String,
    credentials: AccountCredentials,
}

impl Certificates {
    /// Begins with what is kept from before, if that is what `settings` want.
    ///
    /// # Errors
    ///
    /// [`CertificatesError`] when the root cannot be read, or the secrets cannot be opened.
    pub async fn new(app: App, settings: AcmeSettings) -> Result<Self, CertificatesError> {
        if let (Some(path), Err(error)) = (&settings.roots, settings.builder()) {
            return Err(CertificatesError::Roots { path: path.clone(), told: error.to_string() });
        }
        let certificates = Self { app, settings, current: RwLock::default() };
        certificates.read().await?;
        Ok(certificates)
    }

    /// What is ordered, and where.
    pub fn settings(&self) -> &AcmeSettings {
        &self.settings
    }

    /// The certificate in use; `None` before there is one.
    pub fn current(&self) -> Option<Certificate> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the authority has to find at `domain`, while it looks whether that is ours.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn answer_for(&self, domain: &str) -> Result<Option<[u8; 32]>, StoreError> {
        let digest = self.app.store.certificate_answer(domain).await?;
        let digest = digest.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        Ok(digest.and_then(|bytes| bytes.try_into().ok()))
    }

    /// Looks whether there is another certificate, and orders one when there is none or a third of its
    /// time is left. Returns how long to wait before the next look; what an order failed for is logged.
    ///
    /// # Errors
    ///
    /// [`CertificatesError`] when the database or the secrets fail.
    pub async fn look(&self) -> Result<Duration, CertificatesError> {
        self.read().await?;
        let now = self.app.now();
        let Some(Certificate { validity, .. }) = self.current() else {
            self.order_in_turn(now, AuditAction::CertificateIssued).await?;
            return Ok(LOOK_OFTEN);
        };
        if now < validity.renew_at() {
            return Ok(until(now, validity.renew_at()));
        }
        self.order_in_turn(now, AuditAction::CertificateRenewed).await?;
        Ok(LOOK_OFTEN)
    }

    /// Takes what is kept into use, when it is another one than before.
    async fn read(&self) -> Result<(), CertificatesError> {
        let Some(kept) = self.kept::<KeptCertificate>(CERTIFICATE).await? else { return Ok(()) };
        let KeptCertificate { directory, domains, chain, key } = kept;
        if directory != self.settings.directory || domains != self.settings.domains {
            return Ok(());
        }
        let certificate = match certificate(&chain, &Secret::new(key)) {
            Ok(certificate) => certificate,
            Err(error) => {
                tracing::warn!(%error, "the certificate that is kept is not used: {error}");
                return Ok(());
            }
        };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = |before: &Certificate| before.certified.cert != certificate.certified.cert;
        if current.as_ref().is_none_or(is_new) {
            let not_after = certificate.validity.not_after;
            tracing::info!(%not_after, "a certificate that is good until {not_after} is in use");
            *current = Some(certificate);
        }
        Ok(())
    }

    /// Orders a certificate, if no other server does and the last failure is long enough ago.
    async fn order_in_turn(
        &self,
        now: Timestamp,
        action: AuditAction,
    ) -> Result<(), CertificatesError> {
        let (store, wanted) = (&self.app.store, self.settings.wanted());
        let turn = store.claim_certificate_order(&wanted, now, now + HELD_FOR).await?;
        let OrderTurn::Ours { failures_count } = turn else { return Ok(()) };
        tracing::info!("a certificate for {} is ordered", self.settings.domains.join(", "));
        let ordering = tokio::time::timeout(ORDER_TIME_MAX, self.order(action)).await;
        let Err(error) = ordering.unwrap_or(Err(OrderError::TooSlow)) else {
            store.end_certificate_order().await?;
            return self.read().await;
        };
        let failures_count = failures_count.saturating_add(1);
        let retry_at = self.app.now() + retry_after(failures_count);
        store.defer_certificate_order(failures_count, retry_at).await?;
        let domains = self.settings.domains.join(", ");
        let state = match self.current() {
            Some(Certificate { validity, .. }) => {
                format!("the one in use is good until {}", validity.not_after)
            }
            None => "there is none, and every connection is refused".to_owned(),
        };
        tracing::error!(
            %error, %retry_at,
            "no certificate for {domains} was had: {error}; {state}; the next attempt is at {retry_at}"
        );
        Ok(())
    }

    /// Orders a certificate and keeps it, on record.
    async fn order(&self, action: AuditAction) -> Result<(), OrderError> {
        let account = self.account().await?;
        let issued = match self.settings.order(&self.app, &account).await {
            Err(OrderError::AccountGone) => {
                self.settings.order(&self.app, &self.open_account().await?).await?
            }
            issued => issued?,
        };
        let Certificate { validity, .. } = certificate(&issued.chain, &issued.key)?;
        self.keep_certificate(&issued, validity, action).await
    }

    async fn keep_certificate(
        &self,
        Issued { chain, key }: &Issued,
        validity: Validity,
        action: AuditAction,
    ) -> Result<(), OrderError> {
        let AcmeSettings { directory, domains, .. } = self.settings.clone();
        let details = [
            ("domains", json!(domains)),
            ("directory", json!(directory)),
            ("not_after", json!(validity.not_after.to_string())),
        ];
        let note = AuditNote::new(action, format!("certificate:{}", domains[0]), details);
        let kept = KeptCertificate {
            directory,
            domains,
            chain: chain.clone(),
            key: key.expose().to_owned(),
        };
        let (value, name) = (document(&kept), own_name(CERTIFICATE));
        let (master, audit) = (self.app.master_key().await?, self.app.audit().await?);
        let keep = |sealed: &mut SealedSecrets| {
            sealed.set(&master, &name, &value, audit.at, &mut UnwrapErr(SysRng))?;
            Ok(((), note))
        };
        Ok(self.app.store.change_secrets::<_, SecretStoreError>(&audit, keep).await?)
    }

    /// The account at the authority, opened when there is none.
    async fn account(&self) -> Result<Account, OrderError> {
        match self.kept::<KeptAccount>(ACCOUNT).await? {
            Some(kept) if kept.directory == self.settings.directory => {
                self.settings.resume_account(kept.credentials).await
            }
            _ => self.open_account().await,
        }
    }

    async fn open_account(&self) -> Result<Account, OrderError> {
        let (account, credentials) = self.settings.open_account().await?;
        let directory = self.settings.directory.clone();
        let value = document(&KeptAccount { directory, credentials });
        self.app.keep_own_secret(&own_name(ACCOUNT), &value, true).await?;
        Ok(account)
    }

    /// What is kept under `name`; `None` when there is nothing, or it cannot be read any more.
    async fn kept<T: for<'a> Deserialize<'a>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, SecretStoreError> {
        match self.app.secret(&own_name(name)).await {
            Ok(secret) => Ok(serde_json::from_str(secret.expose()).ok()),
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current().map(|current| current.certified)
    }
}

fn document(value: &impl Serialize) -> Secret {
    Secret::new(serde_json::to_string(value).expect("texts alone"))
}

/// A certificate that can be used, made of its chain and its key in PEM form.
fn certificate(chain: &str, key: &Secret) -> Result<Certificate, OrderError> {
    let unusable = |told: &dyn ToString| OrderError::Unusable(told.to_string());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let chain = chain.map_err(|error| unusable(&error))?;
    let validity = chain.first().and_then(|leaf| Validity::of(leaf));
    let validity = validity.ok_or_else(|| unusable(&"it does not say until when it is good"))?;
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes());
    let key = key.map_err(|error| unusable(&error))?;
    let provider = rustls::crypto::ring::default_provider();
    let certified = CertifiedKey::from_der(chain, key, &provider);
    let certified = certified.map_err(|error| unusable(&error))?;
    Ok(Certificate { certified: Arc::new(certified), validity })
}

/// How long to wait after so many failures: twice as long each time, and between half of that and all
/// of it, so that several who failed at once do not come back at once.
fn retry_after(failures_count: u32) -> SignedDuration {
    let doublings = failures_count.saturating_sub(1).min(16);
    let whole = (RETRY_AFTER * 2_i32.pow(doublings)).min(RETRY_AFTER_MAX);
    let half_ms = u64::try_from(whole.as_millis() / 2).unwrap_or(0);
    let more_ms = UnwrapErr(SysRng).next_u64() % (half_ms + 1);
    whole / 2 + SignedDuration::from_millis(i64::try_from(more_ms).unwrap_or(0))
}

/// The time from `now` to `then`, but no longer than until the next look.
fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).map_or(Duration::ZERO, |wait| wait.min(LOOK_EVERY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_and_chance_shortens_it_by_half_at_the_most() {
        for (failures_count, longest_s) in [(1, 60), (2, 120), (3, 240), (9, 14_400), (99, 14_400)]
        {
            for _ in 0..20 {
                let wait_s = retry_after(failures_count).as_secs_f64();
                let (shortest_s, longest_s) = (f64::from(longest_s) / 2.0, f64::from(longest_s));
                assert!((shortest_s..=longest_s).contains(&wait_s), "{failures_count}: {wait_s}");
            }
        }
    }
}
