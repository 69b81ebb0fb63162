//! Group commit: concurrent changes in one organization share a transaction. No transaction is of two organizations.
//!
//! A group waits for locks but for a moment, [`GROUP_LOCK_TIMEOUT`], so that one organization's locks do not hold up others
//! that wait for a place. If it fails as a whole, each order is carried out alone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::Semaphore;

use super::write::{self, Order, Outcome};
use crate::App;
use crate::caller::Tenant;
use crate::error::{Error, Result};
use crate::gather::{Gathering, Lead, Turn};
use crate::limits::{ALONE_AT_ONCE, GROUP_LOCK_TIMEOUT, GROUPS_AT_ONCE, MAX_GROUP};
use crate::values::OrganizationId;

/// The orders of all organizations.
pub(crate) struct Groups {
    orders: Arc<Gathering<OrganizationId, Order, Result<Outcome>>>,
    /// For groups that are at the database.
    places: Semaphore,
    /// For orders that are carried out alone.
    alone: Semaphore,
}

impl Default for Groups {
    fn default() -> Self {
        Groups {
            orders: Gathering::new(MAX_GROUP),
            places: Semaphore::new(GROUPS_AT_ONCE),
            alone: Semaphore::new(ALONE_AT_ONCE),
        }
    }
}

/// Carries out an order, in one transaction with those of others that come at the same time. For a task that runs to
/// its end: others rely on it.
pub(super) async fn carry_out(app: &App, tenant: Tenant, order: Order) -> Result<Outcome> {
    let turn = app.groups.orders.turn(tenant.organization_id(), order).await;
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
    let place = app.groups.places.acquire().await.map_err(Error::internal)?;
    let lease = app.db.write().await;
    // Who came until now comes along.
    let lot = lead.gather(order);
    let carried_out = match lease {
        Ok(lease) => {
            let work = app.transaction_on(lease, Some(GROUP_LOCK_TIMEOUT), async |tx| {
                // A panic is one order's, and none of them is written yet.
                let work = AssertUnwindSafe(write::batch(tx, app, tenant, &lot.jobs)).catch_unwind();
                work.await.unwrap_or_else(|_| Err(Error::internal("a group's transaction panicked")))
            });
            work.await.map_err(Failure::of_transaction)
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
    let _place = app.groups.alone.acquire().await.map_err(Error::internal)?;
    let orders = [order];
    let outcomes = app.transaction(async |tx| write::batch(tx, app, tenant, &orders).await).await?;
    outcomes.into_iter().next().unwrap_or_else(|| Err(Error::internal("each order has an outcome")))
}
