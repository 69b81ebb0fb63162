//! `module_enrollments`.

use diesel::prelude::*;

use super::Removal;
use crate::caller::Tenant;
use crate::course::ModuleRow;
use crate::db::schema::{module_enrollments, modules};
use crate::db::{Connection, table_row};
use crate::enrollment::VisibleEnrollment;
use crate::error::Result;
use crate::values::{EnrollmentId, ModuleEnrollmentId, ModuleId, Moment, OrganizationId, UserId};

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
