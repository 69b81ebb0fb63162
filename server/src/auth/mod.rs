//! From what a client presents to who it is: the one place where sessions are verified.

mod admission;
mod jwks;
mod jwt;
mod keys;
mod providers;

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use procedures::caller::Session;
use procedures::error::{Code, Error, Reason, Result};
use procedures::session;
use procedures::{App, Caller};
use tokio::time::sleep;

pub use jwks::PublishedKeys;
use jwt::VerifiedSignatures;
pub use keys::{KeySource, Keys, VerificationKey, usable};
use providers::Providers;

use crate::limits::SESSION_CHECK;
use crate::rates::Rates;

/// The header that names the organization a global admin acts in (D18).
pub const ORGANIZATION_HEADER: &str = "x-rollbook-organization";

/// What a client presents, kept to be checked anew on each call.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    token: Presented,
    /// The organization that the client names.
    organization: Option<String>,
}

#[derive(Clone, Default)]
enum Presented {
    #[default]
    Nothing,
    Token(String),
    /// Something that is no bearer token.
    Garbage,
}

impl fmt::Debug for Presented {
    /// A token is its holder's; a log gets none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Presented::Nothing => "nothing",
            Presented::Token(_) => "a token",
            Presented::Garbage => "no bearer token",
        })
    }
}

impl Credentials {
    /// Reads `Authorization: Bearer …` (RFC 6750, section 2.1) and the organization's header.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let token = match (values.next(), values.next()) {
            (None, _) => Presented::Nothing,
            (Some(value), None) => {
                let value = value.to_str().unwrap_or_default();
                match value.split_once(' ') {
                    Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                        Presented::Token(token.trim().to_owned())
                    }
                    Some(_) | None => Presented::Garbage,
                }
            }
            (Some(_), Some(_)) => Presented::Garbage,
        };
        let organization =
            headers.get(ORGANIZATION_HEADER).map(|value| value.to_str().unwrap_or_default().to_owned());
        Credentials { token, organization }
    }

    /// What was presented, but cannot be read: no session.
    pub fn unreadable() -> Self {
        Credentials { token: Presented::Garbage, organization: None }
    }

    /// Reads tRPC's `connectionParams`: `{token, organizationId?}`, all of them strings, or null.
    pub fn from_connection_params(json: &str) -> Result<Self> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ConnectionParams {
            token: Option<String>,
            organization_id: Option<String>,
        }
        let params: Option<ConnectionParams> = serde_json::from_str(json)
            .map_err(|_| Error::invalid_input("connectionParams", "not {token, organizationId?}"))?;
        let (token, organization) =
            params.map_or((None, None), |params| (params.token, params.organization_id));
        Ok(Credentials { token: token.map_or(Presented::Nothing, Presented::Token), organization })
    }
}

/// Verifies sessions.
pub struct Authenticator {
    app: Arc<App>,
    providers: Providers,
    verified: VerifiedSignatures,
    rates: Rates,
}

impl Authenticator {
    pub fn new(app: Arc<App>, keys: Arc<dyn KeySource>, rates: Rates) -> Self {
        let (providers, verified) = (Providers::new(app.clone(), keys), VerifiedSignatures::default());
        Authenticator { app, providers, verified, rates }
    }

    /// Who presents these credentials; no credentials at all are an anonymous caller's.
    ///
    /// Whatever is wrong with a token, the answer is the same UNAUTHORIZED; only its log entry says more.
    pub async fn authenticate(&self, credentials: &Credentials) -> Result<Caller> {
        let chosen = credentials.organization.as_deref();
        match &credentials.token {
            Presented::Nothing => Ok(Caller::Anonymous),
            Presented::Garbage => Err(Error::unauthorized()),
            Presented::Token(token) if token.starts_with(session::SERVICE_TOKEN_PREFIX) => {
                session::use_service_token(&self.app, token, chosen).await
            }
            Presented::Token(token) => {
                let now = self.app.clock.now();
                let verified = jwt::verify(&self.providers, &self.verified, token, now).await?;
                session::sign_in(&self.app, &verified, chosen).await
            }
        }
    }
}

/// A session that a subscription has verified anew from time to time.
struct Held {
    authenticator: Arc<Authenticator>,
    credentials: Credentials,
}

impl Session for Held {
    fn caller(&self) -> BoxFuture<'_, Result<Caller>> {
        self.authenticator.authenticate(&self.credentials).boxed()
    }
}

impl Authenticator {
    /// The session behind these credentials.
    pub fn hold(self: &Arc<Self>, credentials: &Credentials) -> Arc<dyn Session> {
        Arc::new(Held { authenticator: self.clone(), credentials: credentials.clone() })
    }
}

impl Authenticator {
    /// Waits until the session behind these credentials has ended, looking when its token ends and every
    /// [`SESSION_CHECK`]; whoever presents none has none that ends.
    pub async fn outlived(&self, credentials: &Credentials) {
        if matches!(credentials.token, Presented::Nothing) {
            return pending().await;
        }
        loop {
            sleep(self.until_look(credentials)).await;
            // On the heap, and for a moment: thousands of connections wait here.
            match Box::pin(self.authenticate(credentials)).await {
                Err(error) if is_end_of_session(&error) => return,
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn until_look(&self, credentials: &Credentials) -> Duration {
        let Presented::Token(token) = &credentials.token else { return SESSION_CHECK };
        let left =
            jwt::ends_at(token).map(|ends_at| ends_at.saturating_sub(self.app.clock.now().unix_seconds()));
        let left = left.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        // One that ends now, and cannot be looked up, is not looked up all the time.
        left.map_or(SESSION_CHECK, |left| left.clamp(Duration::from_secs(1), SESSION_CHECK))
    }
}

/// Whether an error of [`Authenticator::admit`], or of a subscription, says that the session has ended: it is no
/// longer valid, or no longer a member's.
pub fn is_end_of_session(error: &Error) -> bool {
    error.code() == Code::Unauthorized || matches!(error.reason(), Some(Reason::NotAMember))
}
