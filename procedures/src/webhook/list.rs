use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Webhook, store, view};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{Cursor, Limit, Page, WebhookId};

/// The organization's webhooks, oldest first: also those that are disabled, but none that is deleted. For admins.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "WebhookListInput", optional_fields = nullable)]
#[schemars(rename = "WebhookListInput")]
pub struct ListInput {
    pub cursor: Option<Cursor<WebhookId>>,
    pub limit: Option<Limit>,
}

signature!(List: Query "webhook.list" (ListInput) -> Page<Webhook>);

pub async fn list(cx: Cx<Insider>, input: ListInput) -> Result<Page<Webhook>> {
    policy::require(&cx.caller, Action::WriteWebhooks)?;
    let limit = input.limit.unwrap_or_default();
    let after = input.cursor.map(|cursor| cursor.0);
    let mut conn = cx.app.db.read().await?;
    let rows = store::list(&mut conn, cx.caller.tenant, after, limit).await?;
    let Page { items, next_cursor } = Page::of(rows, limit, |row| row.id);
    Ok(Page { items: items.iter().map(view::present).collect(), next_cursor })
}
