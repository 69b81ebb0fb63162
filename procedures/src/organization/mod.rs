//! Organizations: the tenants.

mod create;
mod get;
pub(crate) mod store;
mod update;

pub use create::{Create, CreateInput};
pub use get::{Get, GetInput};
pub use store::Organization;
pub use update::{Update, UpdateInput};

use crate::Router;

pub fn router() -> Router {
    Router::default().mutation(Create, create::create).query(Get, get::get).mutation(Update, update::update)
}
