//! Enrollments: a user's place in a course.
//!
//! A change goes load → decide → write ([`write`]): the facts of all commands at once ([`store`]), one pure decision
//! a command ([`rules`]), all changes at once with their events.

mod access;
mod count;
mod enroll;
mod find;
mod get;
mod history;
mod list_by_course;
mod list_by_user;
mod on_change;
mod rules;
mod store;
mod unenroll;
mod view;
mod write;

pub use access::{Access, AccessInput, AccessReason, EnrollmentAccess};
pub use count::{Count, CountInput, EnrollmentCount};
pub use enroll::{Enroll, EnrollInput};
pub use find::{Find, FindInput};
pub use get::{Get, GetInput};
pub use history::{History, HistoryInput};
pub use list_by_course::{ListByCourse, ListByCourseInput, RosterEntry, RosterUser};
pub use list_by_user::{ListByUser, ListByUserInput};
pub use on_change::{OnChange, OnChangeInput};
pub use store::EnrollmentRow;
pub use unenroll::{Unenroll, UnenrollInput};
pub use view::{Enrollment, VisibleEnrollment};

use crate::Router;
use crate::text_enum;

pub fn router() -> Router {
    Router::default()
        .mutation(Enroll, enroll::enroll)
        .mutation(Unenroll, unenroll::unenroll)
        .query(Access, access::access)
        .query(Get, get::get)
        .query(Find, find::find)
        .query(ListByUser, list_by_user::list_by_user)
        .query(ListByCourse, list_by_course::list_by_course)
        .query(Count, count::count)
        .query(History, history::history)
        .subscription(OnChange, on_change::on_change)
}

text_enum! {
    /// Where an enrollment stands. `enrolled`, `waitlisted` and `completed` are active (D2).
    pub enum EnrollmentStatus {
        Enrolled = "enrolled",
        Waitlisted = "waitlisted",
        Completed = "completed",
        Cancelled = "cancelled",
        Expired = "expired",
    }
}

text_enum! {
    /// How an enrollment came about: by oneself, by another person, by a cohort, by a service.
    pub enum Source {
        Myself = "self",
        Coordinator = "coordinator",
        Cohort = "cohort",
        Integration = "integration",
    }
}
