//! `deliveries`, and the cursors of those who read the log for them.

use std::collections::BTreeSet;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Channel, DeliveryState};
use crate::caller::Tenant;
use crate::db::schema::{deliveries, event_heads, mail_cursors, users, webhooks};
use crate::db::{Connection, Transaction, locked, table_row, unclaimed};
use crate::error::Result;
use crate::values::{DeliveryId, Moment, OrganizationId, UserId, WebhookId};

table_row! {
    pub(crate) struct DeliveryRow: deliveries "deliveries" by (id) {
        id: DeliveryId,
        organization_id: OrganizationId,
        channel: Channel,
        webhook_id: Option<WebhookId>,
        event_number: i64,
        state: DeliveryState,
        /// How often it was claimed: whoever settles it says which claim was theirs.
        attempts: i32,
        /// When it is to be sent; of a claimed one, when the claim is given up.
        due_at: Moment,
        /// What went wrong the last time.
        problem: Option<String>,
    }
}

table_row! {
    pub(crate) struct MailCursor: mail_cursors "mail_cursors" by (organization_id) {
        organization_id: OrganizationId,
        cursor: i64,
    }
}

/// Organizations whose log has grown since it was last looked at for mail.
pub(super) async fn mail_behind(conn: &mut Connection, most: i64) -> Result<Vec<OrganizationId>> {
    let query = mail_cursors::table
        .inner_join(event_heads::table.on(event_heads::organization_id.eq(mail_cursors::organization_id)))
        .filter(event_heads::last_number.gt(mail_cursors::cursor))
        .order(mail_cursors::organization_id)
        .limit(most)
        .select(mail_cursors::organization_id);
    Ok(conn.load(query).await?)
}

/// The cursor of an organization's mail, which nobody else moves until this transaction ends.
pub(super) async fn mail_cursor(tx: &mut Transaction<'_>, tenant: Tenant) -> Result<Option<MailCursor>> {
    let query = mail_cursors::table
        .filter(mail_cursors::organization_id.eq(tenant.organization_id()))
        .select(mail_cursors::all_columns);
    Ok(tx.first(locked(query)).await?)
}

/// Webhooks whose organization's log has grown since it was last looked at for them.
pub(super) async fn webhooks_behind(
    conn: &mut Connection,
    most: i64,
) -> Result<Vec<(OrganizationId, WebhookId)>> {
    let query = webhooks::table
        .inner_join(event_heads::table.on(event_heads::organization_id.eq(webhooks::organization_id)))
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::disabled_at.is_null())
        .filter(event_heads::last_number.gt(webhooks::cursor))
        .order(webhooks::id)
        .limit(most)
        .select((webhooks::organization_id, webhooks::id));
    Ok(conn.load(query).await?)
}

/// Those of these people who can be written to.
pub(super) async fn with_an_address(
    conn: &mut Connection,
    people: BTreeSet<UserId>,
) -> Result<BTreeSet<UserId>> {
    let query = users::table
        .filter(users::id.eq_any(Vec::from_iter(people)))
        .filter(users::email.is_not_null())
        .select(users::id);
    let found: Vec<UserId> = conn.load(query).await?;
    Ok(found.into_iter().collect())
}

/// Those still to be sent. In the words of the index that has them alone: a plan that is made for any parameters could
/// not use it otherwise.
fn unsettled() -> SqlLiteral<Bool> {
    sql("deliveries.state IN ('pending', 'claimed')")
}

/// Whether anything is due.
pub(super) async fn is_due(conn: &mut Connection, channel: Channel, now: Moment) -> Result<bool> {
    let query = deliveries::table
        .filter(deliveries::channel.eq(channel))
        .filter(unsettled())
        .filter(deliveries::due_at.le(now))
        .limit(1)
        .select(deliveries::id);
    let found: Option<DeliveryId> = conn.first(query).await?;
    Ok(found.is_some())
}

/// The delivery that has been due longest, unless somebody else is about to claim it.
pub(super) async fn next_due(
    tx: &mut Transaction<'_>,
    channel: Channel,
    now: Moment,
) -> Result<Option<DeliveryRow>> {
    let query = deliveries::table
        .filter(deliveries::channel.eq(channel))
        .filter(unsettled())
        .filter(deliveries::due_at.le(now))
        .order(deliveries::due_at)
        .limit(1)
        .select(deliveries::all_columns);
    Ok(tx.first(unclaimed(query)).await?)
}

/// Writes a delivery that this transaction has locked.
pub(super) async fn save(tx: &mut Transaction<'_>, row: &DeliveryRow) -> Result<()> {
    Ok(tx.update_all(std::slice::from_ref(row)).await?)
}

/// Settles a claim; answers whether it still stood.
pub(super) async fn settle(
    tx: &mut Transaction<'_>,
    id: DeliveryId,
    attempts: i32,
    state: DeliveryState,
    due_at: Moment,
    problem: Option<String>,
) -> Result<bool> {
    let claim = deliveries::table
        .filter(deliveries::id.eq(id))
        .filter(deliveries::state.eq(DeliveryState::Claimed))
        .filter(deliveries::attempts.eq(attempts));
    let settled = diesel::update(claim).set((
        deliveries::state.eq(state),
        deliveries::due_at.eq(due_at),
        deliveries::problem.eq(problem),
    ));
    Ok(tx.execute(settled).await? == 1)
}
