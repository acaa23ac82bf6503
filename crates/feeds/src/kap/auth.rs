//! How we identify ourselves to the official service.

use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bist_access::Secret;
use bist_market::Source;
use serde::Deserialize;

use crate::fetch_error::FetchError;
use crate::http::{Answer, Expects, HttpClient, Request};
use crate::json;

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
}

/// The header that identifies us, and where it comes from.
#[derive(Debug, Default)]
pub(super) struct Auth {
    /// The token of the last sign-in; it lasts for about a day.
    token: Mutex<Option<Secret>>,
}

impl Auth {
    /// The value of `Authorization`. A credential with a colon is a user and a password, which go
    /// along as they are (the test service); one without is a key for which a token is fetched
    /// first, once (production).
    pub(super) async fn header(&self, client: &HttpClient) -> Result<Secret, FetchError> {
        let Some(credential) = client.settings().credential.get() else {
            return Err(FetchError::CredentialMissing {
                source_name: Source::KAP,
                what: "the key of a contract with MKK",
                advice: "set it as the credential of the source 'kap': the key for production, key:secret for the test service",
            });
        };
        if credential.expose().contains(':') {
            let encoded = BASE64_STANDARD.encode(credential.expose());
            return Ok(Secret::new(format!("Basic {encoded}")));
        }
        let known = self.now().clone();
        if let Some(header) = known {
            return Ok(header);
        }
        let header =
            Secret::new(format!("Bearer {}", sign_in(client, &credential).await?.expose()));
        *self.now() = Some(header.clone());
        Ok(header)
    }

    /// Forgets the token; whether there was one, so that a new one may help.
    pub(super) fn forget(&self) -> bool {
        self.now().take().is_some()
    }

    fn now(&self) -> MutexGuard<'_, Option<Secret>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches a token for the key, from the root of the gateway.
async fn sign_in(client: &HttpClient, key: &Secret) -> Result<Secret, FetchError> {
    let malformed =
        |reason: &str| FetchError::malformed(Source::KAP, "the sign-in", "token", reason);
    let base_url = client.settings().base_url("api");
    let mut url = reqwest::Url::parse(base_url).map_err(|error| FetchError::NotOffered {
        source_name: Source::KAP,
        reason: format!("its address '{base_url}' is none: {error}"),
    })?;
    url.set_path("/auth/generateToken");
    url.query_pairs_mut().append_pair("apiKey", key.expose());
    let answer = client.send(&Request::get(url, Expects::Json)).await?;
    let Answer::Body { bytes, .. } = answer else { return Err(malformed("nothing new was sent")) };
    let answer: TokenAnswer =
        json::parse(&bytes).map_err(|_| malformed("the document has another shape"))?;
    match answer.token.map(|token| token.trim().to_owned()) {
        Some(token) if !token.is_empty() => Ok(Secret::new(token)),
        _ => Err(malformed("it is missing")),
    }
}
