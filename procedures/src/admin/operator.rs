//! The same proof for whoever runs the service, of any organization and without a session.
//!
//! Architecture invariant: only the command `rollbook verify` calls these; no procedure does.

use super::InvariantReport;
use super::verify::report;
use crate::App;
use crate::caller::Tenant;
use crate::error::Result;
use crate::limits::VERIFICATION_TIMEOUT;
use crate::organization::{self, Organization};

/// Every organization, in the order of their slugs.
pub async fn tenants(app: &App) -> Result<Vec<Organization>> {
    organization::store::all(&mut *app.db.read().await?).await
}

pub async fn verify_tenant(app: &App, organization: &Organization) -> Result<InvariantReport> {
    report(app, Tenant::of(organization.id), VERIFICATION_TIMEOUT).await
}
