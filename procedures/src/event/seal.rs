//! A hash chain over each organization's log: the seal of an event is a digest of its row and of the seal before it. So
//! no row can be altered or taken away afterwards but its seal, or the next one, does not fit any more.
//!
//! Whoever can write to the database past its triggers can also seal anew what they have altered, up to the last event.
//! So the last seal is to be kept elsewhere now and then (`rollbook verify` prints it): an event's seal never changes.

mod proof;
mod store;

#[cfg(test)]
mod tests;

pub(crate) use proof::{first_misfit, last_seal};

use sha2::{Digest, Sha256};

use super::EventId;
use crate::App;
use crate::caller::Tenant;
use crate::db::repeated;
use crate::error::Result;
use crate::limits::{SEAL_CHUNK, SEAL_ORGANIZATIONS};
use store::{SealRow, StoredEvent};

/// Stands for the seal before the first one.
const BEGINNING: [u8; 32] = [0; 32];

/// What one step of sealing has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Events that it sealed.
    pub events: usize,
    /// Whether there may be more to seal.
    pub more: bool,
}

/// The last seal of an organization's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeal {
    pub event_id: EventId,
    /// 32 bytes.
    pub digest: Vec<u8>,
}

/// Makes one step: seals the next events of the organizations whose log has grown. Any number of processes may do so at
/// once, as there is but one seal that an event can have.
pub async fn seal(app: &App) -> Result<Sealed> {
    let behind = store::behind(&mut *app.db.read().await?, SEAL_ORGANIZATIONS).await?;
    let (mut events, mut more) = (0, behind.len() == SEAL_ORGANIZATIONS);
    for organization in behind {
        let (sealed, full) = repeated(|| seal_next(app, Tenant::of(organization))).await?;
        events += sealed;
        more |= full;
    }
    // Where nothing could be sealed, looking again at once would find the same.
    Ok(Sealed { events, more: more && events > 0 })
}

/// Seals one organization's next events; answers how many, and whether it was a whole chunk of them.
async fn seal_next(app: &App, tenant: Tenant) -> Result<(usize, bool)> {
    app.db
        .transaction(app.clock.now(), async |tx| {
            let (after, mut digest) = match store::last(tx, tenant).await? {
                Some(last) => (last.number, last.digest),
                None => (0, BEGINNING.to_vec()),
            };
            let events = store::events(tx, tenant, after).await?;
            let mut seals = Vec::with_capacity(events.len());
            for event in &events {
                digest = event.digest(&digest);
                seals.push(SealRow {
                    organization_id: tenant.organization_id(),
                    number: event.number,
                    digest: digest.clone(),
                });
            }
            Ok((tx.insert_missing(&seals).await?, events.len() == SEAL_CHUNK))
        })
        .await
}

impl StoredEvent {
    /// SHA-256 of the digest before this one and of every column, in the order of the table. Numbers and moments
    /// (microseconds since 1970) are 8 bytes, big-endian, ids are 16.
    fn digest(&self, former: &[u8]) -> Vec<u8> {
        let StoredEvent {
            organization_id,
            number,
            at,
            kind,
            course_id,
            enrollment_id,
            user_id,
            actor_kind,
            actor_id,
            request_id,
            data,
        } = self;
        let actor_id = actor_id.map(|id| id.uuid().into_bytes());
        let mut digest = Sha256::new();
        digest.update(former);
        for field in [
            Some(organization_id.uuid().as_bytes().as_slice()),
            Some(number.to_be_bytes().as_slice()),
            Some(at.micros().to_be_bytes().as_slice()),
            Some(kind.as_bytes()),
            Some(course_id.uuid().as_bytes().as_slice()),
            Some(enrollment_id.uuid().as_bytes().as_slice()),
            Some(user_id.uuid().as_bytes().as_slice()),
            Some(actor_kind.as_bytes()),
            actor_id.as_ref().map(|id| id.as_slice()),
            Some(request_id.as_bytes()),
            Some(data.as_bytes()),
        ] {
            add(&mut digest, field);
        }
        digest.finalize().to_vec()
    }
}

/// A field begins with whether it is there and how long it is (8 bytes, big-endian): no two rows are written alike.
fn add(digest: &mut Sha256, field: Option<&[u8]>) {
    match field {
        None => digest.update([0]),
        Some(bytes) => {
            digest.update([1]);
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        }
    }
}
