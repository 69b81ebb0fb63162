//! JSON Web Tokens (RFC 7519) of registered issuers.
//!
//! The token names its issuer; the issuer's registration says everything else: the organization, the audience, the one
//! algorithm, the keys. Nothing that a token brings along (`jwk`, `jku`, `x5u`, `x5c`) is ever used.

use std::sync::{Arc, Weak};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use procedures::error::{Error, Result};
use procedures::member::Role;
use procedures::session::{Provider, VerifiedToken};
use procedures::values::{Moment, Name, ProviderSubject};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::keys::{Keys, VerificationKey};
use super::providers::Providers;
use crate::limits::{MAX_TOKEN, MAX_VERIFIED_SIGNATURES};

/// How far the clocks of issuer and server may differ, in seconds.
const LEEWAY_SECONDS: i64 = 30;

/// The last moment that has a date (in the year 9999), in seconds since 1970: a token is not valid for ever.
const LAST_MOMENT: f64 = 253_402_300_799.0;

/// The header's members that decide anything (RFC 7515, section 4.1).
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

/// Members that would let a token choose its key, or change what it means; refused whatever they say.
const REFUSED_MEMBERS: [&str; 7] = ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"];

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: ProviderSubject,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    name: Option<serde_json::Value>,
}

/// One audience or several (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn includes(&self, wanted: &str) -> bool {
        match self {
            Audience::One(audience) => audience == wanted,
            Audience::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// Verifies a token. Every refusal is the same UNAUTHORIZED; the log says why.
///
/// What can be refused without a key is refused before one is asked for, so that it is no reason to ask a provider. A
/// token is read at each call; only that its signature is one of these keys' is remembered.
pub async fn verify(
    providers: &Providers,
    verified: &VerifiedSignatures,
    token: &str,
    now: Moment,
) -> Result<VerifiedToken> {
    let parts = Parts::of(token).map_err(refused)?;
    let issuer: Issuer = decode(parts.payload).map_err(refused)?;
    let provider =
        providers.find(&issuer.iss).await?.ok_or_else(|| refused("the issuer is not registered"))?;
    let told = parts.told(&provider, now).map_err(refused)?;
    let keys = providers.keys(&provider, parts.header.kid.as_deref()).await?;
    let digest: Digest = Sha256::digest(token).into();
    if !verified.0.get(&digest).is_some_and(|by| Weak::ptr_eq(&by, &Arc::downgrade(&keys))) {
        parts.check_signature(&keys).map_err(refused)?;
        verified.0.insert(digest, Arc::downgrade(&keys));
    }
    Ok(told)
}

type Digest = [u8; 32];

/// Tokens whose signatures were verified, by their digests, with the keys that they were verified by. A provider whose keys
/// were asked for anew has others.
pub struct VerifiedSignatures(Cache<Digest, Weak<[VerificationKey]>>);

impl Default for VerifiedSignatures {
    fn default() -> Self {
        VerifiedSignatures(Cache::new(MAX_VERIFIED_SIGNATURES))
    }
}

fn refused(why: &'static str) -> Error {
    tracing::debug!(why, "a token was refused");
    Error::unauthorized()
}

/// When a token is no longer valid, in seconds since 1970; whether it ever was is not asked.
pub fn ends_at(token: &str) -> Option<i64> {
    let claims: Claims = decode(Parts::of(token).ok()?.payload).ok()?;
    // What is no moment, such as 1e300, becomes the last one or the first.
    Some((claims.exp.ceil() as i64).saturating_add(LEEWAY_SECONDS))
}

/// Read before the signature is checked, to know by whose keys; believed only afterwards.
#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

/// A token in the compact form, taken apart.
struct Parts<'a> {
    signed: &'a str,
    header: Header,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > MAX_TOKEN {
            return Err("longer than a token may be");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("not three parts")?;
        let (header, payload) = signed.split_once('.').ok_or("not three parts")?;
        if payload.contains('.') {
            return Err("more than three parts");
        }
        let header: Header = decode(header)?;
        if REFUSED_MEMBERS.iter().any(|member| header.others.contains_key(*member)) {
            return Err("a header member that is not accepted");
        }
        Ok(Parts { signed, header, payload, signature })
    }

    /// What the token says, if it is by its provider's algorithm and holds now; nothing to be believed before its
    /// signature has been checked.
    fn told(&self, provider: &Provider, now: Moment) -> Result<VerifiedToken, &'static str> {
        if self.header.alg != provider.algorithm.as_str() {
            return Err("signed by another algorithm than the provider's");
        }
        let claims: Claims = decode(self.payload)?;
        let now = now.unix_seconds();
        // Compared in whole seconds: a NumericDate may have a fraction (RFC 7519, section 2).
        if claims.exp > LAST_MOMENT || claims.exp + LEEWAY_SECONDS as f64 <= now as f64 {
            return Err("expired, or never to expire");
        }
        if claims.nbf.is_some_and(|nbf| nbf - LEEWAY_SECONDS as f64 > now as f64) {
            return Err("not valid yet");
        }
        if claims.iss != provider.issuer || !claims.aud.includes(&provider.audience) {
            return Err("of another issuer, or for another audience");
        }
        let role = provider.role_claim.as_deref().and_then(|claim| self.role(claim));
        Ok(VerifiedToken {
            provider_id: provider.id,
            organization_id: provider.organization_id,
            subject: claims.sub,
            name: claims.name.as_ref().and_then(|name| name.as_str()?.parse::<Name>().ok()),
            role,
            global_admin: provider.platform && role == Some(Role::Admin),
        })
    }

    fn check_signature(&self, keys: &Keys) -> Result<(), &'static str> {
        let key = match (&self.header.kid, &**keys) {
            (Some(kid), keys) => keys.iter().find(|key| key.id.as_ref() == Some(kid)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let key = key.ok_or("signed by a key that the provider does not have")?;
        let signature =
            URL_SAFE_NO_PAD.decode(self.signature).map_err(|_| "a signature that is not base64url")?;
        match key.has_signed(self.signed.as_bytes(), &signature) {
            true => Ok(()),
            false => Err("the signature is wrong"),
        }
    }

    /// The role that the provider's claim carries: a word, or the highest of a list of words.
    fn role(&self, claim: &str) -> Option<Role> {
        let claims: serde_json::Map<String, serde_json::Value> = decode(self.payload).ok()?;
        match claims.get(claim)? {
            serde_json::Value::String(role) => role.parse().ok(),
            serde_json::Value::Array(roles) => {
                roles.iter().filter_map(|role| role.as_str()?.parse::<Role>().ok()).max()
            }
            _ => None,
        }
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, &'static str> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| "not base64url")?;
    serde_json::from_slice(&json).map_err(|_| "not the JSON it should be")
}
