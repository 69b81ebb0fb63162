//! Webhooks: addresses of an organization's own systems, which its events are sent to.
//!
//! Here is whom they go to; what is to be sent, and how often, [`crate::delivery`] decides, and the server sends it.

mod create;
mod delete;
mod list;
mod receiver;
mod redeliver;
pub(crate) mod store;
mod view;

pub use create::{Create, CreateInput, CreatedWebhook};
pub use delete::{Delete, DeleteInput};
pub use list::{List, ListInput};
pub use receiver::{Receiver, disable, receiver};
pub use redeliver::{Redeliver, RedeliverInput};
pub use store::WebhookRow;
pub use view::Webhook;

use crate::Router;

/// What a secret begins with; 32 bytes in base64 follow.
pub const SECRET_PREFIX: &str = "whsec_";

pub fn router() -> Router {
    Router::default()
        .mutation(Create, create::create)
        .query(List, list::list)
        .mutation(Delete, delete::delete)
        .mutation(Redeliver, redeliver::redeliver)
}
