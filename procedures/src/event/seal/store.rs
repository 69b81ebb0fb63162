//! `event_seals`, and `events` as they are stored.

use diesel::prelude::*;

use crate::caller::Tenant;
use crate::db::schema::{event_heads, event_seals, events};
use crate::db::{Connection, table_row};
use crate::error::{Error, Result};
use crate::limits::SEAL_CHUNK;
use crate::values::{CourseId, EnrollmentId, Moment, OrganizationId, PrincipalId, UserId};

table_row! {
    pub(super) struct SealRow: event_seals "event_seals" by (organization_id, number) {
        organization_id: OrganizationId,
        /// Of the event that it seals.
        number: i64,
        digest: Vec<u8>,
    }
}

/// An event's row with its texts as they are, also where they mean nothing any more.
#[derive(Clone, Debug, Queryable)]
pub(super) struct StoredEvent {
    pub organization_id: OrganizationId,
    pub number: i64,
    pub at: Moment,
    pub kind: String,
    pub course_id: CourseId,
    pub enrollment_id: EnrollmentId,
    pub user_id: UserId,
    pub actor_kind: String,
    pub actor_id: Option<PrincipalId>,
    pub request_id: String,
    pub data: String,
}

/// Organizations whose last event is not the last one sealed. The heads are few, and the last seal of each is found by its
/// key: a join, which this is not, PostgreSQL might make by reading all seals.
pub(super) async fn behind(conn: &mut Connection, most: usize) -> Result<Vec<OrganizationId>> {
    let last_sealed = event_seals::table
        .filter(event_seals::organization_id.eq(event_heads::organization_id))
        .order(event_seals::number.desc())
        .limit(1)
        .select(event_seals::number);
    let query = event_heads::table
        .filter(event_heads::last_number.gt(0))
        .filter(event_heads::last_number.ne_all(last_sealed))
        .order(event_heads::organization_id)
        .limit(i64::try_from(most).map_err(Error::internal)?)
        .select(event_heads::organization_id);
    Ok(conn.load(query).await?)
}

/// An organization's last seal.
pub(super) async fn last(conn: &mut Connection, tenant: Tenant) -> Result<Option<SealRow>> {
    let query = event_seals::table
        .filter(event_seals::organization_id.eq(tenant.organization_id()))
        .order(event_seals::number.desc())
        .limit(1)
        .select(event_seals::all_columns);
    Ok(conn.first(query).await?)
}

/// The next [`SEAL_CHUNK`] seals after a number.
pub(super) async fn seals(conn: &mut Connection, tenant: Tenant, after: i64) -> Result<Vec<SealRow>> {
    let query = event_seals::table
        .filter(event_seals::organization_id.eq(tenant.organization_id()))
        .filter(event_seals::number.gt(after))
        .order(event_seals::number)
        .limit(i64::try_from(SEAL_CHUNK).map_err(Error::internal)?)
        .select(event_seals::all_columns);
    Ok(conn.load(query).await?)
}

/// The next [`SEAL_CHUNK`] events after a number.
pub(super) async fn events(conn: &mut Connection, tenant: Tenant, after: i64) -> Result<Vec<StoredEvent>> {
    let query = events::table
        .filter(events::organization_id.eq(tenant.organization_id()))
        .filter(events::number.gt(after))
        .order(events::number)
        .limit(i64::try_from(SEAL_CHUNK).map_err(Error::internal)?)
        .select(events::all_columns);
    Ok(conn.load(query).await?)
}
