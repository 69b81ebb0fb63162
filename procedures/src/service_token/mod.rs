//! Service tokens: what internal callers of an organization present, as its admins manage them.
//!
//! How a token is written and let in is a matter of [`crate::session`].

mod create;
mod list;
mod operator;
mod revoke;
mod view;

pub use create::{Create, CreateInput, CreatedServiceToken};
pub use list::{List, ListInput};
pub use operator::create_as_operator;
pub use revoke::{Revoke, RevokeInput};
pub use view::ServiceToken;

use crate::Router;

pub fn router() -> Router {
    Router::default()
        .mutation(Create, create::create)
        .query(List, list::list)
        .mutation(Revoke, revoke::revoke)
}
