//! `course_enrollments`, as it is read; what decisions load and write is in [`super::facts`].

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{EnrollmentStatus, Source};
use crate::caller::Tenant;
use crate::db::schema::{course_authors, course_enrollments as enrollments, users};
use crate::db::{Connection, coalesce, contains, lower, pairs, table_row};
use crate::error::{Error, Result};
use crate::policy::{CourseGrant, Subject};
use crate::values::{
    CertificateId, CourseId, EnrollmentId, Limit, Moment, Notes, OrganizationId, Score, Search, UserId,
};

table_row! {
    pub struct EnrollmentRow: enrollments "course_enrollments" by (id) {
        id: EnrollmentId,
        user_id: UserId,
        course_id: CourseId,
        organization_id: OrganizationId,
        status: EnrollmentStatus,
        enrolled_at: Moment,
        completed_at: Option<Moment>,
        cancelled_at: Option<Moment>,
        completion_score: Option<Score>,
        enrolled_by_user_id: Option<UserId>,
        certificate_id: Option<CertificateId>,
        reminder_sent_at: Option<Moment>,
        notes: Option<Notes>,
        created_at: Moment,
        updated_at: Moment,
        source: Source,
        source_ref: Option<String>,
        started_at: Option<Moment>,
        waitlisted_at: Option<Moment>,
        expires_at: Option<Moment>,
        attempt: i32,
        version: i32,
        modules_total: i32,
        modules_completed: i32,
        /// Whether a person cancelled it, and no person has enrolled again since (D20).
        tombstone: bool,
    }
}

impl EnrollmentRow {
    /// How much free text it has, in bytes.
    pub(super) fn text(&self) -> usize {
        self.notes.as_ref().map_or(0, Notes::size)
    }
}

/// An enrollment that is asked for by its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FindQuery {
    pub tenant: Tenant,
    pub id: EnrollmentId,
    /// The person who asks, if it is one.
    pub reader: Option<UserId>,
}

/// The enrollments that are asked for, each with whether its reader is an author of its course.
pub(super) async fn find(
    conn: &mut Connection,
    wanted: &[FindQuery],
) -> Result<Vec<Option<(EnrollmentRow, bool)>>> {
    let ids = wanted.iter().map(|wanted| (wanted.tenant.organization_id(), wanted.id));
    let query = enrollments::table
        .filter(pairs(enrollments::organization_id, enrollments::id, ids))
        .select(enrollments::all_columns);
    let rows: Vec<EnrollmentRow> = conn.load(query).await?;
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| ((row.organization_id, row.id), row)).collect();
    let found: Vec<Option<(&FindQuery, &EnrollmentRow)>> = wanted
        .iter()
        .map(|wanted| Some((wanted, rows.get(&(wanted.tenant.organization_id(), wanted.id))?)))
        .collect();
    let authors = authors(conn, found.iter().flatten().copied()).await?;
    let is_author = |wanted: &FindQuery, row: &EnrollmentRow| {
        wanted.reader.is_some_and(|reader| authors.contains(&(row.course_id, reader)))
    };
    let with_author = |(wanted, row): (&FindQuery, &EnrollmentRow)| (row.clone(), is_author(wanted, row));
    Ok(found.into_iter().map(|found| found.map(with_author)).collect())
}

/// Who of those who read other people's enrollments is an author of the course; mostly people read their own.
async fn authors(
    conn: &mut Connection,
    found: impl Iterator<Item = (&FindQuery, &EnrollmentRow)>,
) -> Result<BTreeSet<(CourseId, UserId)>> {
    let others: BTreeSet<(CourseId, UserId)> = found
        .filter_map(|(wanted, row)| Some((row, wanted.reader?)))
        .filter(|(row, reader)| row.user_id != *reader)
        .map(|(row, reader)| (row.course_id, reader))
        .collect();
    if others.is_empty() {
        return Ok(others);
    }
    let query = course_authors::table
        .filter(pairs(course_authors::course_id, course_authors::user_id, others))
        .select((course_authors::course_id, course_authors::user_id));
    let authors: Vec<(CourseId, UserId)> = conn.load(query).await?;
    Ok(authors.into_iter().collect())
}

/// A person's enrollment in a course.
pub(super) async fn find_by_subject(
    conn: &mut Connection,
    tenant: Tenant,
    course: CourseId,
    subject: Subject,
) -> Result<Option<EnrollmentRow>> {
    let query = enrollments::table
        .filter(enrollments::user_id.eq(subject.user_id()))
        .filter(enrollments::course_id.eq(course))
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .select(enrollments::all_columns);
    Ok(conn.first(query).await?)
}

/// A person's enrollments after a cursor, in the order of their ids.
pub(super) async fn list_by_subject(
    conn: &mut Connection,
    tenant: Tenant,
    subject: Subject,
    statuses: Vec<EnrollmentStatus>,
    after: Option<EnrollmentId>,
    limit: Limit,
) -> Result<Vec<EnrollmentRow>> {
    let query = enrollments::table
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::user_id.eq(subject.user_id()))
        .filter(enrollments::status.eq_any(statuses))
        .filter(enrollments::id.gt(after.unwrap_or(EnrollmentId::NIL)))
        .order(enrollments::id)
        .limit(limit.with_lookahead())
        .select(enrollments::all_columns);
    Ok(conn.load(query).await?)
}

/// The courses that a member is in, in one of these statuses.
pub(super) async fn courses_of(
    conn: &mut Connection,
    tenant: Tenant,
    user: UserId,
    statuses: &[EnrollmentStatus],
) -> Result<Vec<CourseId>> {
    let query = enrollments::table
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::user_id.eq(user))
        .filter(enrollments::status.eq_any(statuses.to_vec()))
        .order(enrollments::course_id)
        .select(enrollments::course_id);
    Ok(conn.load(query).await?)
}

/// The courses where somebody wrote something about a member.
pub(super) async fn courses_with_notes_on(
    conn: &mut Connection,
    tenant: Tenant,
    user: UserId,
) -> Result<Vec<CourseId>> {
    let query = enrollments::table
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::user_id.eq(user))
        .filter(enrollments::notes.is_not_null())
        .order(enrollments::course_id)
        .select(enrollments::course_id);
    Ok(conn.load(query).await?)
}

/// What a roster is asked for.
pub(super) struct RosterQuery {
    pub statuses: Vec<EnrollmentStatus>,
    /// A part of the display name, in either case.
    pub search: Option<Search>,
    pub after: Option<EnrollmentId>,
    pub limit: Limit,
}

/// A course's enrollments with their learners' names after a cursor, in the order of their ids.
pub(super) async fn roster(
    conn: &mut Connection,
    tenant: Tenant,
    course: CourseGrant,
    asked: RosterQuery,
) -> Result<Vec<(EnrollmentRow, Option<String>)>> {
    let all = enrollments::table
        .inner_join(users::table.on(users::id.eq(enrollments::user_id)))
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::course_id.eq(course.course_id()))
        .filter(enrollments::status.eq_any(asked.statuses))
        .filter(enrollments::id.gt(asked.after.unwrap_or(EnrollmentId::NIL)))
        .order(enrollments::id)
        .limit(asked.limit.with_lookahead())
        .select((enrollments::all_columns, users::display_name));
    // Each is a statement of its own, planned for what it is asked for.
    Ok(match asked.search {
        Some(search) => {
            let name = lower(coalesce(users::display_name, String::new()));
            conn.load(all.filter(name.like(lower(contains(Some(&search)))).escape('\\'))).await?
        }
        None => conn.load(all).await?,
    })
}

/// Which of an organization's enrollments are asked for.
pub(super) struct OrganizationQuery {
    pub statuses: Vec<EnrollmentStatus>,
    pub course: Option<CourseGrant>,
    /// At this moment or later.
    pub updated_since: Option<Moment>,
    pub after: Option<EnrollmentId>,
    pub limit: Limit,
}

/// An organization's enrollments with their learners' names after a cursor, in the order of their ids.
pub(super) async fn list(
    conn: &mut Connection,
    tenant: Tenant,
    asked: OrganizationQuery,
) -> Result<Vec<(EnrollmentRow, Option<String>)>> {
    let OrganizationQuery { statuses, course, updated_since, after, limit } = asked;
    let since = updated_since.unwrap_or(Moment::EPOCH);
    let all = enrollments::table
        .inner_join(users::table.on(users::id.eq(enrollments::user_id)))
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::status.eq_any(statuses))
        .filter(enrollments::updated_at.ge(since))
        .filter(enrollments::id.gt(after.unwrap_or(EnrollmentId::NIL)))
        .order(enrollments::id)
        .limit(limit.with_lookahead())
        .select((enrollments::all_columns, users::display_name));
    // Each is a statement of its own, planned for what it is asked for.
    Ok(match course {
        Some(course) => conn.load(all.filter(enrollments::course_id.eq(course.course_id()))).await?,
        None => conn.load(all).await?,
    })
}

/// The places, from 1, of these waitlisted enrollments (D11: by `waitlisted_at`, then id).
pub(super) async fn waitlist_positions(
    conn: &mut Connection,
    tenant: Tenant,
    waiting: Vec<EnrollmentId>,
) -> Result<BTreeMap<EnrollmentId, i32>> {
    if waiting.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ahead = diesel::alias!(enrollments as ahead);
    let is_ahead = ahead.field(enrollments::course_id).eq(enrollments::course_id).and(
        ahead.field(enrollments::waitlisted_at).lt(enrollments::waitlisted_at).or(ahead
            .field(enrollments::waitlisted_at)
            .eq(enrollments::waitlisted_at)
            .and(ahead.field(enrollments::id).le(enrollments::id))),
    );
    let query = enrollments::table
        .inner_join(ahead.on(is_ahead))
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::id.eq_any(waiting))
        // In the words of the index that has waitlists alone.
        .filter(sql::<Bool>("ahead.status = 'waitlisted'"))
        .group_by(enrollments::id)
        .select((enrollments::id, count_star()));
    let places: Vec<(EnrollmentId, i64)> = conn.load(query).await?;
    places.into_iter().map(|(id, place)| Ok((id, i32::try_from(place).map_err(Error::internal)?))).collect()
}
