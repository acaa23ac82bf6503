//! The token of those who read metrics from another machine.

use bist_access::{Fingerprint, SecretName, SecretsError};
use jiff::{SignedDuration, Timestamp};

use crate::App;
use crate::secrets::SecretStoreError;

/// What it is called among the secrets.
const NAME: &str = "metrics.token";

/// How long it is known without looking again, so that wrong ones cost the database nothing.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(15);

/// What was known of the token last: when, and by what it is recognised, where there is one.
pub(super) type KnownToken = Option<(Timestamp, Option<Fingerprint>)>;

impl App {
    /// Whether `text` is the token of those who read metrics from another machine. Without a token
    /// nothing is, and neither while it cannot be had.
    pub async fn is_metrics_token(&self, text: &str) -> bool {
        let mut known = self.telemetry.metrics().token.lock().await;
        let now = self.now();
        let is_known = known.as_ref().is_some_and(|(known_at, _)| {
            (SignedDuration::ZERO..KNOWN_FOR).contains(&now.duration_since(*known_at))
        });
        if !is_known {
            *known = Some((now, self.read_token().await));
        }
        known.as_ref().and_then(|(_, token)| token.as_ref()).is_some_and(|it| it.is_of(text))
    }

    async fn read_token(&self) -> Option<Fingerprint> {
        let name: SecretName = NAME.parse().expect("it is a name");
        match self.secret(&name).await {
            Ok(secret) => Some(Fingerprint::of(&secret)),
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_))) => None,
            Err(error) => {
                tracing::warn!(
                    %error,
                    "the secret {NAME} cannot be had, so metrics are told to this machine only: {error}"
                );
                None
            }
        }
    }
}
