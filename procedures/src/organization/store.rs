//! `organizations`.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::caller::Tenant;
use crate::db::schema::organizations;
use crate::db::{Connection, Transaction, locked, table_row};
use crate::error::{Error, Result};
use crate::event::store::EventHead;
use crate::values::{Moment, Name, OrganizationId, Slug};

table_row! {
    /// A tenant.
    #[derive(Serialize, Deserialize, TS, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    pub struct Organization: organizations "organizations" by (id) {
        id: OrganizationId,
        /// Its short name in addresses.
        slug: Slug,
        name: Name,
        created_at: Moment,
    }
}

pub(super) async fn find(conn: &mut Connection, tenant: Tenant) -> Result<Option<Organization>> {
    let query = organizations::table
        .filter(organizations::id.eq(tenant.organization_id()))
        .select(organizations::all_columns);
    Ok(conn.first(query).await?)
}

/// Every organization there is, for whoever runs the service.
pub(crate) async fn all(conn: &mut Connection) -> Result<Vec<Organization>> {
    let query = organizations::table.order(organizations::slug).select(organizations::all_columns);
    Ok(conn.load(query).await?)
}

/// The organization, which nobody else changes until this transaction ends.
pub(super) async fn load_locked(tx: &mut Transaction<'_>, tenant: Tenant) -> Result<Option<Organization>> {
    let query = organizations::table
        .filter(organizations::id.eq(tenant.organization_id()))
        .select(organizations::all_columns);
    Ok(tx.first(locked(query)).await?)
}

/// Saves an organization whose slug was free: should another one have taken it meanwhile, this one can be repeated.
pub(super) async fn save(tx: &mut Transaction<'_>, organization: Organization) -> Result<()> {
    tx.update_all(&[organization]).await.map_err(|error| match error {
        Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Error::retryable(error),
        other => other.into(),
    })
}

pub(crate) async fn find_by_slug(conn: &mut Connection, slug: &Slug) -> Result<Option<Organization>> {
    let query =
        organizations::table.filter(organizations::slug.eq(slug.clone())).select(organizations::all_columns);
    Ok(conn.first(query).await?)
}

/// Writes an organization whose slug is free, with an empty event log.
pub(crate) async fn insert(tx: &mut Transaction<'_>, organization: Organization) -> Result<()> {
    let head = EventHead { organization_id: organization.id, last_number: 0 };
    tx.insert_new(&[organization]).await?;
    Ok(tx.insert_all(&[head]).await?)
}
