//! One attempt: redirects, the status, the body with its limits.

use std::error::Error as _;

use bist_market::Source;
use reqwest::header::{
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION,
};
use reqwest::{Response, Url};

use crate::fetch_error::FetchError;
use crate::http::kind;
use crate::http::redirect::{self, REDIRECTS_MAX};
use crate::http::request::{Answer, Method, Request};
use crate::http::retry;
use crate::http::shown::{beginning, shown};
use crate::provider::Validators;

/// The most that is read of an answer that says that the request failed.
const FAILURE_BYTES_MAX: usize = 64 << 10;

/// What one attempt needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) client: &'a reqwest::Client,
    pub(crate) source: Source,
    pub(crate) request: &'a Request,
    pub(crate) answer_bytes_max: u64,
}

impl Attempt<'_> {
    /// Asks once, following redirects.
    pub(crate) async fn run(self) -> Result<Answer, FetchError> {
        let first_url = Url::parse(&self.request.url).map_err(|error| self.malformed(error))?;
        let mut url = first_url.clone();
        let mut method = &self.request.method;
        let mut redirects_count = 0;
        loop {
            let headers = self.headers(redirect::is_same_origin(&first_url, &url))?;
            let response = self.ask(&url, method, headers).await?;
            let status = response.status().as_u16();
            let location = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
            let (Some(keeps_method), Some(location)) = (redirect::keeps_method(status), location)
            else {
                return self.read(response).await;
            };
            let next = if redirects_count < REDIRECTS_MAX {
                redirect::next(&url, location)
            } else {
                Err(format!("it sends us on more than {REDIRECTS_MAX} times"))
            };
            url = next.map_err(|reason| FetchError::Status {
                url: shown(url.as_str()),
                status,
                body: Vec::new(),
                beginning: reason,
                retry_after: None,
            })?;
            if !keeps_method {
                method = &Method::Get;
            }
            redirects_count += 1;
        }
    }

    /// The headers of the request; `with_secrets` only for the host that they are meant for.
    pub(super) fn headers(self, with_secrets: bool) -> Result<HeaderMap, FetchError> {
        let request = self.request;
        let validators = [
            (IF_NONE_MATCH, &request.validators.etag),
            (IF_MODIFIED_SINCE, &request.validators.last_modified),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in validators {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).map_err(|e| self.malformed(e))?);
            }
        }
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(*name).map_err(|e| self.malformed(e))?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|e| self.malformed(e))?);
        }
        for (name, value) in request.secret_headers.iter().filter(|_| with_secrets) {
            let name = HeaderName::try_from(*name).map_err(|e| self.malformed(e))?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|e| self.malformed(e))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    async fn ask(
        self,
        url: &Url,
        method: &Method,
        headers: HeaderMap,
    ) -> Result<Response, FetchError> {
        let builder = match method {
            Method::Get => self.client.get(url.clone()),
            Method::Post { body, content_type } => {
                self.client.post(url.clone()).header(CONTENT_TYPE, *content_type).body(body.clone())
            }
        };
        builder.headers(headers).send().await.map_err(|error| {
            if error.is_builder() {
                return self.malformed(error.without_url());
            }
            FetchError::Unreachable { url: shown(url.as_str()), reason: innermost(&error) }
        })
    }

    /// Reads an answer that is not a redirect.
    async fn read(self, response: Response) -> Result<Answer, FetchError> {
        let status = response.status().as_u16();
        let url = shown(response.url().as_str());
        if status == 304 && self.request.validators != Validators::default() {
            return Ok(Answer::NotModified);
        }
        if !(200..300).contains(&status) {
            return Err(self.failure(response, status, url).await);
        }
        let text = |name| {
            response
                .headers()
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
                .map(str::to_owned)
        };
        let content_type = text(CONTENT_TYPE);
        let validators = Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED) };
        let bytes = self.body(response, &url).await?;
        kind::check(self.request.expects, &bytes).map_err(|other| FetchError::WrongKind {
            url,
            expected: other.expected,
            found: other.found.to_owned(),
            beginning: self.beginning(&bytes),
        })?;
        Ok(Answer::Body { bytes, content_type, validators })
    }

    /// Reads a body to its end, or to the limit.
    async fn body(self, mut response: Response, url: &str) -> Result<Vec<u8>, FetchError> {
        let size_bytes_max = self.answer_bytes_max;
        let too_large = || FetchError::TooLarge { url: url.to_owned(), size_bytes_max };
        if response.content_length().is_some_and(|length| length > size_bytes_max) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| FetchError::Truncated {
                url: url.to_owned(),
                reason: innermost(&error),
            })?;
            let Some(chunk) = chunk else { return Ok(bytes) };
            if (bytes.len() + chunk.len()) as u64 > size_bytes_max {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    /// An answer that says that the request failed. What can be read of its body is kept; that it
    /// breaks off does not matter any more.
    async fn failure(self, mut response: Response, status: u16, url: String) -> FetchError {
        let retry_after = retry::retry_after(response.headers());
        let mut body = Vec::new();
        while body.len() < FAILURE_BYTES_MAX {
            let Ok(Some(chunk)) = response.chunk().await else { break };
            body.extend_from_slice(&chunk);
        }
        body.truncate(FAILURE_BYTES_MAX);
        let beginning = self.beginning(&body);
        if status == 429 {
            let words = if beginning.is_empty() { String::new() } else { format!(": {beginning}") };
            let reason = format!("{url} answered 429{words}");
            return FetchError::RateLimited { source_name: self.source, reason, retry_after };
        }
        FetchError::Status { url, status, body, beginning, retry_after }
    }

    fn beginning(self, bytes: &[u8]) -> String {
        beginning(bytes, self.request.secret_headers.iter().map(|(_, secret)| secret))
    }

    /// The request itself is none.
    fn malformed(self, error: impl std::fmt::Display) -> FetchError {
        FetchError::NotOffered {
            source_name: self.source,
            reason: format!("the request for {} is malformed: {error}", shown(&self.request.url)),
        }
    }
}

/// The cause of an error that says most: the innermost one.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.source().is_some() { cause.to_string() } else { "no reason given".to_owned() }
}
