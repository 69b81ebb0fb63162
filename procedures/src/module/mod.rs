//! Module enrollments: a user's place in a module of a course they are enrolled in.

mod list_by_enrollment;
mod store;

pub use list_by_enrollment::{ListByEnrollment, ListByEnrollmentInput, ModuleEnrollment};
pub use store::ModuleEnrollmentRow;

use crate::Router;
use crate::enrollment::EnrollmentRow;
use crate::text_enum;
use crate::values::{ModuleEnrollmentId, ModuleId, Moment};

pub fn router() -> Router {
    Router::default().query(ListByEnrollment, list_by_enrollment::list_by_enrollment)
}

text_enum! {
    /// Why a module enrollment is soft-deleted.
    pub enum Removal {
        /// With its enrollment, whose reactivation restores it (D15).
        EnrollmentCancelled = "enrollmentCancelled",
        /// At a reactivation after its module was retired (D15).
        ModuleRetired = "moduleRetired",
        /// By an admin, which nothing restores by itself (D15).
        Unassigned = "unassigned",
    }
}

impl ModuleEnrollmentRow {
    pub(crate) fn new(enrollment: &EnrollmentRow, module_id: ModuleId, now: Moment) -> Self {
        ModuleEnrollmentRow {
            id: ModuleEnrollmentId::new(),
            organization_id: enrollment.organization_id,
            enrollment_id: enrollment.id,
            user_id: enrollment.user_id,
            module_id,
            enrolled_at: now,
            started_at: None,
            completed_at: None,
            soft_deleted: false,
            removed_because: None,
        }
    }

    /// Soft-deletes the row for a reason, or restores it.
    pub(crate) fn remove(&mut self, because: Option<Removal>) {
        self.removed_because = because;
        self.soft_deleted = because.is_some();
    }
}
