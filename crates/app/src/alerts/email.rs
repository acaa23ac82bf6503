//! Mail, by a server of the operator's.

use bist_access::SecretName;
use bist_store::ClaimedDelivery;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::delivery::Told;
use super::outside::ATTEMPT_TIME_MAX;
use super::problem::DeliveryProblem;
use crate::App;

/// How what passes to the server of mail is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// By TLS from the beginning.
    Tls,
    /// By TLS once the server was asked for it, or not at all sent.
    Starttls,
    /// Not at all; for a server on the same machine.
    None,
}

/// A server of mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Its name.
    host: String,
    /// Its port.
    port: u16,
    /// How what passes is protected.
    security: SmtpSecurity,
    /// Who signs in there, and the secret that is the password.
    credentials: Option<(String, SecretName)>,
    /// Who the mail is from.
    from: Address,
}

impl SmtpSettings {
    /// A server of mail, by which mail is sent from the mail box `from`.
    ///
    /// # Errors
    ///
    /// A sentence about `from` when it is no address of a mail box.
    pub fn new(
        host: &str,
        port: u16,
        security: SmtpSecurity,
        credentials: Option<(String, SecretName)>,
        from: &str,
    ) -> Result<Self, String> {
        let from = super::address::mail(from)?;
        Ok(Self { host: host.to_owned(), port, security, credentials, from })
    }
}

impl App {
    pub(super) async fn send_mail(
        &self,
        settings: &SmtpSettings,
        to: &str,
        delivery: &ClaimedDelivery,
        told: &Told,
    ) -> Result<(), DeliveryProblem> {
        let to = super::address::mail(to).map_err(DeliveryProblem::lasting)?;
        let message = Message::builder()
            .from(Mailbox::new(Some("BIST AI Smart Trader".to_owned()), settings.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(told.subject.clone())
            // The same for each attempt, so that a receiver can tell a second copy.
            .message_id(Some(format!("<{}@{}>", delivery.alert, settings.from.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(told.body.clone())
            .map_err(|error| DeliveryProblem::lasting(format!("no mail can be made: {error}")))?;
        let builder = match settings.security {
            SmtpSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&settings.host),
            SmtpSecurity::Starttls => {
                AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&settings.host)
            }
            SmtpSecurity::None => {
                Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host))
            }
        };
        let builder = builder
            .map_err(|error| DeliveryProblem::passing(format!("the server of mail: {error}")))?
            .port(settings.port)
            .timeout(Some(ATTEMPT_TIME_MAX));
        let builder = match &settings.credentials {
            None => builder,
            Some((user_name, name)) => {
                let password = self.secret(name).await.map_err(|error| {
                    tracing::error!(%error, "the password of smtp cannot be had: {error}");
                    DeliveryProblem::passing("the server cannot sign in to its server of mail")
                })?;
                let password = password.expose().to_owned();
                builder.credentials(Credentials::new(user_name.clone(), password))
            }
        };
        match builder.build().send(message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let text = format!("the server of mail refused: {error}");
                let code = error.status().map(|code| code.to_string());
                // A refused password is the operator's affair, and may be mended.
                let is_final = error.is_permanent() && code.as_deref() != Some("535");
                // It says nothing, that it closes (421), or that it does not know us: so to everybody.
                let is_away = code.is_none_or(|code| ["421", "535"].contains(&code.as_str()));
                Err(DeliveryProblem { is_final, is_away, ..DeliveryProblem::passing(text) })
            }
        }
    }
}
