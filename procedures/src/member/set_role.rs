use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Member, Role, store};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::UserId;

/// Gives a member another role, from their next call on. For admins, and services with `members:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "MemberSetRoleInput")]
#[schemars(rename = "MemberSetRoleInput")]
pub struct SetRoleInput {
    pub user_id: UserId,
    pub role: Role,
}

signature!(SetRole: Mutation "member.setRole" (SetRoleInput) -> Member);

pub async fn set_role(cx: Cx<Insider>, input: SetRoleInput) -> Result<Member> {
    policy::require(&cx.caller, Action::WriteMembers)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| {
        if !store::set_role(tx, tenant, input.user_id, input.role).await? {
            return Err(Error::not_found());
        }
        store::find(tx, tenant, input.user_id).await?.ok_or_else(Error::not_found)
    })
    .await
}
