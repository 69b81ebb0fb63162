//! The keys that tokens are verified with, as JSON Web Keys (RFC 7517).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use procedures::error::Result;
use procedures::session::{Algorithm, Provider};

/// The least that an RSA modulus has, in bits.
const MIN_RSA_BITS: usize = 2048;

/// What signatures can be verified with.
const MAX_RSA_BITS: usize = 4096;

/// Where a provider's keys come from.
pub trait KeySource: Send + Sync {
    /// The keys that a provider has. `wanted` is the id of the key that a token was signed by, as it says: where it is not
    /// among those at hand, what is new is waited for.
    ///
    /// It is asked at each call, so it answers from memory whenever it can; SERVICE_UNAVAILABLE if there are no keys.
    fn keys<'a>(&'a self, provider: &'a Provider, wanted: Option<&'a str>) -> BoxFuture<'a, Result<Keys>>;
}

pub type Keys = Arc<[VerificationKey]>;

/// A key that verifies one family of signatures.
pub struct VerificationKey {
    pub id: Option<String>,
    pub key: DecodingKey,
}

/// The keys of a set that can verify this provider's tokens: of its algorithm's kind, strong enough, meant for
/// signatures. A symmetric key never is.
pub fn usable(set: &JwkSet, algorithm: Algorithm) -> Vec<VerificationKey> {
    set.keys
        .iter()
        .filter(|jwk| fits(jwk, algorithm))
        .filter_map(|jwk| {
            let key = DecodingKey::from_jwk(jwk).ok()?;
            Some(VerificationKey { id: jwk.common.key_id.clone(), key })
        })
        .collect()
}

fn fits(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let wanted = match algorithm {
        Algorithm::Rs256 => KeyAlgorithm::RS256,
        Algorithm::Ps256 => KeyAlgorithm::PS256,
        Algorithm::Es256 => KeyAlgorithm::ES256,
        Algorithm::EdDsa => KeyAlgorithm::EdDSA,
    };
    let for_algorithm = jwk.common.key_algorithm.is_none_or(|named| named == wanted);
    let of_kind = match (&jwk.algorithm, algorithm) {
        (AlgorithmParameters::RSA(rsa), Algorithm::Rs256 | Algorithm::Ps256) => {
            (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&modulus_bits(&rsa.n))
        }
        (AlgorithmParameters::EllipticCurve(key), Algorithm::Es256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDsa) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    for_signatures && for_algorithm && of_kind
}

fn modulus_bits(modulus: &str) -> usize {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    let leading = significant.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
    significant.count() * 8 - leading
}
