//! Webhooks as clients see them: without their secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::WebhookRow;
use crate::event::EventKind;
use crate::values::{Moment, WebhookId};

/// Where an organization's events are sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    /// The kinds of events that are sent, each once; null for all.
    pub kinds: Option<Vec<EventKind>>,
    /// Since when nothing is sent any more, because the receiver answered that it is gone (410).
    pub disabled_at: Option<Moment>,
    pub created_at: Moment,
}

pub(super) fn present(row: &WebhookRow) -> Webhook {
    Webhook {
        id: row.id,
        url: row.url.clone(),
        kinds: row.kinds(),
        disabled_at: row.disabled_at,
        created_at: row.created_at,
    }
}
