//! Group commit: concurrent changes in one organization share a transaction. No transaction is of two organizations.
//!
//! If it fails as a whole, each order is carried out alone.

use std::sync::Arc;

use super::write::{self, Order, Outcome};
use crate::App;
use crate::caller::Tenant;
use crate::error::{self, Error, Reason, Result};
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
            let work = app.transaction_on(lease, async |tx| {
                tx.place = Some(place);
                write::batch(tx, app, tenant, &lot.jobs).await
            });
            work.await.map_err(Failure::of_transaction)
        }
        Err(error) => Err(Failure::Everyone(error)),
    };
    drop(lead);
    match carried_out {
        Ok(outcomes) => lot.done(outcomes)?,
        Err(Failure::Everyone(error)) => {
            let others: Vec<Result<Outcome>> = lot.jobs[1..].iter().map(|_| Err(same(&error))).collect();
            lot.done([Err(error)].into_iter().chain(others))?
        }
        Err(Failure::Together(error)) if lot.jobs.len() == 1 => Err(error),
        Err(Failure::Together(error)) => {
            let cause = error.cause().map(ToString::to_string);
            tracing::debug!(cause, "the orders of a group are carried out one by one");
            alone(app, tenant, lot.one_by_one()?).await
        }
    }
}

/// How a group came to nothing.
enum Failure {
    /// By what it was together, which each order may do better without.
    Together(Error),
    /// By what each of them would meet as well.
    Everyone(Error),
}

impl Failure {
    /// What may have been done is not done again.
    fn of_transaction(error: Error) -> Self {
        match outcome_of(&error) {
            Some(error::Outcome::Unknown) => Failure::Everyone(error),
            Some(error::Outcome::NotApplied) | None => Failure::Together(error),
        }
    }
}

fn outcome_of(error: &Error) -> Option<error::Outcome> {
    match error.reason() {
        Some(Reason::Unavailable { outcome }) => Some(*outcome),
        _ => None,
    }
}

/// The same for another caller; its cause is logged with the first.
fn same(error: &Error) -> Error {
    let outcome = outcome_of(error).unwrap_or(error::Outcome::Unknown);
    Error::unavailable(outcome, "as with the others of the group")
}

async fn alone(app: &App, tenant: Tenant, order: Order) -> Result<Outcome> {
    let orders = [order];
    let outcomes = app.transaction(async |tx| write::batch(tx, app, tenant, &orders).await).await?;
    outcomes.into_iter().next().unwrap_or_else(|| Err(Error::internal("each order has an outcome")))
}
