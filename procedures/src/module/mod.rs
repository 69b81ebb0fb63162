//! Module enrollments: a user's place in a module of a course they are enrolled in.

mod assign;
mod complete;
mod drift;
mod list_by_enrollment;
mod progress;
mod start;
mod store;
mod unassign;

pub use assign::{Assign, AssignInput};
pub use complete::{Complete, CompleteInput};
pub use drift::{Drift, DriftEntry, DriftInput};
pub use list_by_enrollment::{ListByEnrollment, ListByEnrollmentInput, ModuleEnrollment};
pub use progress::ModuleProgress;
pub use start::{Start, StartInput};
pub use store::ModuleEnrollmentRow;
pub use unassign::{Unassign, UnassignInput};

use crate::Router;
use crate::enrollment::EnrollmentRow;
use crate::text_enum;
use crate::values::{ModuleEnrollmentId, ModuleId, Moment};

pub fn router() -> Router {
    Router::default()
        .query(ListByEnrollment, list_by_enrollment::list_by_enrollment)
        .mutation(Start, start::start)
        .mutation(Complete, complete::complete)
        .mutation(Assign, assign::assign)
        .mutation(Unassign, unassign::unassign)
        .query(Drift, drift::drift)
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
