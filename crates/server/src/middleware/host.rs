//! Only requests for this server are answered.
//!
//! Listening on a loopback address is not enough: a page elsewhere can let its own name point to
//! 127.0.0.1 and then read the answers as its own (DNS rebinding). The name in the request tells. It is
//! one of this machine, or the host of the address under which people reach the service.

use axum::extract::Request;
use axum::http::header;
use axum::http::uri::Authority;

use crate::error::ApiError;
use crate::origin::{Origin, is_loopback};

/// What may be asked by any name: whoever watches asks each process by its address. The route itself
/// demands a name of this machine, or a token.
const EXEMPT: &str = "/metrics";

/// Refuses a request for any other host.
pub(super) fn require_own(public_url: Option<&Origin>, request: &Request) -> Result<(), ApiError> {
    let mut headers = request.headers().get_all(header::HOST).iter();
    let in_header = headers.next().map(|value| value.to_str().unwrap_or("?"));
    // Somebody in between may have gone by the other one (RFC 9112, 3.2).
    if headers.next().is_some() {
        let detail = "there is more than one Host header; send one".to_owned();
        return Err(ApiError::Malformed(detail));
    }
    // A request line with a whole URL names the host there, and that counts (RFC 9112, 3.2.2).
    let host = request.uri().authority().map(Authority::as_str).or(in_header);
    match host {
        Some(host) if is_own(host, public_url) => Ok(()),
        _ if request.uri().path() == EXEMPT => Ok(()),
        other => Err(ApiError::HostNotLocal(other.map(str::to_owned))),
    }
}

/// Whether `host`, with or without a port, can only be this server.
fn is_own(host: &str, public_url: Option<&Origin>) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let port_chars = authority.port().map_or(0, |port| port.as_str().len() + 1);
    // Neither a user stands before the name, nor anything but a port behind it.
    if name.len() + port_chars != host.len() {
        return false;
    }
    is_loopback(name) || public_url.is_some_and(|url| url.host().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_addresses_of_this_machine_are_let_in() {
        for host in
            ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "127.8.9.1", "[::1]:8080"]
        {
            assert!(is_own(host, None), "{host}");
        }
        for host in [
            "",
            "?",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "192.168.1.10:8080",
            "[2001:db8::1]",
            "0.0.0.0",
            "localhost@example.com",
            "example.com@localhost",
            "localhost/",
            "localhost:99999",
        ] {
            assert!(!is_own(host, None), "{host}");
        }
    }

    #[test]
    fn the_host_of_the_public_address_is_let_in_and_its_neighbours_are_not() {
        let public_url: Origin = "https://bist.example".parse().unwrap();
        for host in ["bist.example", "BIST.example:443", "localhost:8080"] {
            assert!(is_own(host, Some(&public_url)), "{host}");
        }
        for host in ["www.bist.example", "bist.example.evil.example", "ayse@bist.example", "b"] {
            assert!(!is_own(host, Some(&public_url)), "{host}");
        }
    }
}
