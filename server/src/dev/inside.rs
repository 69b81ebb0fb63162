//! Calls made within the process, by a person of one organization: the demo data and the guide go the way every
//! client goes, but for the socket.

use std::sync::Arc;
use std::time::Duration;

use procedures::error::{Error, Result};
use procedures::member::Role;
use procedures::session::{
    NewServiceToken, Scope, VerifiedToken, create_service_token, sign_in, use_service_token,
};
use procedures::values::Slug;
use procedures::{Call, Caller, Router};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::idp::Issuers;

/// How long a service that is made for a call or two has its token.
const TOKEN_LIFE: Duration = Duration::from_secs(60);

pub struct Inside<'a> {
    pub issuers: &'a Issuers,
    pub slug: Slug,
    router: Router,
}

impl<'a> Inside<'a> {
    pub fn new(issuers: &'a Issuers, slug: Slug) -> Self {
        Inside { issuers, slug, router: procedures::router() }
    }

    /// Signs a person in; `role` is what they become if they are new.
    pub async fn sign_in(&self, subject: &str, role: Role) -> Result<Caller> {
        let key = self.issuers.key(&self.slug).await?;
        let token = VerifiedToken {
            provider_id: key.provider_id,
            organization_id: key.organization_id,
            subject: parsed(subject)?,
            name: None,
            role: Some(role),
            global_admin: false,
        };
        sign_in(&self.issuers.app, &token, None).await
    }

    /// A service of the organization, with a token of its own.
    pub async fn service(&self, scopes: &[Scope]) -> Result<Caller> {
        let app = &self.issuers.app;
        let token = NewServiceToken {
            organization_id: self.issuers.key(&self.slug).await?.organization_id,
            name: parsed("demo data")?,
            scopes: scopes.to_vec(),
            expires_at: Some(app.clock.now().plus(TOKEN_LIFE)),
        };
        let secret = create_service_token(&app.db, app.clock.now(), token).await?;
        use_service_token(app, &secret, None).await
    }

    pub async fn call<T: DeserializeOwned>(&self, caller: &Caller, path: &str, input: Value) -> Result<T> {
        let procedure = self.router.find(path).ok_or_else(Error::not_found)?;
        let request_id = Arc::from("development");
        let call = Call { app: self.issuers.app.clone(), caller: caller.clone(), request_id };
        let answer = procedure.call(call, &input.to_string()).await?;
        serde_json::from_str(answer.get()).map_err(Error::internal)
    }
}

/// Reads a value that the program itself has written.
pub fn parsed<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::internal("the demo data is valid"))
}
