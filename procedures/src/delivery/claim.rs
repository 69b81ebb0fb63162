//! Who sends what, and what came of it. Times here are of the world outside: development mode's clock does not move them.

use std::time::Duration;

use super::store::{self, DeliveryRow};
use super::{Channel, DeliveryState};
use crate::App;
use crate::caller::Tenant;
use crate::db::repeated;
use crate::error::{Error, Result};
use crate::event::store::EventFilter;
use crate::event::{self, Event, EventId};
use crate::limits::{CLAIM_TIMEOUT, MAX_DELIVERY_ATTEMPTS, MAX_PROBLEM, RETRY_FIRST, RETRY_LONGEST};
use crate::metric;
use crate::values::{DeliveryId, WebhookId};

/// A delivery that is this process's to send.
#[derive(Clone, Debug)]
pub struct Claimed {
    delivery: DeliveryRow,
    pub event: Event,
}

impl Claimed {
    pub fn id(&self) -> DeliveryId {
        self.delivery.id
    }

    /// The webhook it goes to; none for mail.
    pub fn webhook_id(&self) -> Option<WebhookId> {
        self.delivery.webhook_id
    }

    /// The how-manieth attempt this is, from 1.
    pub fn attempt(&self) -> i32 {
        self.delivery.attempts
    }

    /// Whether it will still be this process's to send after so long.
    pub fn stands_for(&self, app: &App, long: Duration) -> bool {
        app.clock.real().plus(long) < self.delivery.due_at
    }

    /// What names the event in the world outside, the same in every attempt and to every receiver.
    pub fn message_id(&self) -> String {
        format!("{}-{}", self.event.organization_id, self.event.id)
    }
}

/// What came of sending.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    Delivered,
    /// It may work another time.
    Failed(String),
    /// It will not, whenever it is tried.
    Hopeless(String),
}

/// Takes the next delivery that is due, if there is one.
pub async fn claim(app: &App, channel: Channel) -> Result<Option<Claimed>> {
    // A look, which takes no lock, is all it costs while there is nothing.
    if !store::is_due(&mut *app.db.read().await?, channel, app.clock.real()).await? {
        return Ok(None);
    }
    let Some(delivery) = repeated(|| claim_once(app, channel)).await? else { return Ok(None) };
    match event_of(app, &delivery).await {
        Ok(event) => Ok(Some(Claimed { delivery, event })),
        // It is settled, so that those behind it have their turn.
        Err(error) => {
            let problem = "the event could not be read".to_owned();
            settled(app, &delivery, Settlement::Failed(problem)).await?;
            Err(error)
        }
    }
}

async fn claim_once(app: &App, channel: Channel) -> Result<Option<DeliveryRow>> {
    let now = app.clock.real();
    app.db
        .transaction(now, async |tx| {
            let Some(due) = store::next_due(tx, channel, now).await? else { return Ok(None) };
            let claimed = DeliveryRow {
                state: DeliveryState::Claimed,
                attempts: due.attempts + 1,
                due_at: now.plus(CLAIM_TIMEOUT),
                ..due
            };
            store::save(tx, &claimed).await?;
            Ok(Some(claimed))
        })
        .await
}

/// The event that a delivery is of.
async fn event_of(app: &App, delivery: &DeliveryRow) -> Result<Event> {
    let tenant = Tenant::of(delivery.organization_id);
    let (before, number) = (EventId(delivery.event_number - 1), EventId(delivery.event_number));
    let all = EventFilter { course: None, user: None };
    let mut conn = app.db.read().await?;
    let event = event::store::between(&mut conn, tenant, all, before, number, 1).await?.pop();
    event.ok_or_else(|| Error::internal("a delivery of an event that is not there"))
}

/// Says what came of a claim. One that was given up meanwhile is somebody else's to settle.
pub async fn settle(app: &App, claimed: &Claimed, settlement: Settlement) -> Result<()> {
    settled(app, &claimed.delivery, settlement).await
}

async fn settled(app: &App, delivery: &DeliveryRow, settlement: Settlement) -> Result<()> {
    let now = app.clock.real();
    let attempt = delivery.attempts;
    let (state, due_at, problem) = match settlement {
        Settlement::Delivered => (DeliveryState::Delivered, now, None),
        Settlement::Failed(problem) if attempt < MAX_DELIVERY_ATTEMPTS => {
            (DeliveryState::Pending, now.plus(backoff(attempt)), Some(problem))
        }
        Settlement::Failed(problem) | Settlement::Hopeless(problem) => {
            (DeliveryState::Dead, now, Some(problem))
        }
    };
    let problem = problem.map(|problem| problem.chars().take(MAX_PROBLEM).collect::<String>());
    let after = DeliveryRow { state, due_at, problem, ..delivery.clone() };
    let stood = repeated(|| app.db.transaction(now, async |tx| store::settle(tx, &after).await)).await?;
    if !stood {
        tracing::warn!(delivery = %delivery.id, "a claim was given up before it was settled");
        return Ok(());
    }
    metric::settled(delivery.channel, state);
    if state == DeliveryState::Dead {
        let (channel, organization) = (delivery.channel.as_str(), delivery.organization_id);
        let (webhook, problem) = (delivery.webhook_id.map(|id| id.to_string()), after.problem);
        tracing::warn!(delivery = %delivery.id, channel, %organization, webhook, attempt, problem, "given up");
    }
    Ok(())
}

/// Twice as long each time, up to a most.
pub(super) fn backoff(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(31);
    RETRY_FIRST.saturating_mul(1 << doublings).min(RETRY_LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_from_time_to_time() {
        let seconds: Vec<u64> = [1, 2, 3, 4, 12, 13, 20].map(|attempt| backoff(attempt).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 8, 2048, 3600, 3600]);
    }
}
