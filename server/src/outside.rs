//! Calls out into the world, to addresses that organizations name: webhooks, and the keys of identity providers. So none
//! of them is trusted.
//!
//! A client follows no redirect, asks no proxy, and gives up soon. Each request has a connection of its own, so that a
//! name is resolved, and its addresses judged, each time.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use procedures::outside::may_be_called;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore};

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until there is a connection.
    pub connecting: Duration,
    /// From its beginning to the last byte of its answer.
    pub altogether: Duration,
}

/// A client for addresses that [may be called](procedures::outside::callable_url): whoever makes a request has judged its
/// address, and the client judges what a name in it stands for.
pub fn client(trusts_loopback: bool, patience: Patience) -> Client {
    Client::builder()
        .tls_backend_preconfigured(tls_config())
        .dns_resolver(Resolver { trusts_loopback })
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .https_only(!trusts_loopback)
        .pool_max_idle_per_host(0)
        .connect_timeout(patience.connecting)
        .timeout(patience.altogether)
        .user_agent(concat!("rollbook/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("its TLS is configured, and it reads no configuration of the system")
}

/// What went wrong, in words that do not tell the address: the innermost cause. Those around it say only that there was
/// one, and name the address.
pub fn problem(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn tls_config() -> ClientConfig {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Finds only addresses that may be called. A literal address is never resolved: it is judged with its URL.
struct Resolver {
    trusts_loopback: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(addresses(name, self.trusts_loopback))
    }
}

async fn addresses(name: Name, trusts_loopback: bool) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    // The port is that of the URL, whatever is said here.
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    let called: Vec<SocketAddr> = found.filter(|found| may_be_called(found.ip(), trusts_loopback)).collect();
    match called.is_empty() {
        true => Err("its name stands for no public address".into()),
        false => Ok(Box::new(called.into_iter())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_are_judged_by_their_addresses() {
        let resolved = |trusts_loopback| Resolver { trusts_loopback }.resolve("localhost".parse().unwrap());
        assert!(resolved(true).await.unwrap().all(|address| address.ip().is_loopback()));
        let refused = resolved(false).await.err().unwrap();
        assert_eq!(refused.to_string(), "its name stands for no public address");
    }
}
