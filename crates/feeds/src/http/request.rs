//! What is asked, and what came back.

use std::fmt;

use bist_access::Secret;

use crate::http::shown::shown;
use crate::provider::Validators;

/// A request to a source.
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Headers beside those that the client sets itself.
    pub headers: Vec<(&'static str, String)>,
    /// Headers that are never printed and never sent to another host.
    pub secret_headers: Vec<(&'static str, Secret)>,
    /// Of the last answer, so that the source can say that nothing changed.
    pub validators: Validators,
    /// The kind of answer that the source documents.
    pub expects: Expects,
    /// Whether asking twice does no harm; only then it is retried.
    pub idempotent: bool,
}

/// What to do with an address.
#[derive(Clone, PartialEq, Eq)]
pub enum Method {
    /// Read it.
    Get,
    /// Send something to it.
    Post {
        /// What is sent.
        body: Vec<u8>,
        /// Its media type.
        content_type: &'static str,
    },
}

/// The kind of answer that a source documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// An object or a list.
    Json,
    /// XML, but not a page.
    Xml,
    /// A text, but not a page.
    Text,
    /// An archive.
    Zip,
    /// Anything, pages too, even nothing.
    Any,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The source has nothing newer than what [`Request::validators`] tell.
    NotModified,
    /// An answer of the expected kind.
    Body {
        /// The whole of it, decompressed.
        bytes: Vec<u8>,
        /// Its media type in the source's words.
        content_type: Option<String>,
        /// For the next request of the same.
        validators: Validators,
    },
}

impl Request {
    /// Reads `url`; such a request is idempotent.
    pub fn get(url: impl Into<String>, expects: Expects) -> Self {
        Self {
            method: Method::Get,
            url: url.into(),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            validators: Validators::default(),
            expects,
            idempotent: true,
        }
    }

    /// Sends `body` to `url`; such a request is not idempotent unless the caller knows better.
    pub fn post(
        url: impl Into<String>,
        content_type: &'static str,
        body: impl Into<Vec<u8>>,
        expects: Expects,
    ) -> Self {
        let method = Method::Post { body: body.into(), content_type };
        Self { method, idempotent: false, ..Self::get(url, expects) }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With one more header that is never printed.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, value: Secret) -> Self {
        self.secret_headers.push((name, value));
        self
    }

    /// Only if there is something newer.
    #[must_use]
    pub fn if_newer_than(mut self, validators: &Validators) -> Self {
        self.validators = validators.clone();
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &shown(&self.url))
            .field("headers", &self.headers)
            .field("secret_headers", &self.secret_headers)
            .field("validators", &self.validators)
            .field("expects", &self.expects)
            .field("idempotent", &self.idempotent)
            .finish()
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => f.write_str("Get"),
            // A body may hold a password.
            Self::Post { body, content_type } => {
                write!(f, "Post({} bytes of {content_type})", body.len())
            }
        }
    }
}
