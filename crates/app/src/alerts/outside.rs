//! Requests to whomever people name: only to addresses that may be asked, whatever a name leads to at
//! that moment, and never on to another one.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bist_access::Outside;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

/// How long one attempt may take.
pub(super) const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(10);

/// What the server says it is.
pub(crate) const USER_AGENT: &str = concat!("bist-ai-smart-trader/", env!("CARGO_PKG_VERSION"));

/// A client that asks only whom `outside` allows; anybody without it.
pub(super) fn client(outside: Option<&Outside>) -> reqwest::Result<reqwest::Client> {
    match outside {
        Some(outside) => builder().dns_resolver(Guarded(outside.clone())),
        None => builder(),
    }
    .build()
}

/// What all clients have in common: they ask once, and whom they were told to ask.
fn builder() -> reqwest::ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when another thread was faster, with the same provider.
        rustls::crypto::ring::default_provider().install_default().ok();
    }
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .timeout(ATTEMPT_TIME_MAX)
}

/// A client that asks whom the operator names.
pub(crate) fn client_for_named() -> reqwest::Result<reqwest::Client> {
    client(None)
}

/// A client that asks servers of this machine, by whichever name: their certificates are not looked at.
pub(crate) fn client_for_this_machine() -> reqwest::Result<reqwest::Client> {
    builder().danger_accept_invalid_certs(true).build()
}

/// Looks names up, and gives those of their addresses that may be asked.
#[derive(Debug)]
struct Guarded(Outside);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let outside = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| outside.allows(address.ip())).collect();
            if allowed.is_empty() {
                let problem = "the name leads to no address of the public Internet";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
