//! Which addresses are asked for somebody: those of the public Internet, and networks that the operator
//! names.
//!
//! Who may tell a server whom to ask must not reach through it what only the server reaches: its own
//! machine, its network, the addresses at which clouds hand out credentials.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Whom the server asks for somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    networks: Vec<IpNet>,
}

impl Outside {
    /// The public Internet and `networks`.
    pub fn and(networks: Vec<IpNet>) -> Self {
        Self { networks }
    }

    /// Whether `address` is of a network that the operator has named.
    pub fn is_named(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether `address` may be asked.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.is_named(address) || is_public(address)
    }
}

/// Whether `address` is of the public Internet, by the registries of special addresses of IANA.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // This network, carrier-grade NAT, protocol assignments, 6to4, benchmarks.
        (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _) => true,
        // Multicast, reserved, broadcast.
        (224..=255, ..) => true,
        _ => false,
    };
    !(is_special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // One that stands for an address of version 4 leads to that one.
    let segments = address.segments();
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match segments {
        // NAT64 leads to the last 32 bits.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo, benchmarks, ORCHID, documentation, 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, ..] => false,
        // Only these are given out.
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: bool) {
        assert_eq!(Outside::default().allows(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn only_the_public_internet_is_asked() {
        for address in ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::808:808"] {
            check(address, true);
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            check(address, false);
        }
    }

    #[test]
    fn a_network_that_is_named_is_asked_too() {
        let outside = Outside::and(vec!["10.1.0.0/16".parse().unwrap()]);
        assert!(outside.allows("10.1.2.3".parse().unwrap()));
        assert!(!outside.allows("10.2.2.3".parse().unwrap()));
        assert!(!outside.is_named("8.8.8.8".parse().unwrap()));
    }
}
