//! The cookies of one client, which can be forgotten.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use reqwest::Url;
use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::HeaderValue;

/// Cookies as the source set them, for as long as the client lives.
#[derive(Default)]
pub(crate) struct Cookies {
    jar: RwLock<Jar>,
}

impl Cookies {
    pub(crate) fn forget(&self) {
        *self.jar.write().unwrap_or_else(PoisonError::into_inner) = Jar::default();
    }
}

impl CookieStore for Cookies {
    fn set_cookies(&self, headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        self.jar.read().unwrap_or_else(PoisonError::into_inner).set_cookies(headers, url);
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        self.jar.read().unwrap_or_else(PoisonError::into_inner).cookies(url)
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A session's cookie is as good as a password.
        f.write_str("Cookies")
    }
}
