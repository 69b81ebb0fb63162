//! Members: users with a role in an organization.

mod get;
mod list;
mod provision;
mod set_role;
pub(crate) mod store;

pub use get::{Get, GetInput};
pub use list::{List, ListInput};
pub use provision::{Provision, ProvisionInput};
pub use set_role::{SetRole, SetRoleInput};
pub use store::Member;

use crate::Router;
use crate::text_enum;

pub fn router() -> Router {
    Router::default()
        .mutation(Provision, provision::provision)
        .query(List, list::list)
        .query(Get, get::get)
        .mutation(SetRole, set_role::set_role)
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
