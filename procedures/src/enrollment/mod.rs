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

pub use access::{AccessInput, AccessReason, EnrollmentAccess};
pub use count::{CountInput, EnrollmentCount};
pub use enroll::EnrollInput;
pub use find::FindInput;
pub use get::GetInput;
pub use history::HistoryInput;
pub use list_by_course::{ListByCourseInput, RosterEntry, RosterUser};
pub use list_by_user::ListByUserInput;
pub use on_change::OnChangeInput;
pub use store::EnrollmentRow;
pub use unenroll::UnenrollInput;
pub use view::{Enrollment, VisibleEnrollment};

use crate::Router;
use crate::text_enum;

pub fn router() -> Router {
    Router::new("enrollment")
        .mutation("enroll", enroll::enroll)
        .mutation("unenroll", unenroll::unenroll)
        .query("access", access::access)
        .query("get", get::get)
        .query("find", find::find)
        .query("listByUser", list_by_user::list_by_user)
        .query("listByCourse", list_by_course::list_by_course)
        .query("count", count::count)
        .query("history", history::history)
        .subscription("onChange", on_change::on_change)
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
