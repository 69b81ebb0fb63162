//! Real tokens: one for every user, signed (ES256) by the key that all the loaded organizations' built-in issuers have.

use std::thread;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::rand_core::OsRng;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::json;

use crate::data;

/// How long the tokens live, in seconds: longer than any benchmark takes.
const LIFE: i64 = 24 * 60 * 60;

/// The key of the issuers.
#[derive(Clone)]
pub struct Issuer {
    key: SecretKey,
}

impl Issuer {
    pub fn new() -> Self {
        Issuer { key: SecretKey::random(&mut OsRng) }
    }

    /// PKCS #8 in PEM, as development mode keeps its keys.
    pub fn pem(&self) -> Result<String> {
        Ok(self.key.to_pkcs8_pem(LineEnding::LF).context("the key cannot be written")?.to_string())
    }

    /// A token for each user, in the order of their numbers.
    pub fn tokens(&self) -> Result<Vec<String>> {
        let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
        let (key, now) = (SigningKey::from(&self.key), Utc::now().timestamp());
        let each = data::USERS.div_ceil(threads);
        thread::scope(|scope| {
            let parts = (0..threads).map(|part| {
                let (key, users) = (&key, part * each..data::USERS.min((part + 1) * each));
                scope.spawn(move || users.map(|user| sign(key, user, now)).collect::<Vec<_>>())
            });
            let parts: Vec<_> = parts.collect();
            let signed = parts.into_iter().map(|part| part.join().ok().context("signing tokens has failed"));
            Ok(signed.collect::<Result<Vec<_>>>()?.concat())
        })
    }
}

/// A JSON Web Token in the compact form (RFC 7515, section 3.1).
fn sign(key: &SigningKey, user: u64, now: i64) -> String {
    let header = json!({ "typ": "JWT", "alg": "ES256", "kid": data::KEY_ID });
    let claims = json!({
        "iss": data::issuer(data::organization(user)),
        "sub": data::subject(user),
        "aud": data::AUDIENCE,
        "iat": now,
        "exp": now + LIFE,
    });
    let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature: Signature = key.sign(signed.as_bytes());
    format!("{signed}.{}", encoded(signature.to_bytes()))
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
