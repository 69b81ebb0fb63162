//! The same proof for whoever runs the service, of any organization and without a session.
//!
//! Architecture invariant: only the command `rollbook verify` calls these; no procedure does.

use super::Proved;
use super::verify::prove;
use crate::App;
use crate::caller::Tenant;
use crate::error::Result;
use crate::limits::VERIFICATION_TIMEOUT;
use crate::organization;
use crate::values::{OrganizationId, Slug};

/// Every organization, in the order of their slugs.
pub async fn tenants(app: &App) -> Result<Vec<(OrganizationId, Slug)>> {
    let rows = organization::store::all(&mut *app.db.read().await?).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.slug)).collect())
}

pub async fn verify_tenant(app: &App, organization: OrganizationId) -> Result<Proved> {
    prove(app, Tenant::of(organization), VERIFICATION_TIMEOUT).await
}
