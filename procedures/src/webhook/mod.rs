//! Webhooks: addresses of an organization's own systems, which its events are sent to.

pub(crate) mod store;

pub use store::WebhookRow;

use crate::Router;

pub fn router() -> Router {
    Router::default()
}
