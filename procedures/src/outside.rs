//! Where this service may call: out into the world, and nowhere that it could be led into its own network.
//!
//! Organizations name addresses, of webhooks and of identity providers, so the server must not be made to call for them
//! what only the server can reach. A literal address is judged when it is told and again before each request, a name each
//! time it is resolved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::limits::MAX_URL;
use crate::values::Text;

/// An address as it is told.
pub type UrlText = Text<MAX_URL>;

/// What is not public of IPv4, by the first address of each network and how many bits all of its addresses share
/// (IANA's registry of special-purpose addresses). Loopback is a case of its own.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // With the broadcast address.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// All of IPv6 that is public: what is local, multicast or not assigned lies outside.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// But for these: protocols' own addresses (Teredo among them), and two for documentation.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether this address may be called.
pub fn may_be_called(ip: IpAddr, loopback_allowed: bool) -> bool {
    match ip {
        ip if ip.is_loopback() => loopback_allowed,
        IpAddr::V4(ip) => !NOT_PUBLIC_V4.iter().any(|network| is_within_v4(ip, *network)),
        IpAddr::V6(ip) => match embedded(ip) {
            Some(ip) => may_be_called(ip.into(), loopback_allowed),
            None => {
                is_within_v6(ip, GLOBAL_UNICAST)
                    && !NOT_PUBLIC_V6.iter().any(|network| is_within_v6(ip, *network))
            }
        },
    }
}

fn is_within_v4(ip: Ipv4Addr, (first, bits): (Ipv4Addr, u32)) -> bool {
    (u32::from(ip) ^ u32::from(first)).leading_zeros() >= bits
}

fn is_within_v6(ip: Ipv6Addr, (first, bits): (Ipv6Addr, u32)) -> bool {
    (u128::from(ip) ^ u128::from(first)).leading_zeros() >= bits
}

/// The address of IPv4 that this one of IPv6 only stands for: mapped (RFC 4291), translated (NAT64, RFC 6052), or by way
/// of a relay (6to4, RFC 3056).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, _, _, _, _, _] => {
            Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        _ => None,
    }
}

/// An address in the one way of writing it that it is called by, or what is wrong with it.
///
/// Only `https`, and `http` to this machine where that is allowed.
pub fn callable_url(text: &str, loopback_allowed: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "not a URL")?;
    let host = url.host().ok_or("without a host")?;
    match url.scheme() {
        "https" => {}
        "http" if loopback_allowed && is_this_machine(&host) => {}
        _ => return Err("not https"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("with credentials");
    }
    let literal = match host {
        Host::Ipv4(ip) => Some(IpAddr::from(ip)),
        Host::Ipv6(ip) => Some(IpAddr::from(ip)),
        Host::Domain(_) => None,
    };
    if literal.is_some_and(|ip| !may_be_called(ip, loopback_allowed)) {
        return Err("an address that is not public");
    }
    if url.as_str().len() > MAX_URL {
        return Err("too long");
    }
    Ok(url)
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last address of each network, and those beside it.
    #[test]
    fn public_addresses_alone() {
        for (ip, public) in [
            ("0.0.0.0", false),
            ("0.255.255.255", false),
            ("1.0.0.0", true),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("169.253.255.255", true),
            ("169.254.0.0", false),
            ("169.254.169.254", false),
            ("169.254.255.255", false),
            ("169.255.0.0", true),
            ("172.15.255.255", true),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("191.255.255.255", true),
            ("192.0.0.0", false),
            ("192.0.0.255", false),
            ("192.0.1.255", true),
            ("192.0.2.0", false),
            ("192.0.2.255", false),
            ("192.0.3.0", true),
            ("192.88.98.255", true),
            ("192.88.99.1", false),
            ("192.88.100.0", true),
            ("192.167.255.255", true),
            ("192.168.0.0", false),
            ("192.168.255.255", false),
            ("192.169.0.0", true),
            ("198.17.255.255", true),
            ("198.18.0.0", false),
            ("198.19.255.255", false),
            ("198.20.0.0", true),
            ("198.51.99.255", true),
            ("198.51.100.0", false),
            ("198.51.100.255", false),
            ("198.51.101.0", true),
            ("203.0.112.255", true),
            ("203.0.113.0", false),
            ("203.0.113.255", false),
            ("203.0.114.0", true),
            ("223.255.255.255", true),
            ("224.0.0.0", false),
            ("239.255.255.255", false),
            ("240.0.0.0", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::2", false),
            ("::8.8.8.8", false),
            ("64:ff9b:1::808:808", false),
            ("100::1", false),
            ("1fff:ffff::", false),
            ("2000::", true),
            ("2001::1", false),
            ("2001:1ff:ffff::", false),
            ("2001:200::", true),
            ("2001:db7:ffff::", true),
            ("2001:db8::", false),
            ("2001:db8:ffff::1", false),
            ("2001:db9::", true),
            ("2606:4700:4700::1111", true),
            ("3ffe::1", true),
            ("3fff::1", false),
            ("3fff:fff::1", false),
            ("3fff:1000::1", true),
            ("4000::", false),
            ("fc00::", false),
            ("fdff:ffff::1", false),
            ("fe80::1", false),
            ("febf::1", false),
            ("fec0::1", false),
            ("ff00::", false),
            ("ff02::1", false),
        ] {
            let parsed = ip.parse().unwrap();
            assert_eq!([false, true].map(|loopback| may_be_called(parsed, loopback)), [public; 2], "{ip}");
        }
    }

    #[test]
    fn an_embedded_address_counts() {
        for (v4, public) in [("8.8.8.8", true), ("10.1.2.3", false), ("169.254.169.254", false)] {
            let [a, b, c, d] = v4.parse::<Ipv4Addr>().unwrap().octets();
            let hex = format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
            for ip in [format!("::ffff:{hex}"), format!("64:ff9b::{hex}"), format!("2002:{hex}::1")] {
                assert_eq!(may_be_called(ip.parse().unwrap(), false), public, "{ip}");
            }
        }
    }

    #[test]
    fn loopback_where_it_is_allowed() {
        for ip in ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"] {
            let ip = ip.parse().unwrap();
            assert_eq!([false, true].map(|allowed| may_be_called(ip, allowed)), [false, true], "{ip}");
        }
    }

    #[test]
    fn urls_in_one_way_of_writing_them() {
        for (text, url) in [
            ("https://receiver.example", "https://receiver.example/"),
            ("HTTPS://Receiver.Example:443/Hook?a=b", "https://receiver.example/Hook?a=b"),
            ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
            ("https://134744072/", "https://8.8.8.8/"),
        ] {
            assert_eq!(callable_url(text, false).as_ref().map(Url::as_str), Ok(url));
        }
    }

    #[test]
    fn urls_that_are_not_called() {
        let long = format!("https://receiver.example/{}", "ä".repeat(400));
        for (text, problem) in [
            ("receiver.example/hook", "not a URL"),
            ("/hook", "not a URL"),
            ("https://", "not a URL"),
            ("mailto:ada@receiver.example", "without a host"),
            ("ftp://receiver.example/", "not https"),
            ("http://receiver.example/", "not https"),
            ("https://ada@receiver.example/", "with credentials"),
            ("https://:secret@receiver.example/", "with credentials"),
            ("https://10.0.0.1/", "an address that is not public"),
            ("https://0x0a000001/", "an address that is not public"),
            ("https://[fd00::1]/", "an address that is not public"),
            ("https://[::ffff:169.254.169.254]/", "an address that is not public"),
            (long.as_str(), "too long"),
        ] {
            for loopback in [false, true] {
                assert_eq!(callable_url(text, loopback), Err(problem), "{text}");
            }
        }
    }

    #[test]
    fn urls_of_this_machine() {
        for (text, without) in [
            ("http://localhost:4000/", Some("not https")),
            ("http://127.0.0.1/", Some("not https")),
            ("http://[::1]:4000/", Some("not https")),
            ("https://127.1/", Some("an address that is not public")),
            // A name is judged when it is resolved.
            ("https://localhost/", None),
        ] {
            assert_eq!(callable_url(text, false).err(), without, "{text}");
            assert!(callable_url(text, true).is_ok(), "{text}");
        }
    }
}
