//! `webhooks`, and what `deliveries` has of one of them.

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::caller::Tenant;
use crate::db::schema::{deliveries, organizations, webhooks};
use crate::db::{Connection, Transaction, locked, table_row};
use crate::delivery::store::DeliveryRow;
use crate::delivery::{Channel, DeliveryState};
use crate::error::{Error, Result};
use crate::event::{EventId, EventKind};
use crate::values::{DeliveryId, Limit, Moment, OrganizationId, Secret, WebhookId};

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
        /// How often in a row its receiver was not well.
        failures: i32,
        /// When it is tried again.
        retry_at: Option<Moment>,
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

/// How many the organization has. Nobody else makes one until the transaction ends.
pub(super) async fn count(tx: &mut Transaction<'_>, tenant: Tenant) -> Result<usize> {
    let organization =
        organizations::table.filter(organizations::id.eq(tenant.organization_id())).select(organizations::id);
    let _: OrganizationId = tx.one(locked(organization)).await?;
    let query = webhooks::table
        .filter(webhooks::organization_id.eq(tenant.organization_id()))
        .filter(webhooks::deleted_at.is_null())
        .select(count_star());
    let count: i64 = tx.one(query).await?;
    usize::try_from(count).map_err(Error::internal)
}

pub(super) async fn insert(tx: &mut Transaction<'_>, webhook: WebhookRow) -> Result<()> {
    Ok(tx.insert_all(&[webhook]).await?)
}

/// Saves a webhook that this transaction has locked.
pub(crate) async fn save(tx: &mut Transaction<'_>, webhook: WebhookRow) -> Result<()> {
    Ok(tx.update_all(&[webhook]).await?)
}

/// Sends one event to a webhook that this transaction has locked as if it had never been sent. It is another delivery, so
/// whoever is sending the former one finds their claim given up.
pub(super) async fn send_again(
    tx: &mut Transaction<'_>,
    webhook: &WebhookRow,
    event: EventId,
    due_at: Moment,
) -> Result<()> {
    let former = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook.id))
        .filter(deliveries::event_number.eq(event.0))
        .filter(deliveries::channel.eq(of_webhooks()));
    tx.execute(diesel::delete(former)).await?;
    let again = DeliveryRow {
        id: DeliveryId::new(),
        organization_id: webhook.organization_id,
        channel: Channel::Webhook,
        webhook_id: Some(webhook.id),
        event_number: event.0,
        state: DeliveryState::Pending,
        attempts: 0,
        due_at,
        problem: None,
    };
    Ok(tx.insert_all(&[again]).await?)
}

/// [`Channel::Webhook`] as the index of webhooks' deliveries has it: a plan that is made once for all parameters finds the
/// index by the word alone.
fn of_webhooks() -> diesel::expression::SqlLiteral<Text> {
    sql("'webhook'")
}
