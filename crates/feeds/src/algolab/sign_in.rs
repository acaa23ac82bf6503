//! Signing in at the broker, in two steps, and staying signed in.

use bist_access::Secret;
use bist_market::Source;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::keys::AlgoLabKeys;
use crate::fetch_error::FetchError;
use crate::http::{Answer, Expects, HttpClient, Request};
use crate::json;

/// The media type of what is sent.
const JSON: &str = "application/json";

/// What the first step gives; the second needs it.
#[derive(Clone, Debug)]
pub struct Token(Secret);

/// Somebody who signs in.
#[derive(Debug)]
pub struct SignIn<'a> {
    client: &'a HttpClient,
    keys: &'a AlgoLabKeys,
}

/// Every answer.
#[derive(Debug, Deserialize)]
struct Envelope<C> {
    #[serde(default)]
    success: bool,
    #[serde(default)]
    message: Option<String>,
    content: Option<C>,
}

#[derive(Debug, Deserialize)]
struct TokenContent {
    token: String,
}

#[derive(Debug, Deserialize)]
struct HashContent {
    hash: String,
}

impl<'a> SignIn<'a> {
    /// Somebody with these keys, by a client of [`Source::ALGOLAB`].
    pub fn new(client: &'a HttpClient, keys: &'a AlgoLabKeys) -> Self {
        Self { client, keys }
    }

    /// The first step: user and password; the broker then sends a code to the person's telephone.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when the broker cannot be asked, or refuses.
    pub async fn begin(&self) -> Result<Token, FetchError> {
        let document = json!({
            "username": self.sealed(self.keys.user.expose())?,
            "password": self.sealed(self.keys.password.expose())?,
        });
        let content: TokenContent = self.ask("LoginUser", &document, &[]).await?;
        Ok(Token(Secret::new(content.token)))
    }

    /// The second step: the code. Gives the session.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when the broker cannot be asked, or refuses.
    pub async fn finish(&self, token: &Token, code: &Secret) -> Result<Secret, FetchError> {
        let document = json!({
            "token": self.sealed(token.0.expose())?,
            "password": self.sealed(code.expose())?,
        });
        let content: HashContent = self.ask("LoginUserControl", &document, &[]).await?;
        Ok(Secret::new(content.hash))
    }

    /// Keeps `session` from running out.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when the broker cannot be asked, or the session is not in force any more.
    pub(super) async fn refresh(&self, session: &Secret) -> Result<(), FetchError> {
        const NAME: &str = "SessionRefresh";
        let headers = [
            ("Authorization", session.clone()),
            ("Checker", self.keys.checker(&format!("/api/{NAME}"), "")),
        ];
        let request = self.request(NAME, Vec::new(), &headers);
        let Answer::Body { .. } = self.client.send(&request).await? else {
            return Err(refused(NAME, "nothing new was sent"));
        };
        Ok(())
    }

    async fn ask<C: DeserializeOwned>(
        &self,
        name: &str,
        document: &serde_json::Value,
        headers: &[(&'static str, Secret)],
    ) -> Result<C, FetchError> {
        let body = document.to_string().into_bytes();
        let answer = self.client.send(&self.request(name, body, headers)).await?;
        let Answer::Body { bytes, .. } = answer else {
            return Err(refused(name, "nothing new was sent"));
        };
        // What cannot be read may hold a token, so it is not repeated.
        let malformed = |_| {
            FetchError::malformed(Source::ALGOLAB, name, "the document", "it has another shape")
        };
        let answer: Envelope<json::Cell> = json::parse_object(&bytes).map_err(malformed)?;
        let Some(content) = answer.content.filter(|_| answer.success) else {
            let reason = answer.message.filter(|message| !message.is_empty());
            return Err(refused(name, reason.as_deref().unwrap_or("it gave no reason")));
        };
        json::parse_object(content.text().as_bytes()).map_err(malformed)
    }

    fn request(&self, name: &str, body: Vec<u8>, headers: &[(&'static str, Secret)]) -> Request {
        let base_url = self.client.settings().base_url("api");
        let request = Request::post(format!("{base_url}/api/{name}"), JSON, body, Expects::Any);
        let own = [("APIKEY", self.keys.api_key.clone())];
        own.into_iter()
            .chain(headers.iter().cloned())
            .fold(request, |request, (name, value)| request.secret_header(name, value))
    }

    fn sealed(&self, text: &str) -> Result<String, FetchError> {
        self.keys.sealed(text).map_err(|error| FetchError::NotOffered {
            source_name: Source::ALGOLAB,
            reason: error.to_string(),
        })
    }
}

fn refused(name: &str, reason: &str) -> FetchError {
    FetchError::Refused {
        source_name: Source::ALGOLAB,
        piece: name.to_owned(),
        reason: reason.chars().take(200).collect(),
    }
}
