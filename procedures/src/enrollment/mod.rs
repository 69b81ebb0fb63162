//! Enrollments: a user's place in a course.
//!
//! A change goes load → decide → write ([`write`]): the facts of all commands at once ([`store`]), one pure decision
//! a command ([`rules`]), all changes at once with their events.

mod access;
mod check;
mod complete;
mod count;
mod end_membership;
mod enroll;
mod enroll_for_cohort;
mod enroll_many;
mod expire;
mod facts;
mod find;
mod get;
mod group;
mod history;
mod list_by_course;
mod list_by_organization;
mod list_by_user;
mod on_change;
mod promote;
mod revoke;
mod rules;
mod set_notes;
mod store;
mod strip_notes;
mod sweeps;
mod unenroll;
mod view;
mod write;

pub use access::{Access, AccessInput, AccessReason, EnrollmentAccess};
pub use check::{Check, CheckAction, CheckInput, CheckOutcome, Consequences, EnrollmentCheck};
pub use complete::{Complete, CompleteInput};
pub use count::{Count, CountInput, EnrollmentCount};
pub(crate) use end_membership::{end_all_of, hold_courses_of};
pub use enroll::{Enroll, EnrollInput};
pub(crate) use enroll_for_cohort::{CohortOutcome, enroll_for_cohorts};
pub use enroll_many::{EnrollMany, EnrollManyInput, EnrollManyItem, EnrollManyResult, EnrollManyResults};
pub use expire::{Expire, ExpireInput};
pub use find::{Find, FindInput};
pub use get::{Get, GetInput};
pub(crate) use group::Groups;
pub use history::{History, HistoryInput};
pub use list_by_course::{ListByCourse, ListByCourseInput, RosterEntry, RosterUser};
pub use list_by_organization::{ListByOrganization, ListByOrganizationInput};
pub use list_by_user::{ListByUser, ListByUserInput};
pub use on_change::{OnChange, OnChangeInput};
pub use promote::{Promote, PromoteInput};
pub use revoke::{Revoke, RevokeInput};
pub(crate) use rules::Wish;
pub use set_notes::{SetNotes, SetNotesInput};
pub use store::EnrollmentRow;
pub(crate) use strip_notes::{hold_courses_noting, strip_notes_of};
pub use sweeps::{Sweep, Swept, sweep};
pub use unenroll::{Unenroll, UnenrollInput};
pub(crate) use view::{ActingOn, Finds, finds};
pub use view::{Enrollment, VisibleEnrollment};
pub(crate) use write::{Answer, Told, acting_on, fill};

use crate::Router;
use crate::text_enum;

pub fn router() -> Router {
    Router::default()
        .mutation(Enroll, enroll::enroll)
        .mutation(EnrollMany, enroll_many::enroll_many)
        .mutation(Unenroll, unenroll::unenroll)
        .query(Check, check::check)
        .query(Access, access::access)
        .query(Get, get::get)
        .query(Find, find::find)
        .query(ListByUser, list_by_user::list_by_user)
        .query(ListByCourse, list_by_course::list_by_course)
        .query(ListByOrganization, list_by_organization::list_by_organization)
        .query(Count, count::count)
        .mutation(Promote, promote::promote)
        .mutation(Complete, complete::complete)
        .mutation(Expire, expire::expire)
        .mutation(Revoke, revoke::revoke)
        .mutation(SetNotes, set_notes::set_notes)
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
