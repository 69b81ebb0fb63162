//! Organizations as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, OrganizationRow};
use crate::caller::Tenant;
use crate::db::Connection;
use crate::error::Result;
use crate::values::{Moment, Name, OrganizationId, Slug};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    pub id: OrganizationId,
    /// Its short name in addresses.
    pub slug: Slug,
    pub name: Name,
    /// How many days before their access or a certificate ends people are reminded of it, the longest first (D22).
    pub reminder_lead_days: Vec<i32>,
    pub created_at: Moment,
}

/// A row with what belongs to it.
pub(super) async fn present(conn: &mut Connection, row: OrganizationRow) -> Result<Organization> {
    let reminder_lead_days = store::reminder_leads(conn, Tenant::of(row.id)).await?;
    let OrganizationRow { id, slug, name, created_at } = row;
    Ok(Organization { id, slug, name, reminder_lead_days, created_at })
}
