//! Which web pages may call from a browser: they are told by their `Origin` (RFC 6454), which a page cannot choose.
//!
//! A page from elsewhere is not told the answer of a call over HTTP (the Fetch standard's CORS protocol), and gets no
//! WebSocket, which browsers would open for any page.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::answer::REQUEST_ID;
use crate::auth::ORGANIZATION_HEADER;

/// How long a browser may remember what it was allowed.
const PREFLIGHT_FRESHNESS: Duration = Duration::from_secs(10 * 60);

/// The origin of a web page: `https://learn.example.com`, with a port where it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "not an origin such as https://learn.example.com (no path, nothing after it)";
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(EXPECTED);
        };
        // Browsers send it in lower case, and exactly so.
        let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
        match origin == text && !authority.as_str().contains('@') {
            true => HeaderValue::try_from(origin).map(Origin).map_err(|_| EXPECTED),
            false => Err(EXPECTED),
        }
    }
}

impl Origin {
    /// Whether nobody is between who could read along: it is encrypted, or this machine.
    pub fn is_secure(&self) -> bool {
        let text = self.0.to_str().unwrap_or_default();
        text.starts_with("https://") || text.strip_prefix("http://").is_some_and(is_loopback)
    }
}
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// The allow-list.
#[derive(Clone, Debug)]
pub struct AllowedOrigins {
    /// Pages served from this machine, at whatever port.
    pub loopback: bool,
    pub named: Arc<[Origin]>,
}

impl AllowedOrigins {
    pub fn loopback() -> Self {
        AllowedOrigins { loopback: true, named: Arc::default() }
    }

    /// Whether a request may open a WebSocket. A client that names no origin is no browser.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        headers.get(ORIGIN).is_none_or(|origin| self.contains(origin))
    }

    fn contains(&self, origin: &HeaderValue) -> bool {
        let host = || {
            let origin = origin.to_str().ok()?;
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
        };
        self.named.iter().any(|named| named.0 == origin) || (self.loopback && host().is_some_and(is_loopback))
    }

    /// Answers browsers' preflight requests, and says on each answer which page may read it.
    pub fn layer(&self) -> CorsLayer {
        let allowed = self.clone();
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| allowed.contains(origin)))
            .allow_methods([Method::GET, Method::HEAD, Method::POST])
            .allow_headers([
                CONTENT_TYPE,
                AUTHORIZATION,
                HeaderName::from_static("trpc-accept"),
                HeaderName::from_static("last-event-id"),
                HeaderName::from_static(ORGANIZATION_HEADER),
            ])
            .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE, REQUEST_ID])
            .max_age(PREFLIGHT_FRESHNESS)
    }
}

/// Whether a host, with its port or without, is a name of this machine.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::{AllowedOrigins, Origin};
    use http::HeaderMap;

    #[test]
    fn origins_are_compared_as_a_whole() {
        for wrong in [
            "learn.example.com",
            "https://a.example/",
            "https://a.example/x",
            "HTTPS://a.example",
            "*",
            "ftp://a",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
        let allowed =
            AllowedOrigins { loopback: false, named: ["https://a.example:8443".parse().unwrap()].into() };
        let allow = |allowed: &AllowedOrigins, origin: &str| {
            allowed.allow(&HeaderMap::from_iter([(http::header::ORIGIN, origin.parse().unwrap())]))
        };
        assert!(allow(&allowed, "https://a.example:8443"));
        for other in ["https://a.example", "https://a.example:84433", "http://a.example:8443", "null", ""] {
            assert!(!allow(&allowed, other), "{other}");
        }
        let loopback = AllowedOrigins { loopback: true, ..allowed };
        for local in
            ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:80", "https://a.example:8443"]
        {
            assert!(allow(&loopback, local), "{local}");
        }
        for other in
            ["http://localhost.evil.example", "http://localhost:80@evil.example", "localhost", "file://"]
        {
            assert!(!allow(&loopback, other), "{other}");
        }
        assert!(loopback.allow(&HeaderMap::new()));
    }
}
