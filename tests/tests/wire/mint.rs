//! Tokens to be spoiled, signed with an issuer's real key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use p256::elliptic_curve::rand_core::OsRng;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use p256::{FieldBytes, SecretKey};
use procedures::db::PoolSizes;
use procedures::{Database, development};
use serde_json::{Value, json};

use crate::site::Site;

/// A token, made to be spoiled.
pub struct Mint {
    pub header: Value,
    pub claims: Value,
    pub key: SecretKey,
    /// An address that tokens name, where no key is to be looked for.
    pub elsewhere: String,
}

impl Mint {
    /// Signs as acme's issuer does.
    pub async fn of(site: &Site) -> Self {
        let db = Database::open(&site.database_url, PoolSizes::default()).expect("the server's database");
        let issuer = development::issuer_key(&db, &"acme".parse().expect("a slug")).await;
        let issuer = issuer.expect("a database").expect("acme has an issuer");
        let key = SecretKey::from_pkcs8_pem(issuer.private_key.expose()).expect("a key");
        Mint::new(&issuer.issuer, &issuer.audience, &issuer.key_id, key, "http://127.0.0.1:9")
    }

    /// Signs as the issuer at this address, with a new key.
    pub fn of_issuer_at(url: &str) -> Self {
        Mint::new(url, "rollbook", "published", new_key(), url)
    }

    fn new(issuer: &str, audience: &str, key_id: &str, key: SecretKey, elsewhere: &str) -> Self {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
        Mint {
            header: json!({ "typ": "JWT", "alg": "ES256", "kid": key_id }),
            claims: json!({
                "iss": issuer, "sub": "wire-forged", "aud": audience, "iat": now, "exp": now + 600,
            }),
            key,
            elsewhere: elsewhere.to_owned(),
        }
    }

    /// The public half of a key, under this issuer's id.
    pub fn jwk(&self, key: &SecretKey) -> Value {
        let point = key.public_key().to_encoded_point(false);
        let coordinate = |bytes: Option<&FieldBytes>| URL_SAFE_NO_PAD.encode(bytes.expect("not at infinity"));
        json!({
            "kty": "EC", "crv": "P-256", "x": coordinate(point.x()), "y": coordinate(point.y()),
            "kid": self.header["kid"],
        })
    }

    pub fn token(&self) -> String {
        self.sign(&self.header.to_string(), &self.claims.to_string(), &self.key)
    }

    pub fn sign(&self, header: &str, claims: &str, key: &SecretKey) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let pem = key.to_pkcs8_pem(LineEnding::LF).expect("a key");
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).expect("a key");
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::ES256).expect("signed");
        format!("{signed}.{signature}")
    }

    /// With these members in place of its own; null takes one away.
    pub fn header(&self, members: Value) -> String {
        self.sign(&merged(&self.header, members).to_string(), &self.claims.to_string(), &self.key)
    }

    pub fn claims(&self, members: Value) -> String {
        self.sign(&self.header.to_string(), &merged(&self.claims, members).to_string(), &self.key)
    }

    /// With this text in the claims' place.
    pub fn raw_claims(&self, claims: &str) -> String {
        self.sign(&self.header.to_string(), claims, &self.key)
    }

    pub fn hmac(&self, secret: &[u8]) -> String {
        let header = merged(&self.header, json!({ "alg": "HS256" }));
        let signed = format!("{}.{}", encoded(&header.to_string()), encoded(&self.claims.to_string()));
        let key = EncodingKey::from_secret(secret);
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).expect("signed");
        format!("{signed}.{signature}")
    }
}

pub fn new_key() -> SecretKey {
    SecretKey::random(&mut OsRng)
}

pub fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// These members in place of the whole's own; null takes one away.
pub fn merged(whole: &Value, members: Value) -> Value {
    let mut whole = whole.as_object().expect("an object").clone();
    for (name, value) in members.as_object().expect("an object") {
        match value {
            Value::Null => whole.remove(name),
            value => whole.insert(name.clone(), value.clone()),
        };
    }
    whole.into()
}
