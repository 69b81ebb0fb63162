//! Members: users with a role in an organization.

mod end;
mod get;
mod list;
mod provision;
mod resume;
mod set_role;
mod standing;
pub(crate) mod store;
mod suspend;

pub use end::{End, EndInput};
pub use get::{Get, GetInput};
pub use list::{List, ListInput};
pub use provision::{Provision, ProvisionInput};
pub use resume::{Resume, ResumeInput};
pub use set_role::{SetRole, SetRoleInput};
pub use store::Member;
pub use suspend::{Suspend, SuspendInput};

use crate::Router;
use crate::text_enum;

pub fn router() -> Router {
    Router::default()
        .mutation(Provision, provision::provision)
        .query(List, list::list)
        .query(Get, get::get)
        .mutation(SetRole, set_role::set_role)
        .mutation(Suspend, suspend::suspend)
        .mutation(Resume, resume::resume)
        .mutation(End, end::end)
}

text_enum! {
    /// What a member may do (`policy`). A peer mentor is a `learner`.
    pub enum Role {
        Learner = "learner",
        Author = "author",
        Coordinator = "coordinator",
        Admin = "admin",
    }
}

text_enum! {
    /// Only an active member may act or be enrolled (D19).
    pub enum MembershipStatus {
        Active = "active",
        Suspended = "suspended",
        Ended = "ended",
    }
}
