//! The keys of identity providers, as these publish them over the network (OpenID Connect Discovery 1.0, RFC 7517).
//!
//! A provider is asked when a session of its organization is verified, once for all who wait for it, and not again for 30
//! seconds, whatever came of it: so a key that is new there, or gone, is so here within that time, and no token makes the
//! server ask more. While a provider is down its last keys are used for a day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::ACCEPT;
use jsonwebtoken::jwk::JwkSet;
use procedures::error::{Error, Outcome, Result};
use procedures::outside::callable_url;
use procedures::session::{Algorithm, Provider};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::keys::{KeySource, Keys, usable};
use crate::limits::{
    KEYS_COOL_DOWN, KEYS_MAX_AGE, KEYS_PATIENCE, KEYS_TIMEOUT, MAX_PROVIDER_ANSWER, MAX_PROVIDER_KEYS,
};
use crate::outside::{self, Patience, problem};

/// No two look-ups of the same keys overlap.
const _: () = assert!(KEYS_TIMEOUT.as_secs() < KEYS_COOL_DOWN.as_secs());

/// Keys that providers publish.
pub struct PublishedKeys {
    outside: Outside,
    /// One for each registration there has been while this process lives.
    sources: Mutex<HashMap<Registration, Arc<Source>>>,
}

/// What decides where a provider's keys are, and which of them are its. A registration that is changed is another one:
/// what was published elsewhere is not believed, and the change need not wait.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Registration {
    issuer: String,
    jwks_uri: Option<String>,
    algorithm: Algorithm,
}

impl PublishedKeys {
    /// They are fetched over https from public addresses alone, and from this machine where that is trusted.
    pub fn new(trusts_loopback: bool) -> Self {
        let patience = Patience { connecting: KEYS_TIMEOUT, altogether: KEYS_TIMEOUT };
        let client = outside::client(trusts_loopback, patience);
        PublishedKeys { outside: Outside { client, trusts_loopback }, sources: Mutex::default() }
    }

    /// The keys that the provider published when it was last asked, which is now unless that was a moment ago.
    async fn current(&self, provider: &Provider, wanted: Option<&str>) -> Result<Keys> {
        let source = self.source(provider);
        let LookUp { begun, ended } = source.look_up(&self.outside);
        match source.last_good() {
            // What is at hand will do, should the provider take its time.
            Some(keys) if wanted.is_none_or(|wanted| has(&keys, wanted)) => {
                let _ = timeout_at(begun + KEYS_PATIENCE, ended.cancelled()).await;
            }
            Some(_) | None => ended.cancelled().await,
        }
        source.last_good().ok_or_else(|| {
            let cause = format!("the keys of {} are out of reach", provider.issuer);
            Error::unavailable(Outcome::NotApplied, cause)
        })
    }

    fn source(&self, provider: &Provider) -> Arc<Source> {
        let registration = Registration {
            issuer: provider.issuer.clone(),
            jwks_uri: provider.jwks_uri.clone(),
            algorithm: provider.algorithm,
        };
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let source = sources.entry(registration).or_insert_with_key(|registration| {
            Arc::new(Source { registration: registration.clone(), state: Mutex::default() })
        });
        source.clone()
    }
}

impl KeySource for PublishedKeys {
    fn keys<'a>(&'a self, provider: &'a Provider, wanted: Option<&'a str>) -> BoxFuture<'a, Result<Keys>> {
        self.current(provider, wanted).boxed()
    }
}

fn has(keys: &Keys, wanted: &str) -> bool {
    keys.iter().any(|key| key.id.as_deref() == Some(wanted))
}

/// Where the keys of one registration come from.
struct Source {
    registration: Registration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_look_up: Option<LookUp>,
    /// The last keys that the provider published, and when it was asked for them.
    last_good: Option<(Instant, Keys)>,
}

/// Asking a provider for its keys, in a task of its own: whoever waits for it may go away.
#[derive(Clone)]
struct LookUp {
    begun: Instant,
    ended: CancellationToken,
}

impl Source {
    /// The last look-up, which may be under way; a new one if that is long enough ago.
    fn look_up(self: &Arc<Self>, outside: &Outside) -> LookUp {
        let mut state = self.lock();
        if let Some(last) = &state.last_look_up
            && last.begun.elapsed() < KEYS_COOL_DOWN
        {
            return last.clone();
        }
        let look_up = LookUp { begun: Instant::now(), ended: CancellationToken::new() };
        state.last_look_up = Some(look_up.clone());
        let (source, outside) = (self.clone(), outside.clone());
        let (begun, ends) = (look_up.begun, look_up.ended.clone().drop_guard());
        tokio::spawn(async move {
            source.renew(&outside, begun).await;
            drop(ends);
        });
        look_up
    }

    async fn renew(&self, outside: &Outside, begun: Instant) {
        let published = timeout(KEYS_TIMEOUT, outside.published(&self.registration)).await;
        let issuer = &self.registration.issuer;
        match published.unwrap_or_else(|_| Err("no answer in time".into())) {
            Ok(keys) => {
                if keys.is_empty() {
                    tracing::warn!(issuer, "an identity provider has no key for its algorithm");
                }
                self.lock().last_good = Some((begun, keys));
            }
            Err(problem) => {
                tracing::warn!(issuer, problem, "the keys of an identity provider could not be had");
            }
        }
    }

    fn last_good(&self) -> Option<Keys> {
        let state = self.lock();
        let (asked, keys) = state.last_good.as_ref()?;
        (asked.elapsed() < KEYS_MAX_AGE).then(|| keys.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that reads what providers publish.
#[derive(Clone)]
struct Outside {
    client: reqwest::Client,
    trusts_loopback: bool,
}

impl Outside {
    /// The usable keys of a provider, or what is wrong, in words that do not tell more than its issuer does.
    async fn published(&self, registration: &Registration) -> Result<Keys, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let address = match &registration.jwks_uri {
            Some(address) => address.clone(),
            None => self.discovered(&registration.issuer).await?,
        };
        let set: Set = self.get(&address).await?;
        if set.keys.len() > MAX_PROVIDER_KEYS {
            return Err(format!("more than {MAX_PROVIDER_KEYS} keys"));
        }
        // A key of a kind that is not known here does not spoil the others.
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(usable(&JwkSet { keys }, registration.algorithm).into())
    }

    /// Where a provider says that its keys are.
    async fn discovered(&self, issuer: &str) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Configuration {
            issuer: String,
            jwks_uri: String,
        }
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let found: Configuration = self.get(&format!("{base}/.well-known/openid-configuration")).await?;
        match found.issuer == issuer {
            true => Ok(found.jwks_uri),
            false => Err("it says that it is another issuer".into()),
        }
    }

    async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, String> {
        let url = callable_url(address, self.trusts_loopback)?;
        let request = self.client.get(url).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(problem)?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answered {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(problem)? {
            if body.len() + chunk.len() > MAX_PROVIDER_ANSWER {
                return Err(format!("an answer of more than {MAX_PROVIDER_ANSWER} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|_| "not the JSON it should be".into())
    }
}

#[cfg(test)]
mod tests;
