use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, MemberQuery};
use super::{Member, MembershipStatus, Role};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{Cursor, Limit, Page, Search, UserId};

/// The organization's members, oldest first. For admins, and services with `members:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "MemberListInput", optional_fields = nullable)]
#[schemars(rename = "MemberListInput")]
pub struct ListInput {
    pub role: Option<Role>,
    pub status: Option<MembershipStatus>,
    /// A part of the display name or the e-mail address, in either case.
    pub search: Option<Search>,
    pub cursor: Option<Cursor<UserId>>,
    pub limit: Option<Limit>,
}

signature!(List: Query "member.list" (ListInput) -> Page<Member>);

pub async fn list(cx: Cx<Insider>, input: ListInput) -> Result<Page<Member>> {
    policy::require(&cx.caller, Action::WriteMembers)?;
    let limit = input.limit.unwrap_or_default();
    let asked = MemberQuery {
        roles: input.role.map_or_else(|| Role::ALL.to_vec(), |role| vec![role]),
        statuses: input.status.map_or_else(|| MembershipStatus::ALL.to_vec(), |status| vec![status]),
        search: input.search,
        after: input.cursor.map(|cursor| cursor.0),
        limit,
    };
    let mut conn = cx.app.db.read().await?;
    let members = store::list(&mut conn, cx.caller.tenant, asked).await?;
    Ok(Page::of(members, limit, |member| member.user_id))
}
