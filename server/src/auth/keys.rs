//! The keys that tokens are verified with, as JSON Web Keys (RFC 7517).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use procedures::error::Result;
use procedures::session::{Algorithm, Provider};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

/// The least that an RSA modulus has, in bits.
const MIN_RSA_BITS: usize = 2048;

/// How long a coordinate of P-256 and a key of Ed25519 are, in bytes.
const COORDINATE: usize = 32;

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
    key: PublicKey,
}

enum PublicKey {
    Rsa(RsaPublicKeyComponents<Vec<u8>>, &'static RsaParameters),
    /// A point of an elliptic curve.
    Point(UnparsedPublicKey<Vec<u8>>),
}

impl VerificationKey {
    /// Whether the signature is this key's.
    pub fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.key {
            PublicKey::Rsa(key, parameters) => key.verify(parameters, signed, signature),
            PublicKey::Point(key) => key.verify(signed, signature),
        };
        verified.is_ok()
    }
}

/// The keys of a set that can verify this provider's tokens: of its algorithm's kind, strong enough, meant for
/// signatures. A symmetric key never is.
pub fn usable(set: &JwkSet, algorithm: Algorithm) -> Vec<VerificationKey> {
    set.keys
        .iter()
        .filter(|jwk| fits(jwk, algorithm))
        .filter_map(|jwk| {
            let key = public_key(&jwk.algorithm, algorithm)?;
            Some(VerificationKey { id: jwk.common.key_id.clone(), key })
        })
        .collect()
}

/// RFC 7518, sections 6.2 and 6.3; RFC 8037, section 2.
fn public_key(parameters: &AlgorithmParameters, algorithm: Algorithm) -> Option<PublicKey> {
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let number = |text: &str| {
        let bytes = part(text)?;
        Some(bytes[bytes.iter().take_while(|byte| **byte == 0).count()..].to_vec())
    };
    let coordinate = |text: &str| part(text).filter(|bytes| bytes.len() == COORDINATE);
    Some(match parameters {
        AlgorithmParameters::RSA(rsa) => {
            let key = RsaPublicKeyComponents { n: number(&rsa.n)?, e: number(&rsa.e)? };
            match algorithm {
                Algorithm::Rs256 => PublicKey::Rsa(key, &RSA_PKCS1_2048_8192_SHA256),
                Algorithm::Ps256 => PublicKey::Rsa(key, &RSA_PSS_2048_8192_SHA256),
                Algorithm::Es256 | Algorithm::EdDsa => return None,
            }
        }
        AlgorithmParameters::EllipticCurve(key) => {
            // Uncompressed (SEC 1, section 2.3.3).
            let point = [vec![4], coordinate(&key.x)?, coordinate(&key.y)?].concat();
            PublicKey::Point(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point))
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            PublicKey::Point(UnparsedPublicKey::new(&ED25519, coordinate(&key.x)?))
        }
        AlgorithmParameters::OctetKey(_) => return None,
    })
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
    let bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    let leading = significant.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
    significant.count() * 8 - leading
}
