//! Courses and their modules: what one enrolls in.

mod add_module;
mod change;
mod create;
mod get;
mod list;
mod publication;
mod retire_module;
pub(crate) mod store;
mod update;
mod update_module;
mod view;

pub use add_module::{AddModule, AddModuleInput};
pub use create::{Create, CreateInput};
pub use get::{Get, GetInput};
pub use list::{List, ListInput};
pub use publication::{Archive, ArchiveInput, Publish, PublishInput, Unpublish, UnpublishInput};
pub use retire_module::{RetireModule, RetireModuleInput};
pub use store::{CourseRow, ModuleRow};
pub use update::{Update, UpdateInput};
pub use update_module::{UpdateModule, UpdateModuleInput};
pub use view::{Course, Module};

use crate::Router;
use crate::enrollment::EnrollmentStatus;
use crate::text_enum;
use crate::values::Notes;

pub fn router() -> Router {
    Router::default()
        .mutation(Create, create::create)
        .mutation(Update, update::update)
        .mutation(Publish, publication::publish)
        .mutation(Unpublish, publication::unpublish)
        .mutation(Archive, publication::archive)
        .query(Get, get::get)
        .query(List, list::list)
        .mutation(AddModule, add_module::add_module)
        .mutation(UpdateModule, update_module::update_module)
        .mutation(RetireModule, retire_module::retire_module)
}

text_enum! {
    /// Only a published course takes enrollments (D16).
    pub enum CourseStatus {
        Draft = "draft",
        Published = "published",
        Archived = "archived",
    }
}

text_enum! {
    /// Whether learners enroll and unenroll themselves (D20).
    pub enum EnrollmentMode {
        Open = "open",
        Managed = "managed",
    }
}

text_enum! {
    /// What a module is.
    pub enum ModuleKind {
        Lesson = "lesson",
        Quiz = "quiz",
        Survey = "survey",
        Webinar = "webinar",
        Scorm = "scorm",
    }
}

impl CourseRow {
    /// How much free text it has, in bytes.
    fn text(&self) -> usize {
        self.description.as_ref().map_or(0, Notes::size)
    }

    /// D10: enrolled and completed enrollments hold a seat.
    pub(crate) fn seats_taken(&self) -> i32 {
        self.enrolled_count + self.completed_count
    }

    /// Whether nobody holds a last seat yet.
    pub(crate) fn has_seat(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.seats_taken() < capacity)
    }

    /// The seats that may be taken once the capacity is what it is now: lowering it removes nobody (D10).
    pub(crate) fn limit_seats(&mut self) {
        self.seats_limit = self.capacity.map(|capacity| capacity.max(self.seats_taken()));
    }

    /// Counts an enrollment that went from one status to another; `None` as `from` is a new one.
    pub(crate) fn count_moved(&mut self, from: Option<EnrollmentStatus>, to: EnrollmentStatus) {
        if let Some(from) = from {
            *self.count_mut(from) -= 1;
        }
        *self.count_mut(to) += 1;
        // What a lowering left beyond the capacity shrinks with each seat that is given back, and never grows.
        let taken = self.seats_taken();
        self.seats_limit =
            self.capacity.map(|capacity| capacity.max(self.seats_limit.unwrap_or(capacity).min(taken)));
    }

    /// The counter of the enrollments in one status.
    pub(crate) fn count_mut(&mut self, status: EnrollmentStatus) -> &mut i32 {
        match status {
            EnrollmentStatus::Enrolled => &mut self.enrolled_count,
            EnrollmentStatus::Waitlisted => &mut self.waitlisted_count,
            EnrollmentStatus::Completed => &mut self.completed_count,
            EnrollmentStatus::Cancelled => &mut self.cancelled_count,
            EnrollmentStatus::Expired => &mut self.expired_count,
        }
    }
}
