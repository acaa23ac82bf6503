//! Until there are accounts, only pages of this machine may ask.
//!
//! Listening on a loopback address is not enough: a page elsewhere can let its own name point to
//! 127.0.0.1 and then read the answers as its own (DNS rebinding). The name in the request tells.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Refuses a request for any host but this machine.
pub(super) async fn require_loopback(request: Request, next: Next) -> Response {
    let in_header = request.headers().get(header::HOST).map(|value| value.to_str().unwrap_or("?"));
    // A request line with a whole URL names the host there, and that counts (RFC 9112, 3.2.2).
    let host = request.uri().authority().map(Authority::as_str).or(in_header);
    match host {
        Some(host) if is_loopback(host) => next.run(request).await,
        other => ApiError::HostNotLocal(other.map(str::to_owned)).into_response(),
    }
}

/// Whether `host`, with or without a port, can only be this machine.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_addresses_of_this_machine_are_let_in() {
        for host in
            ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "127.8.9.1", "[::1]:8080"]
        {
            assert!(is_loopback(host), "{host}");
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
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
