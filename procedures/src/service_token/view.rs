//! Service tokens as clients see them: without their secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::Result;
use crate::session::Scope;
use crate::session::store::ServiceTokenRow;
use crate::values::{Moment, ServiceTokenId};

/// What a service of the organization calls with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceToken {
    pub id: ServiceTokenId,
    pub name: String,
    /// What it allows, each once.
    pub scopes: Vec<Scope>,
    /// From when on it is no longer valid; null for never.
    pub expires_at: Option<Moment>,
    /// When it was last presented, give or take a minute; null if it never was.
    pub last_used_at: Option<Moment>,
    /// Since when it is no longer valid, because it was revoked.
    pub revoked_at: Option<Moment>,
    pub created_at: Moment,
}

pub(super) fn present(row: &ServiceTokenRow) -> Result<ServiceToken> {
    Ok(ServiceToken {
        id: row.id,
        name: row.name.clone(),
        scopes: row.scopes()?,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
        created_at: row.created_at,
    })
}
