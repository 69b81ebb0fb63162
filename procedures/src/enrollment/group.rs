//! Group commit: concurrent changes in one organization share a transaction. No transaction is of two organizations.
//!
//! A group waits for locks but for a moment ([`GROUP_LOCK_TIMEOUT`](crate::limits::GROUP_LOCK_TIMEOUT)), so that one organization's does not hold up those of
//! others that wait for a place. If it fails as a whole, each order is carried out alone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::write::{self, Order, Outcome};
use crate::App;
use crate::caller::Tenant;
use crate::error::{Error, Result};
use crate::gather::{Gathering, Lead, Turn};
use crate::limits::{GROUPS_AT_ONCE, MAX_GROUP};
use crate::values::OrganizationId;

/// The orders of all organizations.
pub(crate) type Groups = Arc<Gathering<OrganizationId, Order, Result<Outcome>>>;

pub(crate) fn groups() -> Groups {
    Gathering::new(GROUPS_AT_ONCE, MAX_GROUP)
}

/// Carries out an order, in one transaction with those of others that come at the same time. For a task that runs to
/// its end: others rely on it.
pub(super) async fn carry_out(app: &App, tenant: Tenant, order: Order) -> Result<Outcome> {
    let turn = app.groups.turn(tenant.organization_id(), order).await;
    match turn.ok_or_else(|| Error::internal("a group's transaction was cut short"))? {
        Turn::Done(outcome) => outcome,
        Turn::Lead(lead, order) => together(app, tenant, lead, order).await,
        Turn::Alone(order) => alone(app, tenant, order).await,
    }
}

async fn together(
    app: &App,
    tenant: Tenant,
    lead: Lead<OrganizationId, Order, Result<Outcome>>,
    order: Order,
) -> Result<Outcome> {
    let place = lead.place().await?;
    let lease = app.db.write().await;
    // Who came until now comes along.
    let lot = lead.gather(order);
    let carried_out = match lease {
        Ok(lease) => {
            let work =
                app.grouped_transaction(lease, async |tx| write::batch(tx, app, tenant, &lot.jobs).await);
            let done = AssertUnwindSafe(work).catch_unwind().await;
            done.unwrap_or_else(|_| Err(Error::internal("a group's transaction panicked")))
                .map_err(Failure::of_transaction)
        }
        Err(error) => Err(Failure::Everyone(error)),
    };
    drop(place);
    drop(lead);
    match carried_out {
        Ok(outcomes) => lot.done(outcomes)?,
        Err(Failure::Everyone(error)) => lot.failed(error)?,
        Err(Failure::Together(error)) => {
            let cause = error.cause().map(ToString::to_string);
            tracing::debug!(cause, "the orders of a group are carried out one by one");
            alone(app, tenant, lot.one_by_one()?).await
        }
    }
}

/// How a group came to nothing.
enum Failure {
    /// By what it was together, or by how little it waits for a lock, which each order may do better without.
    Together(Error),
    /// By what each of them would meet as well.
    Everyone(Error),
}

impl Failure {
    /// What may have been done is not done again.
    fn of_transaction(error: Error) -> Self {
        match error.is_outcome_unknown() {
            true => Failure::Everyone(error),
            false => Failure::Together(error),
        }
    }
}

/// In a transaction of its own, which waits for locks as long as any other.
async fn alone(app: &App, tenant: Tenant, order: Order) -> Result<Outcome> {
    let _place = app.alone.acquire().await.map_err(Error::internal)?;
    let orders = [order];
    let outcomes = app.transaction(async |tx| write::batch(tx, app, tenant, &orders).await).await?;
    outcomes.into_iter().next().unwrap_or_else(|| Err(Error::internal("each order has an outcome")))
}
