//! Organizations: the tenants.

mod create;
mod get;
pub(crate) mod store;
mod update;
mod view;

pub use create::{Create, CreateInput};
pub use get::{Get, GetInput};
pub(crate) use store::OrganizationRow;
pub use update::{Update, UpdateInput};
pub use view::Organization;

use crate::Router;

pub fn router() -> Router {
    Router::default().mutation(Create, create::create).query(Get, get::get).mutation(Update, update::update)
}
