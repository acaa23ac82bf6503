//! What is said to a certificate authority, by ACME (RFC 8555), and what its answers mean.

use std::time::Duration;

use bist_access::Secret;
use bist_store::StoreError;
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, Error,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, Problem, RetryPolicy,
};

use super::AcmeSettings;
use crate::App;
use crate::secrets::SecretStoreError;

/// How the authority is asked whether it is done: after a quarter of a second, then less and less often.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(60));

/// What the types of problems begin with that RFC 8555 names.
const PROBLEM: &str = "urn:ietf:params:acme:error:";

/// A certificate as the authority gives it.
pub(super) struct Issued {
    /// It and those that lead to its root, in PEM form.
    pub(super) chain: String,
    /// Its key, in PEM form.
    pub(super) key: Secret,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    /// The authority does not know the account any more.
    #[error("the certificate authority does not know this account any more; another one is opened")]
    AccountGone,
    /// It refuses, and says why.
    #[error("the certificate authority refuses{at}: {told}; {advice}", at = at(domain.as_deref()))]
    Refused {
        /// At which domain.
        domain: Option<String>,
        /// What it said.
        told: String,
        /// What may help.
        advice: &'static str,
    },
    /// It does not look at the port that we serve.
    #[error(
        "the certificate authority does not offer the challenge tls-alpn-01 for {0}, the only one that \
         is answered here; choose another server.acme.directory, or have certbot write the files of \
         [server.tls]"
    )]
    NotOffered(String),
    /// It cannot be asked, or does not speak the protocol.
    #[error(
        "the certificate authority at {directory} cannot be asked: {told}; look whether this machine \
         reaches it, and whether server.acme.directory and server.acme.roots are right"
    )]
    Unreachable {
        /// Where it should be.
        directory: String,
        /// What happened.
        told: String,
    },
    /// It does not come to an end.
    #[error("the certificate authority was not done in time; it is asked again")]
    TooSlow,
    /// The certificate that it gave cannot be used.
    #[error("the certificate authority gave a certificate that cannot be used: {0}")]
    Unusable(String),
    /// The account or the certificate cannot be kept.
    #[error(transparent)]
    Secrets(#[from] SecretStoreError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn at(domain: Option<&str>) -> String {
    domain.map(|domain| format!(" at {domain}")).unwrap_or_default()
}

impl AcmeSettings {
    /// What speaks to the authority.
    pub(super) fn builder(&self) -> Result<AccountBuilder, Error> {
        match &self.roots {
            Some(path) => Account::builder_with_root(path),
            None => Account::builder(),
        }
    }

    /// Opens an account.
    pub(super) async fn open_account(&self) -> Result<(Account, AccountCredentials), OrderError> {
        let contact = self.contact.as_ref().map(|address| format!("mailto:{address}"));
        let contact: Vec<&str> = contact.as_deref().into_iter().collect();
        let account = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let builder = self.builder().map_err(|error| self.said(error, None))?;
        let opened = builder.create(&account, self.directory.clone(), None).await;
        opened.map_err(|error| self.said(error, None))
    }

    /// Goes on with an account that was opened before.
    pub(super) async fn resume_account(
        &self,
        credentials: AccountCredentials,
    ) -> Result<Account, OrderError> {
        let builder = self.builder().map_err(|error| self.said(error, None))?;
        builder.from_credentials(credentials).await.map_err(|error| self.said(error, None))
    }

    /// Orders a certificate, and lets `app` keep what the authority has to find meanwhile.
    pub(super) async fn order(&self, app: &App, account: &Account) -> Result<Issued, OrderError> {
        let said = |error| self.said(error, None);
        let identifiers: Vec<_> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await.map_err(said)?;
        self.show_domains(app, &mut order).await?;
        match order.poll_ready(&PATIENCE).await {
            Ok(OrderStatus::Ready) => {}
            // The reason stands with the domain that was not found to be ours.
            Ok(_) | Err(Error::Api(_)) => return Err(self.refused_domain(&mut order).await),
            Err(error) => return Err(said(error)),
        }
        let key = Secret::new(order.finalize().await.map_err(said)?);
        let chain = order.poll_certificate(&PATIENCE).await.map_err(said)?;
        Ok(Issued { chain, key })
    }

    /// Has the authority look at each domain that it has not looked at lately.
    async fn show_domains(&self, app: &App, order: &mut Order) -> Result<(), OrderError> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(|error| self.said(error, None))?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let domain = authorization.identifier().to_string();
            let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
                return Err(OrderError::NotOffered(domain));
            };
            let digest = challenge.key_authorization().dns_value();
            app.store.keep_certificate_answer(&domain, &digest).await?;
            challenge.set_ready().await.map_err(|error| self.said(error, Some(domain)))?;
        }
        Ok(())
    }

    /// Why an order failed, as the first domain has it that was refused.
    async fn refused_domain(&self, order: &mut Order) -> OrderError {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let Ok(mut authorization) = authorization else { continue };
            if authorization.refresh().await.is_err() {
                continue;
            }
            let domain = authorization.identifier().to_string();
            let problem = authorization.challenges.iter().find_map(|one| one.error.clone());
            if let Some(problem) = problem {
                return self.said(Error::Api(problem), Some(domain));
            }
        }
        let told = "it gives no reason".to_owned();
        OrderError::Refused { domain: None, told, advice: "it is asked again" }
    }

    fn said(&self, error: Error, domain: Option<String>) -> OrderError {
        if let Error::Api(problem) = error {
            return refused(problem, domain);
        }
        if matches!(error, Error::Timeout(_)) {
            return OrderError::TooSlow;
        }
        let mut told = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            told = format!("{told}: {inner}");
            cause = inner.source();
        }
        OrderError::Unreachable { directory: self.directory.clone(), told }
    }
}

fn refused(problem: Problem, domain: Option<String>) -> OrderError {
    let kind = problem.r#type.unwrap_or_default();
    let kind = kind.strip_prefix(PROBLEM).unwrap_or(&kind);
    let advice = match kind {
        "accountDoesNotExist" => return OrderError::AccountGone,
        "dns" => "give the domain an A or AAAA record that leads to this server",
        "connection" | "unauthorized" | "tls" | "incorrectResponse" => {
            "let the domain lead to this server, and its port 443 through every firewall to the one that \
             is served, without a proxy that ends TLS before it"
        }
        "caa" => "allow this authority in the CAA record of the domain",
        "rateLimited" => "wait; it lets only so many orders through in a week",
        "rejectedIdentifier" => "correct server.acme.domains",
        "invalidContact" | "unsupportedContact" => "correct server.acme.contact",
        "externalAccountRequired" => {
            "it wants an account that was opened elsewhere, which is not supported; choose another \
             server.acme.directory"
        }
        "userActionRequired" => "its terms have changed; read them, and follow what it says",
        _ => "it is asked again",
    };
    let mut told = problem.detail.unwrap_or_else(|| kind.to_owned());
    for inner in problem.subproblems {
        told = format!("{told}; {inner}");
    }
    OrderError::Refused { domain, told, advice }
}
