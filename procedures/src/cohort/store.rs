//! `cohorts`, `cohort_members` and `cohort_courses`: every statement that reads or writes them. What was removed keeps
//! its row, with the moment of its removal.

use std::collections::BTreeMap;

use diesel::dsl::{count_star, exists, not};
use diesel::prelude::*;

use super::enrolling::Extent;
use crate::caller::Tenant;
use crate::db::schema::{
    cohort_courses as attachments, cohort_members as members, cohorts, course_enrollments, courses,
    memberships,
};
use crate::db::{Connection, Transaction, contains, locked, lower, table_row, together};
use crate::enrollment::EnrollmentStatus;
use crate::error::{Error, Result};
use crate::values::{CohortId, CourseId, Limit, Moment, Name, OrganizationId, Search, UserId};

table_row! {
    pub struct CohortRow: cohorts "cohorts" by (id) {
        id: CohortId,
        organization_id: OrganizationId,
        name: Name,
        created_at: Moment,
    }
}

table_row! {
    pub struct MemberRow: members "cohort_members" by (cohort_id, user_id) {
        organization_id: OrganizationId,
        cohort_id: CohortId,
        user_id: UserId,
        added_at: Moment,
        removed_at: Option<Moment>,
        /// Added by someone who enrolls learners alone (D21).
        learners_only: bool,
    }
}

table_row! {
    pub struct AttachmentRow: attachments "cohort_courses" by (cohort_id, course_id) {
        organization_id: OrganizationId,
        cohort_id: CohortId,
        course_id: CourseId,
        added_at: Moment,
        removed_at: Option<Moment>,
        /// Attached by someone who enrolls learners alone (D21).
        learners_only: bool,
    }
}

#[diesel::dsl::auto_type]
fn cohort(tenant: Tenant, id: CohortId) -> _ {
    let organization: OrganizationId = tenant.organization_id();
    cohorts::table.filter(cohorts::organization_id.eq(organization)).filter(cohorts::id.eq(id)).select((
        cohorts::id,
        cohorts::organization_id,
        cohorts::name,
        cohorts::created_at,
    ))
}

pub(super) async fn find(conn: &mut Connection, tenant: Tenant, id: CohortId) -> Result<Option<CohortRow>> {
    Ok(conn.first(cohort(tenant, id)).await?)
}

/// A cohort, to be changed: nobody else changes it until the transaction ends.
pub(super) async fn find_locked(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    id: CohortId,
) -> Result<Option<CohortRow>> {
    Ok(tx.first(locked(cohort(tenant, id))).await?)
}

/// Which cohorts a list shows.
pub(super) struct CohortQuery {
    /// A part of the name, in either case.
    pub search: Option<Search>,
    pub after: Option<CohortId>,
    pub limit: Limit,
}

/// Cohorts after a cursor, in the order of their ids.
pub(super) async fn list(
    conn: &mut Connection,
    tenant: Tenant,
    asked: CohortQuery,
) -> Result<Vec<CohortRow>> {
    let pattern = contains(asked.search.as_ref());
    let query = cohorts::table
        .filter(cohorts::organization_id.eq(tenant.organization_id()))
        .filter(cohorts::id.gt(asked.after.unwrap_or(CohortId::NIL)))
        .filter(lower(cohorts::name).like(lower(pattern)).escape('\\'))
        .order(cohorts::id)
        .limit(asked.limit.with_lookahead())
        .select(cohorts::all_columns);
    Ok(conn.load(query).await?)
}

/// How many people are in each of these cohorts (a cohort with nobody is absent), and their courses.
pub(super) async fn contents_of(
    conn: &mut Connection,
    tenant: Tenant,
    ids: Vec<CohortId>,
) -> Result<(BTreeMap<CohortId, i32>, BTreeMap<CohortId, Vec<CourseId>>)> {
    let members = members::table
        .filter(members::organization_id.eq(tenant.organization_id()))
        .filter(members::cohort_id.eq_any(ids.clone()))
        .filter(members::removed_at.is_null())
        .group_by(members::cohort_id)
        .select((members::cohort_id, count_star()));
    let courses = attachments::table
        .filter(attachments::organization_id.eq(tenant.organization_id()))
        .filter(attachments::cohort_id.eq_any(ids))
        .filter(attachments::removed_at.is_null())
        .order(attachments::course_id)
        .select((attachments::cohort_id, attachments::course_id));
    type Loaded = (Vec<(CohortId, i64)>, Vec<(CohortId, CourseId)>);
    let (members, courses): Loaded = together!(conn, members, courses)?;
    let counted = |(id, count)| Ok((id, i32::try_from(count).map_err(Error::internal)?));
    let members = members.into_iter().map(counted).collect::<Result<_>>()?;
    let mut courses_of: BTreeMap<CohortId, Vec<CourseId>> = BTreeMap::new();
    for (cohort, course) in courses {
        courses_of.entry(cohort).or_default().push(course);
    }
    Ok((members, courses_of))
}

/// Which of these people are members of the cohort's organization.
pub(super) async fn users_among(
    conn: &mut Connection,
    cohort: &CohortRow,
    ids: Vec<UserId>,
) -> Result<Vec<UserId>> {
    let query = memberships::table
        .filter(memberships::organization_id.eq(cohort.organization_id))
        .filter(memberships::user_id.eq_any(ids))
        .select(memberships::user_id);
    Ok(conn.load(query).await?)
}

/// Which of these are courses of the cohort's organization.
pub(super) async fn courses_among(
    conn: &mut Connection,
    cohort: &CohortRow,
    ids: Vec<CourseId>,
) -> Result<Vec<CourseId>> {
    let query = courses::table
        .filter(courses::organization_id.eq(cohort.organization_id))
        .filter(courses::id.eq_any(ids))
        .select(courses::id);
    Ok(conn.load(query).await?)
}

/// Those of these people who are in the cohort.
pub(super) async fn members_among(
    conn: &mut Connection,
    cohort: &CohortRow,
    ids: Vec<UserId>,
) -> Result<Vec<MemberRow>> {
    let query = members::table
        .filter(members::organization_id.eq(cohort.organization_id))
        .filter(members::cohort_id.eq(cohort.id))
        .filter(members::user_id.eq_any(ids))
        .filter(members::removed_at.is_null())
        .select(members::all_columns);
    Ok(conn.load(query).await?)
}

/// How many people are in the cohort.
pub(super) async fn count_members(conn: &mut Connection, cohort: &CohortRow) -> Result<usize> {
    let query = members::table
        .filter(members::organization_id.eq(cohort.organization_id))
        .filter(members::cohort_id.eq(cohort.id))
        .filter(members::removed_at.is_null())
        .select(count_star());
    let count: i64 = conn.one(query).await?;
    usize::try_from(count).map_err(Error::internal)
}

/// The cohort's courses.
pub(super) async fn courses_of(conn: &mut Connection, cohort: &CohortRow) -> Result<Vec<AttachmentRow>> {
    let query = attachments::table
        .filter(attachments::organization_id.eq(cohort.organization_id))
        .filter(attachments::cohort_id.eq(cohort.id))
        .filter(attachments::removed_at.is_null())
        .select(attachments::all_columns);
    Ok(conn.load(query).await?)
}

pub(super) async fn insert(tx: &mut Transaction<'_>, cohort: CohortRow) -> Result<()> {
    Ok(tx.insert_all(&[cohort]).await?)
}

/// Saves members of a cohort that this transaction has locked.
pub(super) async fn save_members(tx: &mut Transaction<'_>, rows: &[MemberRow]) -> Result<()> {
    Ok(tx.replace_all(rows).await?)
}

/// Saves courses of a cohort that this transaction has locked.
pub(super) async fn save_courses(tx: &mut Transaction<'_>, rows: &[AttachmentRow]) -> Result<()> {
    Ok(tx.replace_all(rows).await?)
}

/// A course that a cohort has.
#[derive(Clone, Copy, Debug, PartialEq, Queryable)]
pub(super) struct Attachment {
    pub organization_id: OrganizationId,
    pub cohort_id: CohortId,
    pub course_id: CourseId,
    pub learners_only: bool,
}

/// The courses of cohorts that an extent is about.
pub(super) async fn attachments(
    conn: &mut Connection,
    tenant: Tenant,
    extent: &Extent,
) -> Result<Vec<Attachment>> {
    let present = attachments::table
        .filter(attachments::organization_id.eq(tenant.organization_id()))
        .filter(attachments::removed_at.is_null())
        .order((attachments::course_id, attachments::cohort_id))
        .select((
            attachments::organization_id,
            attachments::cohort_id,
            attachments::course_id,
            attachments::learners_only,
        ));
    let found = match extent {
        Extent::Cohort(cohort) | Extent::Members(cohort, _) => {
            conn.load(present.filter(attachments::cohort_id.eq(*cohort))).await
        }
        Extent::Attachment(cohort, course) => {
            let one = present.filter(attachments::cohort_id.eq(*cohort));
            conn.load(one.filter(attachments::course_id.eq(*course))).await
        }
        Extent::Course(course) => conn.load(present.filter(attachments::course_id.eq(*course))).await,
    };
    Ok(found?)
}

/// The members of a cohort who have no active enrollment (D2) in a course of it, each with whether they are enrolled as
/// a learner alone; in the order of their ids after one of them, at most so many.
pub(super) async fn without_enrollment(
    conn: &mut Connection,
    attachment: Attachment,
    extent: &Extent,
    after: UserId,
    most: usize,
) -> Result<Vec<(UserId, bool)>> {
    let most = i64::try_from(most).map_err(Error::internal)?;
    let missing = missing(attachment, after).limit(most);
    let found = match extent {
        Extent::Members(_, named) => conn.load(missing.filter(members::user_id.eq_any(named.clone()))).await,
        Extent::Cohort(_) | Extent::Attachment(..) | Extent::Course(_) => conn.load(missing).await,
    };
    Ok(found?)
}

#[diesel::dsl::auto_type]
fn missing(attachment: Attachment, after: UserId) -> _ {
    let organization: OrganizationId = attachment.organization_id;
    let cohort: CohortId = attachment.cohort_id;
    let course: CourseId = attachment.course_id;
    let active: Vec<EnrollmentStatus> =
        vec![EnrollmentStatus::Enrolled, EnrollmentStatus::Waitlisted, EnrollmentStatus::Completed];
    let enrolled = course_enrollments::table
        .filter(course_enrollments::user_id.eq(members::user_id))
        .filter(course_enrollments::course_id.eq(course))
        .filter(course_enrollments::status.eq_any(active));
    members::table
        .filter(members::organization_id.eq(organization))
        .filter(members::cohort_id.eq(cohort))
        .filter(members::removed_at.is_null())
        .filter(members::user_id.gt(after))
        .filter(not(exists(enrolled)))
        .order(members::user_id)
        .select((members::user_id, members::learners_only))
}
