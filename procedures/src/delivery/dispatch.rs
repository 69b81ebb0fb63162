//! From the log to deliveries.

use std::collections::BTreeSet;

use super::store::{self, DeliveryRow};
use super::{Channel, DeliveryState, MAILED};
use crate::App;
use crate::caller::Tenant;
use crate::db::{Transaction, repeated};
use crate::error::Result;
use crate::event::store::EventFilter;
use crate::event::{self, Event, EventId};
use crate::limits::{DISPATCH_CHUNK, DISPATCH_READERS, MAIL_MAX_AGE};
use crate::values::{DeliveryId, Moment, UserId, WebhookId};
use crate::webhook;

/// What one step of dispatching has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Events that were looked at, once for each reader of theirs.
    pub events: usize,
    /// Deliveries that were made of them.
    pub deliveries: usize,
    /// Whether a reader of theirs has more to read.
    pub more: bool,
}

/// Makes one step: a chunk of events for each reader that is behind. Nothing is left where there are none.
pub async fn dispatch(app: &App, channel: Channel) -> Result<Dispatched> {
    let mut done = Dispatched::default();
    // What fails for one reader is told once the others have been served.
    let mut failed = Ok(());
    match channel {
        Channel::Mail => {
            let behind = store::mail_behind(&mut *app.db.read().await?, DISPATCH_READERS).await?;
            for organization in behind {
                match repeated(|| mail(app, Tenant::of(organization))).await {
                    Ok(more) => done.add(more),
                    Err(error) => failed = Err(error),
                }
            }
        }
        Channel::Webhook => {
            let behind = store::webhooks_behind(&mut *app.db.read().await?, DISPATCH_READERS).await?;
            for (organization, id) in behind {
                match repeated(|| webhook(app, Tenant::of(organization), id)).await {
                    Ok(more) => done.add(more),
                    Err(error) => failed = Err(error),
                }
            }
        }
    }
    failed.map(|()| done)
}

impl Dispatched {
    /// A chunk that one reader has read.
    fn of(events: usize, deliveries: usize) -> Self {
        Dispatched { events, deliveries, more: events == DISPATCH_CHUNK }
    }

    fn add(&mut self, more: Dispatched) {
        self.events += more.events;
        self.deliveries += more.deliveries;
        self.more |= more.more;
    }
}

/// To those whom events are about, if they can be written to and the event is news.
async fn mail(app: &App, tenant: Tenant) -> Result<Dispatched> {
    app.db
        .transaction(app.clock.now(), async |tx| {
            let Some(mut cursor) = store::mail_cursor(tx, tenant).await? else {
                return Ok(Dispatched::default());
            };
            let events = next(tx, tenant, cursor.cursor).await?;
            let Some(last) = events.last() else { return Ok(Dispatched::default()) };
            cursor.cursor = last.id.0;
            let oldest = tx.now.minus(MAIL_MAX_AGE);
            let told = |event: &&Event| MAILED.contains(&event.kind) && event.at > oldest;
            let people: BTreeSet<UserId> = events.iter().filter(told).map(|event| event.user_id).collect();
            let people = store::with_an_address(tx, people).await?;
            let due: Vec<DeliveryRow> = events
                .iter()
                .filter(told)
                .filter(|event| people.contains(&event.user_id))
                .map(|event| delivery(event, Channel::Mail, None, app.clock.real()))
                .collect();
            tx.insert_all(&due).await?;
            tx.update_all(&[cursor]).await?;
            Ok(Dispatched::of(events.len(), due.len()))
        })
        .await
}

/// To one webhook, the kinds that it wants.
async fn webhook(app: &App, tenant: Tenant, id: WebhookId) -> Result<Dispatched> {
    app.db
        .transaction(app.clock.now(), async |tx| {
            let Some(mut webhook) = webhook::store::find_locked(tx, tenant, id).await? else {
                return Ok(Dispatched::default());
            };
            let events = next(tx, tenant, webhook.cursor).await?;
            let Some(last) = events.last() else { return Ok(Dispatched::default()) };
            webhook.cursor = last.id.0;
            let due: Vec<DeliveryRow> = events
                .iter()
                .filter(|event| webhook.wants(event.kind))
                .map(|event| delivery(event, Channel::Webhook, Some(id), app.clock.real()))
                .collect();
            tx.insert_all(&due).await?;
            webhook::store::save(tx, webhook).await?;
            Ok(Dispatched::of(events.len(), due.len()))
        })
        .await
}

async fn next(tx: &mut Transaction<'_>, tenant: Tenant, cursor: i64) -> Result<Vec<Event>> {
    let head = event::store::head(tx, tenant).await?;
    let all = EventFilter { course: None, user: None };
    event::store::between(tx, tenant, all, EventId(cursor), head, DISPATCH_CHUNK).await
}

fn delivery(event: &Event, channel: Channel, webhook_id: Option<WebhookId>, due_at: Moment) -> DeliveryRow {
    DeliveryRow {
        id: DeliveryId::new(),
        organization_id: event.organization_id,
        channel,
        webhook_id,
        event_number: event.id.0,
        state: DeliveryState::Pending,
        attempts: 0,
        due_at,
        problem: None,
    }
}
