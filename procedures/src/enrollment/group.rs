//! Group commit: concurrent changes in one organization share a transaction.
//!
//! While one transaction of an organization is under way, further orders wait; when it ends, all that wait are carried
//! out by the next one, together. Nobody waits for company: a lone order has its transaction at once.
//!
//! Whoever finds nobody at work leads: its task carries out its own order and those of all who wait, then passes the
//! lead on to one who came meanwhile. If the transaction fails as a whole, each order is carried out alone.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use super::write::{self, Order, Outcome};
use crate::App;
use crate::caller::Tenant;
use crate::error::{self, Error, Reason, Result};
use crate::limits::{GROUPS_AT_ONCE, MAX_GROUP};
use crate::values::OrganizationId;

/// The organizations whose orders are being carried out, each with the orders that wait.
pub struct Groups {
    waiting: Mutex<HashMap<OrganizationId, VecDeque<Waiting>>>,
    /// How many groups may be at the database at a time.
    at_once: Semaphore,
}

impl Default for Groups {
    fn default() -> Self {
        Groups { waiting: Mutex::default(), at_once: Semaphore::new(GROUPS_AT_ONCE) }
    }
}

struct Waiting {
    order: Order,
    turn: oneshot::Sender<Turn>,
}

/// What becomes of an order.
enum Turn {
    /// It was carried out with others, and this came of it.
    Done(Result<Outcome>),
    /// It is carried out now, with all that wait.
    Lead(Lead, Order),
    /// The transaction of its group failed: it is carried out by itself.
    Alone(Order),
}

/// Carries out an order, in one transaction with those of others that come at the same time.
pub(super) async fn carry_out(app: &Arc<App>, tenant: Tenant, order: Order) -> Result<Outcome> {
    let turn = app.groups.join(app, tenant, order).await;
    match turn.map_err(|_| Error::internal("a group's transaction was cut short"))? {
        Turn::Done(outcome) => outcome,
        Turn::Lead(lead, order) => lead.carry_out(order).await,
        Turn::Alone(order) => alone(app, tenant, order).await,
    }
}

impl Groups {
    /// Lines an order up, which leads if there is no other.
    fn join(&self, app: &Arc<App>, tenant: Tenant, order: Order) -> oneshot::Receiver<Turn> {
        let (turn, comes) = oneshot::channel();
        match self.lock().entry(tenant.organization_id()) {
            Entry::Vacant(nobody) => {
                nobody.insert(VecDeque::new());
                let _ = turn.send(Turn::Lead(Lead { app: app.clone(), tenant }, order));
            }
            Entry::Occupied(mut others) => others.get_mut().push_back(Waiting { order, turn }),
        }
        comes
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, VecDeque<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to carry out an organization's orders, which one task has at a time. Whatever becomes of that task, the
/// lead is passed on to the first who waits.
struct Lead {
    app: Arc<App>,
    tenant: Tenant,
}

impl Drop for Lead {
    fn drop(&mut self) {
        let organization = self.tenant.organization_id();
        let mut waiting = self.app.groups.lock();
        let next = waiting.get_mut(&organization).and_then(VecDeque::pop_front);
        match next {
            Some(Waiting { order, turn }) => {
                drop(waiting);
                let lead = Lead { app: self.app.clone(), tenant: self.tenant };
                // Where nobody waits for it any more, the lead comes back, and is passed on as it is dropped.
                let _ = turn.send(Turn::Lead(lead, order));
            }
            None => {
                waiting.remove(&organization);
            }
        }
    }
}

impl Lead {
    async fn carry_out(self, order: Order) -> Result<Outcome> {
        let Lead { app, tenant } = &self;
        let place = app.groups.at_once.acquire().await.map_err(Error::internal)?;
        let lease = app.db.write().await;
        // Who came until now comes along.
        let (orders, turns) = self.gather(order);
        let carried_out = match lease {
            Ok(lease) => {
                let work =
                    app.transaction_on(lease, async |tx| write::batch(tx, app, *tenant, &orders).await);
                work.await.map_err(Failure::Group)
            }
            Err(error) => Err(Failure::Everyone(error)),
        };
        drop(place);
        let (app, tenant) = (app.clone(), *tenant);
        drop(self);

        let mut orders = orders.into_iter();
        let own = orders.next().ok_or_else(|| Error::internal("a lead without an order"))?;
        match carried_out.map_err(Failure::judged) {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                let own = outcomes.next();
                for (turn, outcome) in turns.into_iter().zip(outcomes) {
                    let _ = turn.send(Turn::Done(outcome));
                }
                own.unwrap_or_else(|| Err(Error::internal("each order has an outcome")))
            }
            Err(Failure::Everyone(error)) => {
                for turn in turns {
                    let _ = turn.send(Turn::Done(Err(same(&error))));
                }
                Err(error)
            }
            // Alone, it has just failed.
            Err(Failure::Group(error)) if turns.is_empty() => Err(error),
            Err(Failure::Group(error)) => {
                tracing::debug!(
                    cause = error.cause().map(ToString::to_string),
                    "a group is carried out one by one"
                );
                for (turn, order) in turns.into_iter().zip(orders) {
                    let _ = turn.send(Turn::Alone(order));
                }
                alone(&app, tenant, own).await
            }
        }
    }

    /// The leader's own order, and after it all that wait, at most [`MAX_GROUP`] together; with whom to tell of the others.
    fn gather(&self, own: Order) -> (Vec<Order>, Vec<oneshot::Sender<Turn>>) {
        let mut waiting = self.app.groups.lock();
        let others = waiting.get_mut(&self.tenant.organization_id());
        let others = others.map(|others| others.drain(..others.len().min(MAX_GROUP - 1)));
        let (orders, turns): (Vec<Order>, Vec<_>) =
            others.into_iter().flatten().map(|Waiting { order, turn }| (order, turn)).unzip();
        ([own].into_iter().chain(orders).collect(), turns)
    }
}

/// How a group came to nothing.
enum Failure {
    /// By something of its own, which each order may fare better without.
    Group(Error),
    /// By what each of them would meet as well.
    Everyone(Error),
}

impl Failure {
    /// What may have been done is not done again.
    fn judged(self) -> Self {
        match self {
            Failure::Group(error) if outcome_of(&error) == Some(error::Outcome::Unknown) => {
                Failure::Everyone(error)
            }
            other => other,
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
    Error::unavailable(outcome, "with the group it was in")
}

async fn alone(app: &App, tenant: Tenant, order: Order) -> Result<Outcome> {
    let orders = [order];
    let outcomes = app.transaction(async |tx| write::batch(tx, app, tenant, &orders).await).await?;
    outcomes.into_iter().next().unwrap_or_else(|| Err(Error::internal("each order has an outcome")))
}
