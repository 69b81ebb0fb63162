use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Member, store};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::UserId;

/// A member by their id. For admins, and services with `members:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "MemberGetInput")]
#[schemars(rename = "MemberGetInput")]
pub struct GetInput {
    pub user_id: UserId,
}

signature!(Get: Query "member.get" (GetInput) -> Member);

pub async fn get(cx: Cx<Insider>, input: GetInput) -> Result<Member> {
    policy::require(&cx.caller, Action::WriteMembers)?;
    let mut conn = cx.app.db.read().await?;
    store::find(&mut conn, cx.caller.tenant, input.user_id).await?.ok_or_else(Error::not_found)
}
