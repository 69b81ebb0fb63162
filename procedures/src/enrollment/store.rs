//! `course_enrollments`, as it is read; what decisions load and write is in [`super::facts`].

use std::collections::BTreeMap;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{EnrollmentStatus, Source};
use crate::caller::Tenant;
use crate::db::schema::{course_authors, course_enrollments as enrollments, users};
use crate::db::{Connection, coalesce, contains, lower, table_row};
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

/// An enrollment by its id, and whether `reader` is an author of its course.
pub(super) async fn find(
    conn: &mut Connection,
    tenant: Tenant,
    id: EnrollmentId,
    reader: Option<UserId>,
) -> Result<Option<(EnrollmentRow, bool)>> {
    let reader = reader.unwrap_or(UserId::NIL);
    let query =
        enrollments::table
            .left_join(course_authors::table.on(
                course_authors::course_id.eq(enrollments::course_id).and(course_authors::user_id.eq(reader)),
            ))
            .filter(enrollments::organization_id.eq(tenant.organization_id()))
            .filter(enrollments::id.eq(id))
            .select((enrollments::all_columns, course_authors::user_id.nullable()));
    let found: Option<(EnrollmentRow, Option<UserId>)> = conn.first(query).await?;
    Ok(found.map(|(row, author)| (row, author.is_some())))
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
    let pattern = contains(asked.search.as_ref());
    let query = enrollments::table
        .inner_join(users::table.on(users::id.eq(enrollments::user_id)))
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::course_id.eq(course.course_id()))
        .filter(enrollments::status.eq_any(asked.statuses))
        .filter(enrollments::id.gt(asked.after.unwrap_or(EnrollmentId::NIL)))
        .filter(lower(coalesce(users::display_name, String::new())).like(lower(pattern)).escape('\\'))
        .order(enrollments::id)
        .limit(asked.limit.with_lookahead())
        .select((enrollments::all_columns, users::display_name));
    Ok(conn.load(query).await?)
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
