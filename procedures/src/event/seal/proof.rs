//! Whether a log is still what was sealed.

use super::store::{self, SealRow, StoredEvent};
use super::{BEGINNING, LastSeal};
use crate::caller::Tenant;
use crate::db::Connection;
use crate::error::Result;
use crate::event::EventId;
use crate::limits::SEAL_CHUNK;
use crate::values::{CourseId, EnrollmentId, UserId};

const ALTERED: &str = "the event, its seal, or what came right before them is not what it was";
const REMOVED: &str = "the event was sealed, but is gone";
const UNSEALED: &str = "the event has no seal, though a later one has";

/// Where a log is not what was sealed.
pub(crate) struct Misfit {
    pub problem: &'static str,
    pub event_id: EventId,
    /// What the event is about, where it is still there.
    pub about: Option<(CourseId, EnrollmentId, UserId)>,
}

/// The first event of an organization that does not fit the seals, if there is one. Events after the last seal do fit:
/// they are yet to be sealed. A chunk of the log at a time, from its lowest number on, whatever that is.
pub(crate) async fn first_misfit(conn: &mut Connection, tenant: Tenant) -> Result<Option<Misfit>> {
    let (mut after, mut digest) = (i64::MIN, BEGINNING.to_vec());
    loop {
        let seals = store::seals(conn, tenant, after).await?;
        // Both are ordered, and there is an event for each seal: the chunks go hand in hand.
        let events = store::events(conn, tenant, after).await?;
        let mut events = events.iter();
        for seal in &seals {
            if let Some(misfit) = misfit(seal, events.next(), &digest) {
                return Ok(Some(misfit));
            }
            digest.clone_from(&seal.digest);
        }
        match seals.last() {
            Some(last) if seals.len() == SEAL_CHUNK => after = last.number,
            Some(_) | None => return Ok(None),
        }
    }
}

/// What is wrong with the next seal and the next event, which come after one that was sealed so.
fn misfit(seal: &SealRow, event: Option<&StoredEvent>, former: &[u8]) -> Option<Misfit> {
    match event {
        Some(event) if event.number < seal.number => Some(Misfit::of(event, UNSEALED)),
        Some(event) if event.number == seal.number => {
            (event.digest(former) != seal.digest).then(|| Misfit::of(event, ALTERED))
        }
        Some(_) | None => Some(Misfit { problem: REMOVED, event_id: EventId(seal.number), about: None }),
    }
}

impl Misfit {
    fn of(event: &StoredEvent, problem: &'static str) -> Self {
        let about = Some((event.course_id, event.enrollment_id, event.user_id));
        Misfit { problem, event_id: EventId(event.number), about }
    }
}

/// The last seal of an organization's log, once there is one.
pub(crate) async fn last_seal(conn: &mut Connection, tenant: Tenant) -> Result<Option<LastSeal>> {
    let last = store::last(conn, tenant).await?;
    Ok(last.map(|row| LastSeal { event_id: EventId(row.number), digest: row.digest }))
}
