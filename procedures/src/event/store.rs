//! `events` and `event_heads`.

use std::collections::BTreeMap;

use diesel::IntoSql;
use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{ActorKind, Event, EventActor, EventData, EventId, EventKind, NewEvent};
use crate::caller::Tenant;
use crate::db::schema::{event_heads, events};
use crate::db::types::UuidKey;
use crate::db::{Connection, Part, Step, Transaction, append_after, table_row};
use crate::enrollment::VisibleEnrollment;
use crate::error::{Error, Result};
use crate::values::{CourseId, EnrollmentId, Limit, Moment, OrganizationId, PrincipalId, UserId};

table_row! {
    struct EventRow: events "events" by (organization_id, number) {
        organization_id: OrganizationId,
        number: i64,
        at: Moment,
        kind: EventKind,
        course_id: CourseId,
        enrollment_id: EnrollmentId,
        user_id: UserId,
        actor_kind: ActorKind,
        actor_id: Option<PrincipalId>,
        request_id: String,
        data: String,
    }
}

table_row! {
    pub(crate) struct EventHead: event_heads "event_heads" by (organization_id) {
        organization_id: OrganizationId,
        last_number: i64,
    }
}

/// Has events written along with what this transaction changes.
pub(crate) fn tell(tx: &mut Transaction<'_>, tenant: Tenant, new: Vec<NewEvent>) {
    if !new.is_empty() {
        let now = tx.now;
        tx.events_of = Some(tenant.organization_id());
        tx.events.extend(new.into_iter().map(|event| (now, event)));
    }
}

/// Has the events of one transaction numbered and written, last of all its writes: from there on, other transactions
/// of the organization that have events wait.
pub(crate) fn append(tx: &mut Transaction<'_>) -> Result<()> {
    let new = std::mem::take(&mut tx.events);
    let Some(organization_id) = tx.events_of.filter(|_| !new.is_empty()) else { return Ok(()) };
    let count = i64::try_from(new.len()).map_err(Error::internal)?;
    let rows = (1 - count..)
        .zip(new)
        .map(|(number, (at, event))| {
            Ok(EventRow {
                organization_id,
                number,
                at,
                kind: event.kind,
                course_id: event.course_id,
                enrollment_id: event.enrollment_id,
                user_id: event.user_id,
                actor_kind: event.actor.kind,
                actor_id: event.actor.id,
                request_id: event.request_id,
                data: serde_json::to_string(&event.data).map_err(Error::internal)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    tx.last.add(Append { organization_id, count, rows });
    Ok(())
}

/// Events whose numbers count up to zero, which stands for the last one that is taken.
struct Append {
    organization_id: OrganizationId,
    count: i64,
    rows: Vec<EventRow>,
}

impl Part for Append {
    fn steps(&self) -> Vec<Step> {
        let head = TakeNumbers { organization_id: self.organization_id, count: self.count };
        let events = append_after("head", "number", &self.rows);
        vec![Step { name: Some("head"), sql: Box::new(head) }, Step { name: None, sql: Box::new(events) }]
    }

    fn write<'w>(&'w self, conn: &'w mut Connection) -> BoxFuture<'w, QueryResult<()>> {
        let write = async {
            let head = TakeNumbers { organization_id: self.organization_id, count: self.count };
            let last: i64 = conn.one(head).await?;
            let numbered = |row: &EventRow| EventRow { number: last + row.number, ..row.clone() };
            conn.insert_all(&self.rows.iter().map(numbered).collect::<Vec<_>>()).await
        };
        write.boxed()
    }
}

/// Takes so many numbers of an organization's log; answers the last. (diesel's own UPDATE is prepared anew each time.)
#[derive(QueryId)]
struct TakeNumbers {
    organization_id: OrganizationId,
    count: i64,
}

impl Query for TakeNumbers {
    type SqlType = BigInt;
}
impl<DB> QueryFragment<DB> for TakeNumbers
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<UuidKey>,
    i64: ToSql<BigInt, DB>,
    OrganizationId: ToSql<UuidKey, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE event_heads SET last_number = last_number + ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(" WHERE organization_id = ");
        out.push_bind_param::<UuidKey, _>(&self.organization_id)?;
        out.push_sql(" RETURNING last_number");
        Ok(())
    }
}

/// Which of an organization's events a reader wants; none means all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventFilter {
    pub course: Option<CourseId>,
    pub user: Option<UserId>,
}

/// At most so many events after one number, up to another, oldest first. They have no gap: a number is visible only
/// once all before it are.
pub(crate) async fn between(
    conn: &mut Connection,
    tenant: Tenant,
    filter: EventFilter,
    after: EventId,
    up_to: EventId,
    most: usize,
) -> Result<Vec<Event>> {
    let EventFilter { course, user } = filter;
    let query = events::table
        .filter(events::organization_id.eq(tenant.organization_id()))
        .filter(events::number.gt(after.0))
        .filter(events::number.le(up_to.0))
        .filter(course.is_none().into_sql::<Bool>().or(events::course_id.eq(course.unwrap_or(CourseId::NIL))))
        .filter(user.is_none().into_sql::<Bool>().or(events::user_id.eq(user.unwrap_or(UserId::NIL))))
        .order(events::number)
        .limit(i64::try_from(most).map_err(Error::internal)?)
        .select(events::all_columns);
    let rows: Vec<EventRow> = conn.load(query).await?;
    rows.into_iter().map(Event::try_from).collect()
}

/// The organization's last event.
pub(crate) async fn head(conn: &mut Connection, tenant: Tenant) -> Result<EventId> {
    let query = event_heads::table
        .filter(event_heads::organization_id.eq(tenant.organization_id()))
        .select(event_heads::last_number);
    Ok(EventId(conn.first(query).await?.unwrap_or(0)))
}

/// The last events of several organizations. Only their numbers: whether there is anything new, for whoever may see it.
pub(super) async fn heads(
    conn: &mut Connection,
    organizations: &[OrganizationId],
) -> Result<BTreeMap<OrganizationId, EventId>> {
    let query = event_heads::table
        .filter(event_heads::organization_id.eq_any(organizations.to_vec()))
        .select((event_heads::organization_id, event_heads::last_number));
    let rows: Vec<(OrganizationId, i64)> = conn.load(query).await?;
    Ok(rows.into_iter().map(|(organization, last)| (organization, EventId(last))).collect())
}

/// One enrollment's events, oldest first.
pub(crate) async fn history(
    conn: &mut Connection,
    tenant: Tenant,
    enrollment: &VisibleEnrollment,
    after: Option<EventId>,
    limit: Limit,
) -> Result<Vec<Event>> {
    let query = events::table
        .filter(events::organization_id.eq(tenant.organization_id()))
        .filter(events::enrollment_id.eq(enrollment.row().id))
        .filter(events::number.gt(after.map_or(0, |id| id.0)))
        .order(events::number)
        .limit(limit.with_lookahead())
        .select(events::all_columns);
    let rows: Vec<EventRow> = conn.load(query).await?;
    rows.into_iter().map(audited).collect()
}

/// An event with the request that brought it about.
fn audited(row: EventRow) -> Result<Event> {
    let request_id = Some(row.request_id.clone());
    let event = Event::try_from(row)?;
    Ok(Event { data: EventData { request_id, ..event.data }, ..event })
}

impl TryFrom<EventRow> for Event {
    type Error = Error;

    fn try_from(row: EventRow) -> Result<Self> {
        Ok(Event {
            id: EventId(row.number),
            at: row.at,
            kind: row.kind,
            organization_id: row.organization_id,
            course_id: row.course_id,
            enrollment_id: row.enrollment_id,
            user_id: row.user_id,
            actor: EventActor { kind: row.actor_kind, id: row.actor_id },
            data: serde_json::from_str(&row.data).map_err(Error::internal)?,
        })
    }
}
