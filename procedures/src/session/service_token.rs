//! Tokens of internal services: 256 random bits behind `rbs_`, kept as their SHA-256.

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::{Scope, store};
use crate::caller::{Actor, Caller, Insider, Service, Tenant};
use crate::db::Transaction;
use crate::error::{Error, Reason, Result};
use crate::limits::LAST_USE_RESOLUTION;
use crate::values::{Moment, Name, OrganizationId, ServiceTokenId};
use crate::{App, Database};

/// What a service token begins with.
pub const PREFIX: &str = "rbs_";

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewServiceToken {
    pub organization_id: OrganizationId,
    pub name: Name,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<Moment>,
}

/// Makes a token, of whatever scopes and end; its secret is in the answer and nowhere else.
pub async fn create_service_token(db: &Database, now: Moment, token: NewServiceToken) -> Result<String> {
    db.transaction(now, async |tx| issue_service_token(tx, token).await.map(|(_, secret)| secret)).await
}

/// Writes a new token; its secret is beside it in the answer, and nowhere else.
pub(crate) async fn issue_service_token(
    tx: &mut Transaction<'_>,
    token: NewServiceToken,
) -> Result<(store::ServiceTokenRow, String)> {
    let mut bits = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bits).map_err(Error::internal)?;
    let secret = format!("{PREFIX}{}", hex(&bits));
    let row = store::ServiceTokenRow {
        id: ServiceTokenId::new(),
        organization_id: token.organization_id,
        name: token.name.into_string(),
        scopes: token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
        secret_sha256: digest(&secret),
        expires_at: token.expires_at,
        last_used_at: None,
        revoked_at: None,
        created_at: tx.now,
    };
    store::insert_service_token(tx, row.clone()).await?;
    Ok((row, secret))
}

/// Lets in the service that presents this secret. `chosen` is the organization that the client named, if it did.
///
/// The look-up is by digest, so its timing says nothing about a secret.
pub async fn use_service_token(app: &App, secret: &str, chosen: Option<&str>) -> Result<Caller> {
    let now = app.clock.now();
    let found = store::find_service_token(&mut *app.db.read().await?, digest(secret)).await?;
    let row = found.ok_or_else(Error::unauthorized)?;
    if row.revoked_at.is_some() || row.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::unauthorized());
    }
    if chosen.is_some_and(|chosen| chosen.parse() != Ok(row.organization_id)) {
        return Err(Reason::NotAMember.into());
    }
    if row.last_used_at.is_none_or(|at| at.plus(LAST_USE_RESOLUTION) <= now) {
        // Kept for operators; a call does not wait for it, nor fail with it.
        let (db, id) = (app.db.clone(), row.id);
        app.mutations.spawn(async move {
            if let Err(error) = store::touch_service_token(&db, now, id).await {
                tracing::warn!(cause = ?error.cause(), "the last use of a service token could not be noted");
            }
        });
    }
    Ok(Caller::Insider(Insider {
        tenant: Tenant::of(row.organization_id),
        actor: Actor::Service(Service { token_id: row.id, scopes: row.scopes()? }),
    }))
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
