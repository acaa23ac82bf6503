//! Who asks, by the address of their machine.
//!
//! The address of the connection counts, unless it is that of a proxy whom the operator trusts. Then
//! `X-Forwarded-For` is read from its end, where the nearest proxy has written, and the first address
//! that is no trusted proxy is the client: what stands before it, the client may have made up. The
//! header `Forwarded` of RFC 7239 is not read, because proxies that write the one pass the other on as
//! it came.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use ipnet::IpNet;

/// The header in which proxies write whom they speak for.
const HEADER: &str = "x-forwarded-for";

/// The address of who asks.
pub(super) fn find(trusted: &[IpNet], request: &Request) -> IpAddr {
    let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
    // Without a connection, as in tests, all are one.
    let peer = connected.map_or(Ipv4Addr::UNSPECIFIED.into(), |connected| connected.0.ip());
    client(peer.to_canonical(), request.headers(), trusted)
}

/// The address of the client, when a connection comes from `peer`.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    let lines: Vec<&str> =
        headers.get_all(HEADER).iter().map(|line| line.to_str().unwrap_or("")).collect();
    let mut told = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_trusted(&client) {
        // Whoever is the last that can be told is answerable for it.
        let Some(before) = told.next().and_then(|text| address(text.trim())) else { break };
        client = before;
    }
    client
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(peer: &str, lines: &[&'static str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, HeaderValue::from_static(line));
        }
        let trusted = ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1/32"].map(|n| n.parse().unwrap());
        let client = client(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(client.to_string(), expected, "{peer} {lines:?}");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        check("192.0.2.1", &["198.51.100.7"], "192.0.2.1");
        check("10.1.1.1", &["198.51.100.7"], "198.51.100.7");
        check("2001:db8::1", &["198.51.100.7"], "198.51.100.7");
        check("10.1.1.1", &[], "10.1.1.1");
    }

    #[test]
    fn what_a_client_has_put_before_is_not_believed() {
        check("10.1.1.1", &["127.0.0.1, 203.0.113.9, 198.51.100.7"], "198.51.100.7");
        check("10.1.1.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7");
        check("10.1.1.1", &["203.0.113.9, 198.51.100.7,10.2.2.2", "10.3.3.3"], "198.51.100.7");
        check("10.1.1.1", &["10.4.4.4", "10.3.3.3"], "10.4.4.4");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        check("10.1.1.1", &["198.51.100.7, unknown"], "10.1.1.1");
        check("10.1.1.1", &["198.51.100.7, , 10.2.2.2"], "10.2.2.2");
        check("10.1.1.1", &["198.51.100.7;DROP, 999.1.1.1"], "10.1.1.1");
        check("10.1.1.1", &[""], "10.1.1.1");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        check("10.1.1.1", &["198.51.100.7:4711"], "198.51.100.7");
        check("10.1.1.1", &["[2001:db9::7]:4711"], "2001:db9::7");
        check("10.1.1.1", &["[2001:db9::7]"], "2001:db9::7");
        check("10.1.1.1", &["::ffff:198.51.100.7"], "198.51.100.7");
    }
}
