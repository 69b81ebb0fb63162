//! `webhooks`.

use diesel::prelude::*;

use crate::caller::Tenant;
use crate::db::schema::webhooks;
use crate::db::{Connection, Transaction, locked, table_row};
use crate::error::Result;
use crate::event::EventKind;
use crate::values::{Limit, Moment, OrganizationId, Secret, WebhookId};

table_row! {
    pub struct WebhookRow: webhooks "webhooks" by (id) {
        id: WebhookId,
        organization_id: OrganizationId,
        url: String,
        /// Separated by commas; none for all.
        kinds: Option<String>,
        /// Signs what is sent, so it is kept as it is.
        secret: Secret,
        /// The last event that was looked at for it.
        cursor: i64,
        disabled_at: Option<Moment>,
        deleted_at: Option<Moment>,
        created_at: Moment,
    }
}

impl WebhookRow {
    /// Which kinds of events it is told; all, if none are named.
    pub(crate) fn kinds(&self) -> Option<Vec<EventKind>> {
        let kinds = self.kinds.as_ref()?;
        Some(
            EventKind::ALL
                .iter()
                .copied()
                .filter(|kind| kinds.split(',').any(|name| name == kind.as_str()))
                .collect(),
        )
    }

    pub(crate) fn wants(&self, kind: EventKind) -> bool {
        self.kinds().is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// A webhook that is not deleted.
pub(crate) async fn find(conn: &mut Connection, tenant: Tenant, id: WebhookId) -> Result<Option<WebhookRow>> {
    let query = webhooks::table
        .filter(webhooks::organization_id.eq(tenant.organization_id()))
        .filter(webhooks::id.eq(id))
        .filter(webhooks::deleted_at.is_null())
        .select(webhooks::all_columns);
    Ok(conn.first(query).await?)
}

/// The same, to be changed: nobody else changes it until the transaction ends.
pub(crate) async fn find_locked(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    id: WebhookId,
) -> Result<Option<WebhookRow>> {
    let query = webhooks::table
        .filter(webhooks::organization_id.eq(tenant.organization_id()))
        .filter(webhooks::id.eq(id))
        .filter(webhooks::deleted_at.is_null())
        .select(webhooks::all_columns);
    Ok(tx.first(locked(query)).await?)
}

/// The organization's webhooks after a cursor, oldest first.
pub(super) async fn list(
    conn: &mut Connection,
    tenant: Tenant,
    after: Option<WebhookId>,
    limit: Limit,
) -> Result<Vec<WebhookRow>> {
    let query = webhooks::table
        .filter(webhooks::organization_id.eq(tenant.organization_id()))
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::id.gt(after.unwrap_or(WebhookId::NIL)))
        .order(webhooks::id)
        .limit(limit.with_lookahead())
        .select(webhooks::all_columns);
    Ok(conn.load(query).await?)
}

pub(super) async fn insert(tx: &mut Transaction<'_>, webhook: WebhookRow) -> Result<()> {
    Ok(tx.insert_all(&[webhook]).await?)
}

/// Saves a webhook that this transaction has locked.
pub(crate) async fn save(tx: &mut Transaction<'_>, webhook: WebhookRow) -> Result<()> {
    Ok(tx.update_all(&[webhook]).await?)
}
