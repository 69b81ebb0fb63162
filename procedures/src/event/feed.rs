//! Waking whoever waits for events. The log is the truth: a wake-up only says that it is worth a look, and one that was
//! missed is made up for by [`relay`](super::relay()), which looks at the heads of the logs now and then.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::{Event, EventId, store};
use crate::App;
use crate::caller::Tenant;
use crate::error::{Error, Result};
use crate::event::store::EventFilter;
use crate::limits::{EVENT_CHUNK, EVENT_WINDOW};
use crate::values::OrganizationId;

/// Wake-ups, by organization.
#[derive(Default)]
pub struct Wakeups {
    organizations: Mutex<HashMap<OrganizationId, watch::Sender<u64>>>,
    /// What other processes have not been told yet.
    to_announce: Mutex<BTreeSet<OrganizationId>>,
    announce: Notify,
}

impl Wakeups {
    /// Says that this process has written events of an organization; to be called once they are committed.
    pub(crate) fn announce(&self, organization: OrganizationId) {
        self.wake(organization);
        self.to_announce.lock().unwrap_or_else(PoisonError::into_inner).insert(organization);
        self.announce.notify_one();
    }

    /// Waits for organizations to tell other processes of.
    pub(super) async fn announced(&self) -> Vec<OrganizationId> {
        loop {
            self.announce.notified().await;
            let announced =
                std::mem::take(&mut *self.to_announce.lock().unwrap_or_else(PoisonError::into_inner));
            if !announced.is_empty() {
                return announced.into_iter().collect();
            }
        }
    }

    /// Says that an organization has new events.
    pub fn wake(&self, organization: OrganizationId) {
        if let Some(sender) = self.lock().get(&organization) {
            sender.send_modify(|times| *times += 1);
        }
    }

    /// Says that any organization may have new events: wake-ups may have been missed.
    pub fn wake_all(&self) {
        for sender in self.lock().values() {
            sender.send_modify(|times| *times += 1);
        }
    }

    /// The organizations whose events somebody waits for.
    pub(super) fn listened(&self) -> Vec<OrganizationId> {
        let mut organizations = self.lock();
        organizations.retain(|_, sender| sender.receiver_count() > 0);
        organizations.keys().copied().collect()
    }

    /// Changes whenever there may be new events of the organization.
    pub fn listen(&self, organization: OrganizationId) -> watch::Receiver<u64> {
        let mut organizations = self.lock();
        // Nobody listens any more where no receiver is left.
        organizations.retain(|_, sender| sender.receiver_count() > 0);
        organizations.entry(organization).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OrganizationId, watch::Sender<u64>>> {
        self.organizations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in an organization's log, from which events are read as they come.
pub(crate) struct Reader {
    tenant: Tenant,
    filter: EventFilter,
    /// Events up to here are read, or not among those wanted.
    reached: EventId,
    wakeups: watch::Receiver<u64>,
}

impl Reader {
    /// Begins after `last`, or now. An id that no event has had yet is BAD_REQUEST: what comes before it could not be
    /// told from what was seen.
    pub(crate) async fn begin(
        app: &App,
        tenant: Tenant,
        filter: EventFilter,
        last: Option<EventId>,
    ) -> Result<Self> {
        // Listens before it looks, so that nothing comes between the two.
        let wakeups = app.wakeups.listen(tenant.organization_id());
        let head = store::head(&mut *app.db.read().await?, tenant).await?;
        let reached = last.unwrap_or(head);
        match reached <= head {
            true => Ok(Reader { tenant, filter, reached, wakeups }),
            false => Err(Error::invalid_input("lastEventId", "no event has had this id")),
        }
    }

    /// The event that it goes on after.
    pub(crate) fn reached(&self) -> EventId {
        self.reached
    }

    /// From now on, the events of another filter; from an unread one on, if there is one.
    pub(crate) fn refilter(&mut self, filter: EventFilter, unread: Option<Event>) {
        self.filter = filter;
        if let Some(event) = unread {
            self.reached = event.id.plus(-1);
        }
    }

    /// The next events, as soon as there are any. No connection is held while it waits, and it may be dropped while
    /// it does.
    pub(crate) async fn next(&mut self, app: &App) -> Result<Vec<Event>> {
        loop {
            self.wakeups.mark_unchanged();
            let (events, head) = self.look(app).await?;
            if !events.is_empty() {
                return Ok(events);
            }
            if self.reached >= head {
                // The sender lives as long as this receiver does.
                let _ = self.wakeups.changed().await;
            }
        }
    }

    /// Reads one chunk; also says where the log ends. Numbers have no gap, so a look at the head tells whether there
    /// is anything to read, and a filter that lets little through still gets ahead.
    async fn look(&mut self, app: &App) -> Result<(Vec<Event>, EventId)> {
        let mut conn = app.db.read().await?;
        let head = store::head(&mut conn, self.tenant).await?;
        if head <= self.reached {
            return Ok((Vec::new(), head));
        }
        let end = head.min(self.reached.plus(EVENT_WINDOW));
        let events =
            store::between(&mut conn, self.tenant, self.filter, self.reached, end, EVENT_CHUNK).await?;
        self.reached = match events.last() {
            Some(event) if events.len() == EVENT_CHUNK => event.id,
            Some(_) | None => end,
        };
        Ok((events, head))
    }
}
