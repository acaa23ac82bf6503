//! Scheme, host and port of a page: who a browser says it asks for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderValue;
use axum::http::uri::Authority;

/// The longest host name.
const HOST_CHARS_MAX: usize = 253;

/// An origin as browsers write it: small letters, no port where it is the usual one, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
    is_https: bool,
}

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no origin; give a scheme and a host such as https://bist.example, with a port if it has \
     one, and without a path"
)]
pub struct OriginError(String);

impl Origin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host without a port; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether its pages come over TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether it can only be this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether a header names this origin, and nothing besides.
    pub(crate) fn is(&self, header: &HeaderValue) -> bool {
        header.as_bytes() == self.text.as_bytes()
    }
}

/// Whether a host, without a port, can only be this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        parse(text).ok_or_else(|| OriginError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Origin> {
    let (scheme, rest) = text.split_once("://")?;
    let (scheme, is_https, port_usual) = match scheme.to_ascii_lowercase().as_str() {
        "https" => ("https", true, 443),
        "http" => ("http", false, 80),
        _ => return None,
    };
    let authority: Authority = rest.parse().ok()?;
    let host = authority.host().to_ascii_lowercase();
    let of_name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let is_name =
        host.chars().all(of_name) && host.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_address = host.starts_with('[') && host.ends_with(']');
    if host.len() > HOST_CHARS_MAX || !(is_name || is_address) {
        return None;
    }
    let port = authority.port_u16();
    let named = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    // Nothing else: neither a user, nor a colon without a port.
    if !authority.as_str().eq_ignore_ascii_case(&named) {
        return None;
    }
    let shown = if port.is_none_or(|port| port == port_usual) { &host } else { &named };
    Some(Origin { text: format!("{scheme}://{shown}"), host, is_https })
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_writes() {
        for (text, written) in [
            ("https://bist.example", "https://bist.example"),
            ("HTTPS://BIST.Example:443", "https://bist.example"),
            ("http://localhost:80", "http://localhost"),
            ("https://bist.example:8443", "https://bist.example:8443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), written);
        }
        for text in [
            "",
            "*",
            "null",
            "bist.example",
            "https://",
            "https://*",
            "https://*.bist.example",
            "https://bist.example/",
            "https://bist.example/app",
            "https://bist.example?x",
            "https://ayse@bist.example",
            "https://bist.example:",
            "https://bist.example:99999",
            "ftp://bist.example",
            "https://bist.example,https://b.example",
            "https://.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError(text.to_owned())), "{text}");
        }
    }
}
