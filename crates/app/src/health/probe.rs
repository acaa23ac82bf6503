//! Asks a server whether it is ready, as whoever watches a container does.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use crate::alerts::{client_for_this_machine, outside_client};

/// How long an answer is waited for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

/// Why a server is not taken for ready.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No address of a server.
    #[error("'{0}' is no address of a server; give one such as http://127.0.0.1:8080")]
    Address(String),
    /// It could not be asked.
    #[error("it does not answer: {0}")]
    Asked(#[from] reqwest::Error),
    /// It said that it is not.
    #[error("it says {0}")]
    NotReady(u16),
}

/// Asks the server at `base_url` whether it is ready.
///
/// The certificate of a server on this machine is for the name by which others know it, so it is not
/// looked at there; nothing is sent that could be stolen.
///
/// # Errors
///
/// [`ProbeError`] when it is not, or does not say so within five seconds.
pub async fn probe(base_url: &str) -> Result<(), ProbeError> {
    let unknown = || ProbeError::Address(base_url.to_owned());
    let url = Url::parse(base_url).ok().and_then(|base| base.join("/health/ready").ok());
    let url = url.filter(|url| ["http", "https"].contains(&url.scheme())).ok_or_else(unknown)?;
    let host = url.host_str().ok_or_else(unknown)?.trim_matches(['[', ']']);
    let is_here =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let client = if is_here { client_for_this_machine()? } else { outside_client()? };
    let answer = client.get(url).timeout(ANSWER_TIME_MAX).send().await?;
    match answer.status().as_u16() {
        200 => Ok(()),
        status => Err(ProbeError::NotReady(status)),
    }
}
