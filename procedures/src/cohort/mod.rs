//! Cohorts: groups of members, with courses that each of them is to be enrolled in.
//!
//! A change of a cohort is a transaction of its own; what it asks of enrollments follows in transactions of bounded
//! size ([`enrolling`]), decided by the same rules as any other enrollment (D20).

mod add_members;
mod attach_course;
mod change;
mod create;
mod detach_course;
mod enrolling;
mod get;
mod list;
mod remove_members;
mod store;
mod sync;
mod view;

pub use add_members::{AddMembers, AddMembersInput};
pub use attach_course::{AttachCourse, AttachCourseInput};
pub use create::{Create, CreateInput};
pub use detach_course::{DetachCourse, DetachCourseInput};
pub(crate) use enrolling::{Place, enroll_where_attached};
pub use enrolling::{SkippedPlace, SyncReport};
pub use get::{Get, GetInput};
pub use list::{List, ListInput};
pub use remove_members::{RemoveMembers, RemoveMembersInput};
pub use sync::{Sync, SyncInput};
pub use view::Cohort;

use crate::Router;

pub fn router() -> Router {
    Router::default()
        .mutation(Create, create::create)
        .query(List, list::list)
        .query(Get, get::get)
        .mutation(AddMembers, add_members::add_members)
        .mutation(RemoveMembers, remove_members::remove_members)
        .mutation(AttachCourse, attach_course::attach_course)
        .mutation(DetachCourse, detach_course::detach_course)
        .mutation(Sync, sync::sync)
}
