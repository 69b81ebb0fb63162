//! `courses`, `course_authors` and `modules`: every statement that reads or writes them.

use std::collections::BTreeMap;

use diesel::IntoSql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{CourseStatus, EnrollmentMode, ModuleKind};
use crate::caller::{Insider, Tenant};
use crate::db::schema::{course_authors as authors, course_enrollments, courses, memberships, modules};
use crate::db::{Connection, Transaction, Writes, contains, locked, lower, one_of, table_row};
use crate::enrollment::EnrollmentStatus;
use crate::error::{Error, Result};
use crate::policy::{self, Action, CourseClaim, CourseGrant};
use crate::values::{CourseId, Limit, ModuleId, Moment, Notes, OrganizationId, Score, Search, Title, UserId};

table_row! {
    pub struct CourseRow: courses "courses" by (id) {
        id: CourseId,
        organization_id: OrganizationId,
        title: Title,
        description: Option<Notes>,
        status: CourseStatus,
        capacity: Option<i32>,
        waitlist: bool,
        opens_at: Option<Moment>,
        closes_at: Option<Moment>,
        access_days: Option<i32>,
        ends_at: Option<Moment>,
        pass_score: Option<Score>,
        certificate: bool,
        certificate_valid_days: Option<i32>,
        enrollment_mode: EnrollmentMode,
        auto_complete: bool,
        modules_total: i32,
        enrolled_count: i32,
        waitlisted_count: i32,
        completed_count: i32,
        cancelled_count: i32,
        expired_count: i32,
        /// How many seats may be taken: the capacity, or more where it was lowered below what was taken (D10).
        seats_limit: Option<i32>,
        version: i32,
        published_at: Option<Moment>,
        created_at: Moment,
        updated_at: Moment,
    }
}

table_row! {
    /// What a change of enrollments writes of a course.
    struct CourseCounts: courses "courses" by (id) {
        id: CourseId,
        enrolled_count: i32,
        waitlisted_count: i32,
        completed_count: i32,
        cancelled_count: i32,
        expired_count: i32,
        seats_limit: Option<i32>,
    }
}

table_row! {
    struct AuthorRow: authors "course_authors" by (course_id, user_id) {
        organization_id: OrganizationId,
        course_id: CourseId,
        user_id: UserId,
    }
}

table_row! {
    pub struct ModuleRow: modules "modules" by (id) {
        id: ModuleId,
        organization_id: OrganizationId,
        course_id: CourseId,
        title: Title,
        kind: ModuleKind,
        position: i32,
        retired_at: Option<Moment>,
        created_at: Moment,
    }
}

/// Locks the organization's courses among these, in the order of their ids (as everyone does, so that no two
/// transactions wait for each other), and loads them as they are once locked.
pub(crate) async fn lock(
    conn: &mut Connection,
    tenant: Tenant,
    ids: Vec<CourseId>,
) -> Result<Vec<CourseRow>> {
    Ok(conn.load(locked(among(tenant, ids).select(courses::all_columns))).await?)
}

/// The organization's courses among these, in the order of their ids.
#[diesel::dsl::auto_type]
pub(crate) fn among(tenant: Tenant, ids: Vec<CourseId>) -> _ {
    let organization: OrganizationId = tenant.organization_id();
    courses::table
        .filter(courses::organization_id.eq(organization))
        .filter(one_of(courses::id, ids))
        .order(courses::id)
}

/// Whether the caller may do this to a course; the look-up is in the caller's organization alone.
pub(crate) async fn grant(
    conn: &mut Connection,
    caller: &Insider,
    action: Action,
    course_id: CourseId,
) -> Result<CourseGrant> {
    let claim = policy::course_claim(caller, action)?;
    let query = claimed(caller, claim, course_id).select(authors::user_id.nullable());
    let found: Option<Option<UserId>> = conn.first(query).await?;
    policy::course_grant(claim, course_id, found.map(|author| author.is_some()))
}

/// A course, for a caller who may do this to it.
pub(crate) async fn granted(
    conn: &mut Connection,
    caller: &Insider,
    action: Action,
    course_id: CourseId,
) -> Result<CourseRow> {
    let claim = policy::course_claim(caller, action)?;
    let query = claimed(caller, claim, course_id).select((courses::all_columns, authors::user_id.nullable()));
    let found: Option<(CourseRow, Option<UserId>)> = conn.first(query).await?;
    policy::course_grant(claim, course_id, found.as_ref().map(|(_, author)| author.is_some()))?;
    found.map(|(course, _)| course).ok_or_else(Error::not_found)
}

/// A course of the caller's organization, with its author where the claim needs one to be the caller.
#[diesel::dsl::auto_type]
fn claimed(caller: &Insider, claim: CourseClaim, course_id: CourseId) -> _ {
    let author: UserId = match claim {
        CourseClaim::Exists => UserId::NIL,
        CourseClaim::Authored(user_id) => user_id,
    };
    let organization: OrganizationId = caller.tenant.organization_id();
    courses::table
        .left_join(authors::table.on(authors::course_id.eq(courses::id).and(authors::user_id.eq(author))))
        .filter(courses::organization_id.eq(organization))
        .filter(courses::id.eq(course_id))
}

/// A granted course, locked.
pub(super) async fn load_locked(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    course: CourseGrant,
) -> Result<CourseRow> {
    lock(tx, tenant, vec![course.course_id()]).await?.pop().ok_or_else(Error::not_found)
}

pub(super) async fn find(conn: &mut Connection, tenant: Tenant, id: CourseId) -> Result<Option<CourseRow>> {
    let query = courses::table
        .filter(courses::organization_id.eq(tenant.organization_id()))
        .filter(courses::id.eq(id))
        .select(courses::all_columns);
    Ok(conn.first(query).await?)
}

/// Which courses a list shows.
pub(super) struct CourseQuery {
    pub statuses: Vec<CourseStatus>,
    /// A part of the title, in either case.
    pub search: Option<Search>,
    /// For learners: published courses and those they are enrolled in.
    pub as_seen_by: Option<UserId>,
    pub after: Option<CourseId>,
    pub limit: Limit,
}

/// Courses after a cursor, in the order of their ids.
pub(super) async fn list(
    conn: &mut Connection,
    tenant: Tenant,
    asked: CourseQuery,
) -> Result<Vec<CourseRow>> {
    let pattern = contains(asked.search.as_ref());
    let query = courses::table
        .filter(courses::organization_id.eq(tenant.organization_id()))
        .filter(courses::status.eq_any(asked.statuses))
        .filter(courses::id.gt(asked.after.unwrap_or(CourseId::NIL)))
        .filter(lower(courses::title).like(lower(pattern)).escape('\\'))
        .filter(visible(asked.as_seen_by))
        .order(courses::id)
        .limit(asked.limit.with_lookahead())
        .select(courses::all_columns);
    Ok(conn.load(query).await?)
}

/// One course, if this reader sees it.
pub(super) async fn find_visible(
    conn: &mut Connection,
    tenant: Tenant,
    id: CourseId,
    as_seen_by: Option<UserId>,
) -> Result<Option<CourseRow>> {
    let query = courses::table
        .filter(courses::organization_id.eq(tenant.organization_id()))
        .filter(courses::id.eq(id))
        .filter(visible(as_seen_by))
        .select(courses::all_columns);
    Ok(conn.first(query).await?)
}

/// Learners see published courses and those they are actively enrolled in (D2); others (none here) see all.
#[diesel::dsl::auto_type]
fn visible(as_seen_by: Option<UserId>) -> _ {
    let sees_all: bool = as_seen_by.is_none();
    let learner: UserId = as_seen_by.unwrap_or(UserId::NIL);
    let active: Vec<EnrollmentStatus> =
        vec![EnrollmentStatus::Enrolled, EnrollmentStatus::Waitlisted, EnrollmentStatus::Completed];
    let published: CourseStatus = CourseStatus::Published;
    let enrolled_in = course_enrollments::table
        .filter(course_enrollments::user_id.eq(learner))
        .filter(course_enrollments::status.eq_any(active))
        .select(course_enrollments::course_id);
    sees_all.into_sql::<Bool>().or(courses::status.eq(published)).or(courses::id.eq_any(enrolled_in))
}

/// The authors of each of these courses.
pub(super) async fn authors_of(
    conn: &mut Connection,
    tenant: Tenant,
    ids: Vec<CourseId>,
) -> Result<BTreeMap<CourseId, Vec<UserId>>> {
    let query = authors::table
        .filter(authors::organization_id.eq(tenant.organization_id()))
        .filter(authors::course_id.eq_any(ids))
        .order(authors::user_id)
        .select((authors::course_id, authors::user_id));
    let rows: Vec<(CourseId, UserId)> = conn.load(query).await?;
    let mut found: BTreeMap<CourseId, Vec<UserId>> = BTreeMap::new();
    for (course, user) in rows {
        found.entry(course).or_default().push(user);
    }
    Ok(found)
}

/// Which of these people are members of the organization.
pub(super) async fn members_among(
    conn: &mut Connection,
    tenant: Tenant,
    ids: Vec<UserId>,
) -> Result<Vec<UserId>> {
    let query = memberships::table
        .filter(memberships::organization_id.eq(tenant.organization_id()))
        .filter(memberships::user_id.eq_any(ids))
        .select(memberships::user_id);
    Ok(conn.load(query).await?)
}

pub(super) async fn insert(tx: &mut Transaction<'_>, course: CourseRow) -> Result<()> {
    Ok(tx.insert_all(&[course]).await?)
}

/// Saves a course that this transaction has locked.
pub(super) async fn save(tx: &mut Transaction<'_>, course: CourseRow) -> Result<()> {
    Ok(tx.update_all(&[course]).await?)
}

/// Saves the counters of courses that this transaction has locked.
pub(crate) fn save_counts<'c>(changed: impl Iterator<Item = &'c CourseRow>, writes: &mut Writes) {
    let counts = changed.map(|course| CourseCounts {
        id: course.id,
        enrolled_count: course.enrolled_count,
        waitlisted_count: course.waitlisted_count,
        completed_count: course.completed_count,
        cancelled_count: course.cancelled_count,
        expired_count: course.expired_count,
        seats_limit: course.seats_limit,
    });
    writes.update(counts.collect());
}

/// Makes these the course's authors, and no others.
pub(super) async fn set_authors(tx: &mut Transaction<'_>, course: &CourseRow, ids: &[UserId]) -> Result<()> {
    let former = authors::table
        .filter(authors::organization_id.eq(course.organization_id))
        .filter(authors::course_id.eq(course.id));
    tx.execute(diesel::delete(former)).await?;
    let rows: Vec<AuthorRow> = ids
        .iter()
        .map(|user_id| AuthorRow {
            organization_id: course.organization_id,
            course_id: course.id,
            user_id: *user_id,
        })
        .collect();
    Ok(tx.insert_all(&rows).await?)
}

pub(super) async fn find_module(
    conn: &mut Connection,
    tenant: Tenant,
    id: ModuleId,
) -> Result<Option<ModuleRow>> {
    let query = modules::table
        .filter(modules::organization_id.eq(tenant.organization_id()))
        .filter(modules::id.eq(id))
        .select(modules::all_columns);
    Ok(conn.first(query).await?)
}

/// The organization's modules among these, by their ids.
pub(crate) async fn modules_among(
    conn: &mut Connection,
    tenant: Tenant,
    ids: Vec<ModuleId>,
) -> Result<BTreeMap<ModuleId, ModuleRow>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = modules::table
        .filter(modules::organization_id.eq(tenant.organization_id()))
        .filter(one_of(modules::id, ids))
        .select(modules::all_columns);
    let rows: Vec<ModuleRow> = conn.load(query).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A course's modules, retired ones included, in their order.
pub(super) async fn modules_of(conn: &mut Connection, course: &CourseRow) -> Result<Vec<ModuleRow>> {
    let query = modules::table
        .filter(modules::organization_id.eq(course.organization_id))
        .filter(modules::course_id.eq(course.id))
        .order((modules::position, modules::id))
        .select(modules::all_columns);
    Ok(conn.load(query).await?)
}

pub(super) async fn insert_module(tx: &mut Transaction<'_>, module: ModuleRow) -> Result<()> {
    Ok(tx.insert_all(&[module]).await?)
}

pub(super) async fn save_modules(tx: &mut Transaction<'_>, modules: &[ModuleRow]) -> Result<()> {
    Ok(tx.update_all(modules).await?)
}
