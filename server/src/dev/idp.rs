//! The built-in identity provider: an issuer an organization, with real ES256 signatures. Its keys live in the
//! database, so that several processes on one database agree.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType,
    Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{EncodingKey, Header};
use p256::SecretKey;
use p256::elliptic_curve::rand_core::OsRng;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use procedures::App;
use procedures::development::{self, IssuerKey, NewOrganization, NewUser};
use procedures::error::{Error, Result};
use procedures::member::Role;
use procedures::session::Provider;
use procedures::values::{IdentityProviderId, Name, OrganizationId, ProviderSubject, Secret, Slug, UserId};
use serde::Serialize;
use uuid::Uuid;

use crate::auth::{KeySource, Keys, PublishedKeys, usable};

/// The audience of the built-in issuers' tokens.
const AUDIENCE: &str = "rollbook";

/// The built-in issuers.
pub struct Issuers {
    pub app: Arc<App>,
    /// The server's own address, which an issuer's name begins with.
    pub base: String,
}

/// Whom a token is to be for, and for how long.
pub struct TokenRequest {
    pub subject: ProviderSubject,
    pub role: Role,
    pub name: Option<Name>,
    pub global_admin: bool,
    /// Seconds; a negative one makes an expired token.
    pub expires_in: i64,
}

/// A token, and whom it is for.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedToken {
    pub token: String,
    pub user_id: UserId,
    pub organization_id: OrganizationId,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a ProviderSubject,
    aud: &'a str,
    iat: i64,
    exp: i64,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a Name>,
}

impl Issuers {
    /// The organization with this slug and its issuer, made if there is none.
    pub async fn ensure_organization(&self, slug: Slug, name: Name) -> Result<OrganizationId> {
        let private_key =
            SecretKey::random(&mut OsRng).to_pkcs8_pem(LineEnding::LF).map_err(Error::internal)?;
        let new = NewOrganization {
            issuer: format!("{}/dev/idp/{slug}", self.base),
            slug,
            name,
            audience: AUDIENCE.into(),
            key_id: Uuid::now_v7().to_string(),
            private_key: Secret::new(private_key.to_string()),
        };
        development::ensure_organization(&self.app.db, self.app.clock.now(), new).await
    }

    /// The issuer's key of an organization that has a built-in issuer.
    pub async fn key(&self, slug: &Slug) -> Result<IssuerKey> {
        development::issuer_key(&self.app.db, slug).await?.ok_or_else(Error::not_found)
    }

    /// Makes the user and the membership when new, sets the role, and signs a token.
    pub async fn issue(&self, slug: &Slug, request: TokenRequest) -> Result<IssuedToken> {
        let key = self.key(slug).await?;
        let user = NewUser {
            subject: request.subject.clone(),
            role: request.role,
            name: request.name.clone(),
            global_admin: request.global_admin,
        };
        let user_id = development::ensure_user(&self.app.db, self.app.clock.now(), &key, user).await?;
        let token = self.sign(&key, &request)?;
        Ok(IssuedToken { token, user_id, organization_id: key.organization_id })
    }

    /// Signs a token, whoever it is for.
    pub fn sign(&self, key: &IssuerKey, request: &TokenRequest) -> Result<String> {
        let now = self.app.clock.now().unix_seconds();
        let claims = Claims {
            iss: &key.issuer,
            sub: &request.subject,
            aud: &key.audience,
            iat: now,
            exp: now.saturating_add(request.expires_in),
            role: request.role,
            name: request.name.as_ref(),
        };
        let mut header = Header::new(jsonwebtoken::Algorithm::ES256);
        header.kid = Some(key.key_id.clone());
        let signing_key =
            EncodingKey::from_ec_pem(key.private_key.expose().as_bytes()).map_err(Error::internal)?;
        jsonwebtoken::encode(&header, &claims, &signing_key).map_err(Error::internal)
    }
}

/// The keys of the built-in issuers, and of all others as they publish them.
pub struct DevelopmentKeys {
    app: Arc<App>,
    others: PublishedKeys,
    /// Remembered, because they never change; none for a provider that is not built in.
    built_in: Mutex<HashMap<IdentityProviderId, Option<Keys>>>,
}

impl DevelopmentKeys {
    pub fn new(app: Arc<App>) -> Self {
        let others = PublishedKeys::new(app.trusts_loopback);
        DevelopmentKeys { app, others, built_in: Mutex::default() }
    }

    async fn built_in(&self, provider: &Provider) -> Result<Option<Keys>> {
        let known = self.lock().get(&provider.id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let key = development::issuer_key_of(&self.app.db, provider.id).await?;
        let set = key.as_ref().map(published).transpose()?;
        let keys: Option<Keys> = set.map(|set| usable(&set, provider.algorithm).into());
        self.lock().insert(provider.id, keys.clone());
        Ok(keys)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IdentityProviderId, Option<Keys>>> {
        self.built_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySource for DevelopmentKeys {
    fn keys<'a>(&'a self, provider: &'a Provider, wanted: Option<&'a str>) -> BoxFuture<'a, Result<Keys>> {
        async move {
            match self.built_in(provider).await? {
                Some(keys) => Ok(keys),
                None => self.others.keys(provider, wanted).await,
            }
        }
        .boxed()
    }
}

/// The public half of a built-in key, as its issuer publishes it.
pub fn published(key: &IssuerKey) -> Result<JwkSet> {
    let secret = SecretKey::from_pkcs8_pem(key.private_key.expose())
        .map_err(|error| Error::internal(error.to_string()))?;
    let point = secret.public_key().to_encoded_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| {
        let bytes = bytes.ok_or_else(|| Error::internal("a public key without coordinates"))?;
        Ok::<_, Error>(URL_SAFE_NO_PAD.encode(bytes))
    };
    let jwk = Jwk {
        common: CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(KeyAlgorithm::ES256),
            key_id: Some(key.key_id.clone()),
            ..CommonParameters::default()
        },
        algorithm: AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
            key_type: EllipticCurveKeyType::EC,
            curve: EllipticCurve::P256,
            x: coordinate(point.x())?,
            y: coordinate(point.y())?,
        }),
    };
    Ok(JwkSet { keys: vec![jwk] })
}
