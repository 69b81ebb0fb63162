//! Where requests come from: the other end of the connection, or whoever a trusted proxy says it calls for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::header::{FORWARDED, HeaderMap, HeaderName};
use http::request::Parts;
use ipnet::IpNet;

/// What proxies said before RFC 7239, and most still do.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a connection; each of its requests has it among its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What calls are counted by: an address of IPv4, or the first half of one of IPv6, for whoever has one has all the
/// addresses that begin so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        ClientAddress(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::from([a, b, c, d, 0, 0, 0, 0]).into()
            }
        })
    }
}

/// A proxy's address, or a range of such addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

impl FromStr for TrustedProxy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let range =
            range.map_err(|_| "not an address or a range of them such as 10.0.0.0/8 or 2001:db8::/32")?;
        match range.prefix_len() {
            0 => Err("that is every address there is: whoever calls could say that somebody else does"),
            _ => Ok(TrustedProxy(range)),
        }
    }
}

/// The proxies whose word is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Box<[TrustedProxy]>);

impl TrustedProxies {
    pub fn new(proxies: Vec<TrustedProxy>) -> Self {
        TrustedProxies(proxies.into())
    }

    /// Whom a request is counted by. Requests that came by no connection are all counted together.
    pub fn client(&self, head: &Parts) -> ClientAddress {
        let peer = head.extensions.get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |Peer(peer)| *peer);
        self.origin(peer, &head.headers).into()
    }

    /// The last one who is no trusted proxy, of all that the request came by.
    ///
    /// A proxy that knows one of the two headers hands on whatever a client has written into the other: where both are
    /// there and say different things, neither is believed, and the request is the proxy's.
    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        let named_by = |header: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
            headers.contains_key(header).then(|| self.last_untrusted(peer, hops(headers, header).map(read)))
        };
        match (named_by(&FORWARDED, element), named_by(&X_FORWARDED_FOR, node)) {
            (Some(one), None) | (None, Some(one)) => one,
            (Some(one), Some(other)) if one == other => one,
            (Some(_), Some(_)) | (None, None) => peer,
        }
    }

    /// Goes back from hop to hop for as long as one is trusted to know whom it was called by.
    fn last_untrusted(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut last = peer;
        for hop in hops {
            match hop {
                Some(hop) if self.trust(last) => last = hop,
                Some(_) | None => break,
            }
        }
        last
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|TrustedProxy(range)| range.contains(&address))
    }
}

/// What the hops have added to a header, the last one's word first. What is no text is a word that nobody can read.
fn hops<'h>(headers: &'h HeaderMap, header: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(header).iter().rev().flat_map(|value| value.to_str().unwrap_or_default().rsplit(','))
}

/// The `for` of a forwarded-element (RFC 7239, section 4); none unless all of the element is well-formed. It is cut at
/// commas and semicolons within quotes too: those are in none that names an address, and what is left of one that has
/// them is not well-formed.
fn element(text: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in text.split(';') {
        let (name, value) = pair.trim().split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => value,
        };
        if value.contains(['"', '\\']) {
            return None;
        }
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    node(found?)
}

/// An address with a port or without, of IPv6 in brackets or, as some proxies write it, not. `unknown` and made-up names
/// are none.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address: IpAddr = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok()?.into(),
        None => {
            text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip())).ok()?
        }
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::HeaderMap;
    use http::header::{HeaderName, HeaderValue};

    use super::{ClientAddress, TrustedProxies, TrustedProxy};

    fn origin(proxies: &[&str], peer: &str, headers: &[(&str, &str)]) -> String {
        let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            map.append(name.parse::<HeaderName>().unwrap(), value);
        }
        TrustedProxies::new(proxies).origin(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn whom_a_request_comes_from() {
        const X: &str = "x-forwarded-for";
        const F: &str = "forwarded";
        const PROXIES: &[&str] = &["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"];
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
        let rows: &[Row] = &[
            // Nobody's word is taken who is not trusted.
            ("203.0.113.9", &[(X, "198.51.100.7")], "203.0.113.9"),
            ("203.0.113.9", &[(F, "for=198.51.100.7")], "203.0.113.9"),
            ("192.0.2.2", &[(X, "198.51.100.7")], "192.0.2.2"),
            // One proxy; what stands before its own word is its client's, who may have made it up.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[(X, "198.51.100.7")], "198.51.100.7"),
            ("192.0.2.1", &[(X, "198.51.100.7")], "198.51.100.7"),
            ("::ffff:10.0.0.1", &[(X, "198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[(X, "1.2.3.4, 198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[(X, "1.2.3.4"), (X, "198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[(X, "garbage,198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[(F, "for=1.2.3.4, for=198.51.100.7;proto=https;by=10.0.0.1")], "198.51.100.7"),
            ("10.0.0.1", &[(F, "for=\"1.2.3.4"), (F, "for=198.51.100.7")], "198.51.100.7"),
            // Several.
            ("10.0.0.1", &[(X, "1.2.3.4, 198.51.100.7, 10.0.0.2, 2001:db8:1::5")], "198.51.100.7"),
            ("10.0.0.1", &[(F, "For=198.51.100.7, FOR=\"[2001:db8:1::5]:4711\"")], "198.51.100.7"),
            ("10.0.0.1", &[(X, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            // Ports, and addresses of IPv6.
            ("10.0.0.1", &[(X, "198.51.100.7:51000")], "198.51.100.7"),
            ("10.0.0.1", &[(X, "2001:db8:2::7")], "2001:db8:2::7"),
            ("10.0.0.1", &[(X, "[2001:db8:2::7]")], "2001:db8:2::7"),
            ("10.0.0.1", &[(X, "[2001:db8:2::7]:51000")], "2001:db8:2::7"),
            ("10.0.0.1", &[(X, "::ffff:198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[(F, "for=\"[2001:db8:2::7]\"")], "2001:db8:2::7"),
            ("10.0.0.1", &[(F, "for=\"198.51.100.7:51000\"")], "198.51.100.7"),
            // What cannot be read is the word of the last who could be: a proxy's.
            ("10.0.0.1", &[(X, "")], "10.0.0.1"),
            ("10.0.0.1", &[(X, "unknown")], "10.0.0.1"),
            ("10.0.0.1", &[(X, "198.51.100.7, unknown, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1", &[(X, "198.51.100.7, \u{e4}")], "10.0.0.1"),
            ("10.0.0.1", &[(F, "for=_hidden")], "10.0.0.1"),
            ("10.0.0.1", &[(F, "proto=https")], "10.0.0.1"),
            ("10.0.0.1", &[(F, "for=198.51.100.7;for=1.2.3.4")], "10.0.0.1"),
            // A host that a client has chosen, quoted by the proxy.
            ("10.0.0.1", &[(F, "for=198.51.100.7;host=\"x, for=1.2.3.4\"")], "10.0.0.1"),
            ("10.0.0.1", &[(F, "for=198.51.100.7;host=\"x, for=1.2.3.4;y=1\"")], "10.0.0.1"),
            ("10.0.0.1", &[(F, "for=198.51.100.7;host=\"x, for=1.2.3.4;y=\\\"1\"")], "10.0.0.1"),
            // One header is the proxy's, the other may be anyone's.
            ("10.0.0.1", &[(F, "for=1.2.3.4"), (X, "198.51.100.7")], "10.0.0.1"),
            ("10.0.0.1", &[(F, "garbage"), (X, "198.51.100.7")], "10.0.0.1"),
            ("10.0.0.1", &[(F, "for=198.51.100.7"), (X, "198.51.100.7")], "198.51.100.7"),
        ];
        for (peer, headers, expected) in rows {
            assert_eq!(origin(PROXIES, peer, headers), *expected, "{peer} {headers:?}");
        }
        assert_eq!(origin(&[], "10.0.0.1", &[(X, "198.51.100.7")]), "10.0.0.1");
    }

    #[test]
    fn what_is_counted_together() {
        let counted = |address: &str| ClientAddress::from(address.parse::<IpAddr>().unwrap());
        for (one, other) in
            [("2001:db8:2:3::1", "2001:db8:2:3:ffff:ffff:ffff:ffff"), ("198.51.100.7", "::ffff:198.51.100.7")]
        {
            assert_eq!(counted(one), counted(other));
        }
        for (one, other) in [("2001:db8:2:3::1", "2001:db8:2:4::1"), ("198.51.100.7", "198.51.100.8")] {
            assert_ne!(counted(one), counted(other));
        }
    }

    #[test]
    fn proxies_as_they_are_written() {
        for right in ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"] {
            assert!(right.parse::<TrustedProxy>().is_ok(), "{right}");
        }
        for wrong in
            ["", "*", "proxy.example", "10.0.0.0/33", "10.0.0.0/", "0.0.0.0/0", "::/0", "10.0.0.1:80"]
        {
            assert!(wrong.parse::<TrustedProxy>().is_err(), "{wrong}");
        }
    }
}
