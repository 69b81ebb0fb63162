//! Organizations: the tenants.

mod create;
mod get;
pub(crate) mod store;

pub use create::CreateInput;
pub use get::GetInput;
pub use store::Organization;

use crate::Router;

pub fn router() -> Router {
    Router::new("organization").mutation("create", create::create).query("get", get::get)
}
