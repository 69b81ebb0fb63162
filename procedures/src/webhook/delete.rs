use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, WebhookRow};
use super::{Webhook, view};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::WebhookId;

/// Sends nothing more to a webhook's address: neither what waits to be sent, nor what happens from now on. For admins.
///
/// What is under way may still arrive. The record of the webhook stays (D24).
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "WebhookDeleteInput")]
#[schemars(rename = "WebhookDeleteInput")]
pub struct DeleteInput {
    pub webhook_id: WebhookId,
}

signature!(Delete: Mutation "webhook.delete" (DeleteInput) -> Webhook);

pub async fn delete(cx: Cx<Insider>, input: DeleteInput) -> Result<Webhook> {
    policy::require(&cx.caller, Action::WriteWebhooks)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| {
        let found = store::find_locked(tx, tenant, input.webhook_id).await?.ok_or_else(Error::not_found)?;
        let deleted = WebhookRow { deleted_at: Some(tx.now), ..found };
        store::save(tx, deleted.clone()).await?;
        Ok(view::present(&deleted))
    })
    .await
}
