//! `course_enrollments`: every statement that reads or writes it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::rules::{Changes, Command, Facts};
use super::{EnrollmentStatus, Source};
use crate::caller::Tenant;
use crate::course;
use crate::db::schema::{
    course_authors, course_enrollments as enrollments, memberships, module_enrollments, modules, users,
};
use crate::db::{Connection, Transaction, coalesce, contains, lower, pairs, table_row, together};
use crate::error::{Error, Result};
use crate::member::{MembershipStatus, Role};
use crate::module::ModuleEnrollmentRow;
use crate::policy::{CourseGrant, Subject};
use crate::values::{
    CertificateId, CourseId, EnrollmentId, Limit, ModuleId, Moment, Notes, OrganizationId, Score, Search,
    UserId,
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
    }
}

impl EnrollmentRow {
    /// How much free text it has, in bytes.
    pub(super) fn text(&self) -> usize {
        self.notes.as_ref().map_or(0, Notes::size)
    }
}

/// The facts for a batch of commands. The courses are locked first, in the order of their ids: whoever decides about
/// a course's enrollments has them to itself until it commits, also those that do not exist yet.
pub(super) async fn load<'c>(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    commands: impl Iterator<Item = &'c Command>,
) -> Result<Facts> {
    let seats: BTreeSet<(CourseId, UserId)> =
        commands.map(|command| (command.course_id, command.subject.user_id())).collect();
    if seats.is_empty() {
        return Ok(Facts::default());
    }
    let organization = tenant.organization_id();
    let course_ids: BTreeSet<CourseId> = seats.iter().map(|(course, _)| *course).collect();
    let user_ids: BTreeSet<UserId> = seats.iter().map(|(_, user)| *user).collect();
    let courses = course::store::lock(tx, tenant, course_ids.iter().copied().collect()).await?;

    let members = memberships::table
        .filter(memberships::organization_id.eq(organization))
        .filter(memberships::user_id.eq_any(Vec::from_iter(user_ids)))
        .select((memberships::user_id, memberships::role, memberships::status));
    let existing = enrollments::table
        .filter(pairs(enrollments::course_id, enrollments::user_id, seats.iter().copied()))
        .filter(enrollments::organization_id.eq(organization))
        .select(enrollments::all_columns);
    let current_modules = modules::table
        .filter(modules::course_id.eq_any(Vec::from_iter(course_ids)))
        .filter(modules::organization_id.eq(organization))
        .filter(modules::retired_at.is_null())
        .select((modules::course_id, modules::id));
    let had_modules = module_enrollments::table
        .inner_join(enrollments::table.on(enrollments::id.eq(module_enrollments::enrollment_id)))
        .filter(pairs(enrollments::course_id, enrollments::user_id, seats.iter().copied()))
        .filter(enrollments::organization_id.eq(organization))
        .select(module_enrollments::all_columns);
    type Loaded = (
        Vec<(UserId, Role, MembershipStatus)>,
        Vec<EnrollmentRow>,
        Vec<(CourseId, ModuleId)>,
        Vec<ModuleEnrollmentRow>,
    );
    let (members, existing, current_modules, had_modules): Loaded =
        together!(tx, members, existing, current_modules, had_modules)?;

    let mut facts = Facts {
        courses: courses.into_iter().map(|course| (course.id, course)).collect(),
        members: members.into_iter().map(|(user, role, status)| (user, (role, status))).collect(),
        enrollments: existing.into_iter().map(|row| ((row.course_id, row.user_id), row)).collect(),
        modules: BTreeMap::new(),
        module_enrollments: BTreeMap::new(),
    };
    for (course, module) in current_modules {
        facts.modules.entry(course).or_default().insert(module);
    }
    for module in had_modules {
        facts.module_enrollments.entry(module.enrollment_id).or_default().push(module);
    }
    Ok(facts)
}

/// Writes what a batch decided, in a constant number of statements.
pub(super) async fn apply(tx: &mut Transaction<'_>, changes: Changes) -> Result<()> {
    tx.insert_all(&Vec::from_iter(changes.added.into_values())).await?;
    tx.update_all(&Vec::from_iter(changes.updated.into_values())).await?;
    tx.insert_all(&Vec::from_iter(changes.modules_added.into_values())).await?;
    tx.update_all(&Vec::from_iter(changes.modules_updated.into_values())).await?;
    course::store::save_counts(tx, changes.courses.values()).await
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
        .filter(ahead.field(enrollments::status).eq(EnrollmentStatus::Waitlisted))
        .group_by(enrollments::id)
        .select((enrollments::id, count_star()));
    let places: Vec<(EnrollmentId, i64)> = conn.load(query).await?;
    places.into_iter().map(|(id, place)| Ok((id, i32::try_from(place).map_err(Error::internal)?))).collect()
}
