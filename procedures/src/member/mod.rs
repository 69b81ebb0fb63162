//! Members: users with a role in an organization.

mod get;
mod list;
mod provision;
mod set_role;
pub(crate) mod store;

pub use get::GetInput;
pub use list::ListInput;
pub use provision::ProvisionInput;
pub use set_role::SetRoleInput;
pub use store::Member;

use crate::Router;
use crate::text_enum;

pub fn router() -> Router {
    Router::new("member")
        .mutation("provision", provision::provision)
        .query("list", list::list)
        .query("get", get::get)
        .mutation("setRole", set_role::set_role)
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
