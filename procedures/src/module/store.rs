//! `module_enrollments`.

use std::collections::BTreeMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::Removal;
use crate::caller::Tenant;
use crate::course::ModuleRow;
use crate::db::schema::{course_enrollments as enrollments, module_enrollments, modules};
use crate::db::{Connection, table_row};
use crate::enrollment::{EnrollmentStatus, VisibleEnrollment};
use crate::error::Result;
use crate::policy::CourseGrant;
use crate::values::{EnrollmentId, Limit, ModuleEnrollmentId, ModuleId, Moment, OrganizationId, UserId};

table_row! {
    pub struct ModuleEnrollmentRow: module_enrollments "module_enrollments" by (id) {
        id: ModuleEnrollmentId,
        organization_id: OrganizationId,
        enrollment_id: EnrollmentId,
        user_id: UserId,
        module_id: ModuleId,
        enrolled_at: Moment,
        started_at: Option<Moment>,
        completed_at: Option<Moment>,
        soft_deleted: bool,
        removed_because: Option<Removal>,
    }
}

/// An enrollment's modules, soft-deleted ones included, in the order of the course.
pub(super) async fn list(
    conn: &mut Connection,
    tenant: Tenant,
    enrollment: &VisibleEnrollment,
) -> Result<Vec<(ModuleEnrollmentRow, ModuleRow)>> {
    let query = module_enrollments::table
        .inner_join(modules::table.on(modules::id.eq(module_enrollments::module_id)))
        .filter(module_enrollments::organization_id.eq(tenant.organization_id()))
        .filter(module_enrollments::enrollment_id.eq(enrollment.row().id))
        .order((modules::position, modules::id))
        .select((module_enrollments::all_columns, modules::all_columns));
    Ok(conn.load(query).await?)
}

/// An enrollment under way that lacks a module of its course.
#[derive(Clone, Debug, Queryable)]
pub(super) struct Drifted {
    pub id: EnrollmentId,
    pub user_id: UserId,
    pub modules_total: i32,
    pub modules_completed: i32,
}

/// Whether the modules joined are ones that the enrollment never had: current, and in no row of its own, not even one
/// that was taken away.
#[diesel::dsl::auto_type]
fn never_given() -> _ {
    let given = module_enrollments::table
        .filter(module_enrollments::enrollment_id.eq(enrollments::id))
        .filter(module_enrollments::module_id.eq(modules::id));
    modules::course_id.eq(enrollments::course_id).and(modules::retired_at.is_null()).and(not(exists(given)))
}

/// The enrollments under way that lack a module, after a cursor, in the order of their ids. Access that has ended by
/// `now` is not under way, whether the status says so already or not (D7).
pub(super) async fn drifted(
    conn: &mut Connection,
    tenant: Tenant,
    course: CourseGrant,
    now: Moment,
    after: Option<EnrollmentId>,
    limit: Limit,
) -> Result<Vec<Drifted>> {
    let query = enrollments::table
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::course_id.eq(course.course_id()))
        .filter(enrollments::status.eq(EnrollmentStatus::Enrolled))
        .filter(enrollments::expires_at.is_null().or(enrollments::expires_at.gt(now)))
        .filter(enrollments::id.gt(after.unwrap_or(EnrollmentId::NIL)))
        .filter(exists(modules::table.filter(never_given())))
        .order(enrollments::id)
        .limit(limit.with_lookahead())
        .select((
            enrollments::id,
            enrollments::user_id,
            enrollments::modules_total,
            enrollments::modules_completed,
        ));
    Ok(conn.load(query).await?)
}

/// What each of these enrollments lacks, in the order of the course.
pub(super) async fn missing(
    conn: &mut Connection,
    tenant: Tenant,
    course: CourseGrant,
    ids: Vec<EnrollmentId>,
) -> Result<BTreeMap<EnrollmentId, Vec<ModuleId>>> {
    let query = enrollments::table
        .inner_join(modules::table.on(never_given()))
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::course_id.eq(course.course_id()))
        .filter(enrollments::id.eq_any(ids))
        .order((modules::position, modules::id))
        .select((enrollments::id, modules::id));
    let pairs: Vec<(EnrollmentId, ModuleId)> = conn.load(query).await?;
    let mut missing: BTreeMap<EnrollmentId, Vec<ModuleId>> = BTreeMap::new();
    for (enrollment, module) in pairs {
        missing.entry(enrollment).or_default().push(module);
    }
    Ok(missing)
}
