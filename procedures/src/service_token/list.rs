use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ServiceToken, view};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::session::store;
use crate::values::{Cursor, Limit, Page, ServiceTokenId};

/// The organization's service tokens, oldest first: also those that are revoked or have expired, all without their
/// secrets. For admins.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ServiceTokenListInput", optional_fields = nullable)]
#[schemars(rename = "ServiceTokenListInput")]
pub struct ListInput {
    pub cursor: Option<Cursor<ServiceTokenId>>,
    pub limit: Option<Limit>,
}

signature!(List: Query "serviceToken.list" (ListInput) -> Page<ServiceToken>);

pub async fn list(cx: Cx<Insider>, input: ListInput) -> Result<Page<ServiceToken>> {
    policy::require(&cx.caller, Action::WriteServiceTokens)?;
    let limit = input.limit.unwrap_or_default();
    let after = input.cursor.map(|cursor| cursor.0);
    let mut conn = cx.app.db.read().await?;
    let rows = store::list_service_tokens(&mut conn, cx.caller.tenant, after, limit).await?;
    let Page { items, next_cursor } = Page::of(rows, limit, |row| row.id);
    Ok(Page { items: items.iter().map(view::present).collect::<Result<_>>()?, next_cursor })
}
