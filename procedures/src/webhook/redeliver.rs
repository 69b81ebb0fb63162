use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, WebhookRow};
use super::{Webhook, view};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::event::EventId;
use crate::event::store::{EventFilter, between};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::WebhookId;

/// Sends one event to a webhook again, whatever became of it: delivered or given up, of a kind that it does not want, or
/// older than the webhook. It is tried anew from the first attempt on, under the id it always has. For admins.
///
/// An id that no event has had is NOT_FOUND. A disabled webhook is BAD_REQUEST: its receiver said that it is gone.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "WebhookRedeliverInput")]
#[schemars(rename = "WebhookRedeliverInput")]
pub struct RedeliverInput {
    pub webhook_id: WebhookId,
    pub event_id: EventId,
}

signature!(Redeliver: Mutation "webhook.redeliver" (RedeliverInput) -> Webhook);

pub async fn redeliver(cx: Cx<Insider>, input: RedeliverInput) -> Result<Webhook> {
    policy::require(&cx.caller, Action::WriteWebhooks)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| {
        let webhook = store::find_locked(tx, tenant, input.webhook_id).await?.ok_or_else(Error::not_found)?;
        let (before, id) = (EventId(input.event_id.0 - 1), input.event_id);
        let all = EventFilter { course: None, user: None };
        let event = between(tx, tenant, all, before, id, 1).await?.pop().ok_or_else(Error::not_found)?;
        if webhook.disabled_at.is_some() {
            return Err(Error::invalid_input("webhookId", "disabled: its receiver said that it is gone"));
        }
        // What it has not been looked at for yet, but wants, is about to be sent for the first time.
        let is_ahead = event.id.0 > webhook.cursor && webhook.wants(event.kind);
        if !is_ahead {
            store::send_again(tx, &webhook, event.id, cx.app.clock.real()).await?;
        }
        let presented = view::present(&webhook);
        // Whoever asks believes that the receiver is well again.
        store::save(tx, WebhookRow { failures: 0, retry_at: None, ..webhook }).await?;
        Ok(presented)
    })
    .await
}
