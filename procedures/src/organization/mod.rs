//! Organizations: the tenants.

mod create;
mod get;
mod operator;
mod providers;
mod remove_identity_provider;
mod set_identity_provider;
pub(crate) mod store;
mod update;
mod view;

pub use create::{Create, CreateInput};
pub use get::{Get, GetInput};
pub use operator::{create_as_operator, remove_identity_provider_of, set_identity_provider_of};
pub use remove_identity_provider::{RemoveIdentityProvider, RemoveIdentityProviderInput};
pub use set_identity_provider::{SetIdentityProvider, SetIdentityProviderInput};
pub(crate) use store::OrganizationRow;
pub use update::{Update, UpdateInput};
pub use view::Organization;

use crate::Router;

pub fn router() -> Router {
    Router::default()
        .mutation(Create, create::create)
        .query(Get, get::get)
        .mutation(Update, update::update)
        .mutation(SetIdentityProvider, set_identity_provider::set_identity_provider)
        .mutation(RemoveIdentityProvider, remove_identity_provider::remove_identity_provider)
}
