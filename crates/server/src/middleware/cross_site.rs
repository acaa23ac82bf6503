//! Pages of other sites change nothing here, even in a browser that is signed in.
//!
//! A browser says with each request from where it was made. One that would change something and comes
//! from elsewhere is refused, unless its origin is on the list of the operator, whose pages send an API
//! key. Programs that are no browsers say nothing of the kind and pass.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, header};

use crate::error::ApiError;
use crate::origin::Origin;

/// Says how the site that asks is related to this one (Fetch Metadata Request Headers of the W3C).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whose pages may change something.
#[derive(Debug)]
pub(crate) struct OwnPages {
    pub(super) public_url: Option<Origin>,
    pub(super) listed: Vec<Origin>,
    /// Of the pages that come from here.
    pub(super) scheme: &'static str,
}

/// Refuses what would change something and comes from a page of another site.
pub(super) fn refuse(own: &OwnPages, request: &Request) -> Result<(), ApiError> {
    let changes = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if changes && !own.may_change(request.headers()) {
        return Err(ApiError::CrossSite);
    }
    Ok(())
}

impl OwnPages {
    /// The page that people open: the one of the operator, or else what the request asked for.
    pub(crate) fn page(&self, headers: &HeaderMap) -> Option<Origin> {
        self.public_url.clone().or_else(|| self.here(headers))
    }

    /// The origin that the request asked for.
    fn here(&self, headers: &HeaderMap) -> Option<Origin> {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        format!("{}://{host}", self.scheme).parse().ok()
    }

    /// Whether a request comes from one of our own pages, or from a program that says nothing of where it
    /// is made.
    pub(crate) fn is_own(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) => {
                self.here(headers).iter().chain(&self.public_url).any(|own| own.is(origin))
            }
            (Some(_), Some(_)) => false,
        }
    }

    fn may_change(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = origins.next();
        if origins.next().is_some() {
            return false;
        }
        if origin.is_some_and(|origin| self.listed.iter().any(|listed| listed.is(origin))) {
            return true;
        }
        let sites: Vec<_> = headers.get_all(SEC_FETCH_SITE).iter().collect();
        match (&sites[..], origin) {
            ([site], _) => *site == "same-origin" || *site == "none",
            ([], _) => self.is_own(headers),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], expected: bool) {
        let own = OwnPages {
            public_url: Some("https://bist.example".parse().unwrap()),
            listed: vec!["https://desk.example".parse().unwrap()],
            scheme: "http",
        };
        let mut map = HeaderMap::new();
        map.append("host", "localhost:8080".parse().unwrap());
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        assert_eq!(own.may_change(&map), expected, "{headers:?}");
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "https://bist.example")], false);
        check(&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], false);
        check(&[("origin", "https://evil.example")], false);
        check(&[("origin", "null")], false);
        check(&[("origin", "http://bist.example")], false);
        check(&[("origin", "https://localhost:8080")], false);
        check(&[("origin", "http://localhost:8080.evil.example")], false);
        check(&[("origin", "https://bist.example"), ("origin", "https://evil.example")], false);
    }

    #[test]
    fn own_pages_listed_origins_and_programs_pass() {
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("origin", "http://localhost:8080")], true);
        check(&[("origin", "https://bist.example")], true);
        check(&[("origin", "https://desk.example")], true);
        check(&[("origin", "https://desk.example"), ("sec-fetch-site", "cross-site")], true);
    }
}
