//! `deliveries`, and the cursors of those who read the log for them.

use std::collections::BTreeSet;

use diesel::dsl::{exists, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::claim::backoff;
use super::{Channel, DeliveryState};
use crate::caller::Tenant;
use crate::db::schema::{deliveries, event_heads, mail_cursors, users, webhooks};
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, locked, table_row, unclaimed};
use crate::error::Result;
use crate::limits::WEBHOOK_AT_ONCE;
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
        .order((event_heads::last_number - mail_cursors::cursor).desc())
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
        .order((event_heads::last_number - webhooks::cursor).desc())
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
        .order(deliveries::due_at)
        .limit(1)
        .select(deliveries::id);
    let found: Option<DeliveryId> = conn.first(query).await?;
    Ok(found.is_some())
}

/// The delivery that has been due longest, unless somebody else is about to claim it. A webhook has a few of them under
/// way at a time, and none while its receiver is not to be tried again yet, so that it holds up no other.
pub(super) async fn next_due(
    tx: &mut Transaction<'_>,
    channel: Channel,
    now: Moment,
) -> Result<Option<DeliveryRow>> {
    let due = deliveries::table
        .filter(deliveries::channel.eq(channel))
        .filter(unsettled())
        .filter(deliveries::due_at.le(now))
        .order(deliveries::due_at)
        .limit(1)
        .select(deliveries::all_columns);
    Ok(match channel {
        Channel::Mail => tx.first(unclaimed(due)).await?,
        Channel::Webhook => {
            let may_be_tried = webhooks::table
                .filter(webhooks::id.nullable().eq(deliveries::webhook_id))
                .filter(webhooks::retry_at.is_null().or(webhooks::retry_at.le(now)));
            let few_under_way = sql::<Bool>(
                "(SELECT count(*) FROM deliveries AS other WHERE other.webhook_id = deliveries.webhook_id \
                 AND other.state = 'claimed' AND other.due_at > ",
            )
            .bind::<Instant, _>(now)
            .sql(") < ")
            .bind::<BigInt, _>(WEBHOOK_AT_ONCE);
            tx.first(unclaimed(due.filter(exists(may_be_tried)).filter(few_under_way))).await?
        }
    })
}

/// Writes a delivery that this transaction has locked.
pub(super) async fn save(tx: &mut Transaction<'_>, row: &DeliveryRow) -> Result<()> {
    Ok(tx.update_all(std::slice::from_ref(row)).await?)
}

/// Settles a claim, as the row is to be; answers whether it still stood. What became of it says whether its webhook's
/// receiver is well.
pub(super) async fn settle(tx: &mut Transaction<'_>, row: &DeliveryRow) -> Result<bool> {
    let claim = deliveries::table
        .filter(deliveries::id.eq(row.id))
        .filter(deliveries::state.eq(DeliveryState::Claimed))
        .filter(deliveries::attempts.eq(row.attempts));
    let settled = diesel::update(claim).set((
        deliveries::state.eq(row.state),
        deliveries::due_at.eq(row.due_at),
        deliveries::problem.eq(row.problem.clone()),
    ));
    let stood = tx.execute(settled).await? == 1;
    if let Some(webhook) = row.webhook_id {
        match row.state {
            DeliveryState::Delivered => receiver_is_well(tx, webhook).await?,
            DeliveryState::Pending => receiver_is_not_well(tx, webhook).await?,
            DeliveryState::Claimed | DeliveryState::Dead => {}
        }
    }
    Ok(stood)
}

async fn receiver_is_well(tx: &mut Transaction<'_>, webhook: WebhookId) -> Result<()> {
    let recovered = webhooks::table.filter(webhooks::id.eq(webhook)).filter(webhooks::failures.gt(0));
    let nothing = None::<Moment>;
    tx.execute(diesel::update(recovered).set((webhooks::failures.eq(0), webhooks::retry_at.eq(nothing))))
        .await?;
    Ok(())
}

async fn receiver_is_not_well(tx: &mut Transaction<'_>, webhook: WebhookId) -> Result<()> {
    let one = webhooks::table.filter(webhooks::id.eq(webhook));
    let more =
        diesel::update(one).set(webhooks::failures.eq(webhooks::failures + 1)).returning(webhooks::failures);
    let failures: i32 = tx.one(more).await?;
    let retry_at = tx.now.plus(backoff(failures));
    let one = webhooks::table.filter(webhooks::id.eq(webhook));
    tx.execute(diesel::update(one).set(webhooks::retry_at.eq(Some(retry_at)))).await?;
    Ok(())
}

/// Deletes what was settled long ago; its event stays.
pub(super) async fn purge(tx: &mut Transaction<'_>, until: Moment, most: i64) -> Result<usize> {
    let old = deliveries::table
        .filter(sql::<Bool>("deliveries.state IN ('delivered', 'dead')"))
        .filter(deliveries::due_at.le(until))
        .order(deliveries::due_at)
        .limit(most)
        .select(deliveries::id);
    let old: Vec<DeliveryId> = tx.load(old).await?;
    Ok(tx.execute(diesel::delete(deliveries::table.filter(deliveries::id.eq_any(old)))).await?)
}
