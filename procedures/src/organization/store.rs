//! `organizations`.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::caller::Tenant;
use crate::db::schema::{organizations, reminder_leads};
use crate::db::{Connection, Transaction, locked, table_row};
use crate::delivery::MailCursor;
use crate::error::{Error, Result};
use crate::event::store::EventHead;
use crate::limits::USUAL_REMINDER_LEADS;
use crate::values::{Moment, Name, OrganizationId, Slug};

table_row! {
    pub struct OrganizationRow: organizations "organizations" by (id) {
        id: OrganizationId,
        slug: Slug,
        name: Name,
        created_at: Moment,
    }
}

pub(super) async fn find(conn: &mut Connection, tenant: Tenant) -> Result<Option<OrganizationRow>> {
    let query = organizations::table
        .filter(organizations::id.eq(tenant.organization_id()))
        .select(organizations::all_columns);
    Ok(conn.first(query).await?)
}

/// Every organization there is, for whoever runs the service.
pub(crate) async fn all(conn: &mut Connection) -> Result<Vec<OrganizationRow>> {
    let query = organizations::table.order(organizations::slug).select(organizations::all_columns);
    Ok(conn.load(query).await?)
}

/// The organization, which nobody else changes until this transaction ends.
pub(super) async fn load_locked(tx: &mut Transaction<'_>, tenant: Tenant) -> Result<Option<OrganizationRow>> {
    let query = organizations::table
        .filter(organizations::id.eq(tenant.organization_id()))
        .select(organizations::all_columns);
    Ok(tx.first(locked(query)).await?)
}

/// Saves an organization whose slug was free: should another one have taken it meanwhile, this one can be repeated.
pub(super) async fn save(tx: &mut Transaction<'_>, organization: OrganizationRow) -> Result<()> {
    tx.update_all(&[organization]).await.map_err(|error| match error {
        Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Error::retryable(error),
        other => other.into(),
    })
}

pub(crate) async fn find_by_slug(conn: &mut Connection, slug: &Slug) -> Result<Option<OrganizationRow>> {
    let query =
        organizations::table.filter(organizations::slug.eq(slug.clone())).select(organizations::all_columns);
    Ok(conn.first(query).await?)
}

/// Writes an organization whose slug is free, with an empty event log and the usual reminders.
pub(crate) async fn insert(tx: &mut Transaction<'_>, organization: OrganizationRow) -> Result<()> {
    let organization_id = organization.id;
    tx.insert_new(&[organization]).await?;
    tx.insert_all(&[EventHead { organization_id, last_number: 0 }]).await?;
    tx.insert_all(&[MailCursor { organization_id, cursor: 0 }]).await?;
    insert_leads(tx, organization_id, &USUAL_REMINDER_LEADS).await
}

table_row! {
    struct ReminderLead: reminder_leads "reminder_leads" by (organization_id, days) {
        organization_id: OrganizationId,
        days: i32,
    }
}

/// How many days before an end an organization's people are reminded of it, the longest first.
pub(crate) async fn reminder_leads(conn: &mut Connection, tenant: Tenant) -> Result<Vec<i32>> {
    let query = reminder_leads::table
        .filter(reminder_leads::organization_id.eq(tenant.organization_id()))
        .order(reminder_leads::days.desc())
        .select(reminder_leads::days);
    Ok(conn.load(query).await?)
}

/// Sets them, each once.
pub(super) async fn set_reminder_leads(tx: &mut Transaction<'_>, tenant: Tenant, days: &[i32]) -> Result<()> {
    let organization_id = tenant.organization_id();
    let known = reminder_leads::table.filter(reminder_leads::organization_id.eq(organization_id));
    tx.execute(diesel::delete(known)).await?;
    insert_leads(tx, organization_id, days).await
}

async fn insert_leads(tx: &mut Transaction<'_>, organization_id: OrganizationId, days: &[i32]) -> Result<()> {
    let leads: Vec<ReminderLead> =
        days.iter().map(|days| ReminderLead { organization_id, days: *days }).collect();
    Ok(tx.insert_all(&leads).await?)
}
