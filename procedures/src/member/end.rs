use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Member, MembershipStatus, store};
use crate::caller::{Cx, Insider};
use crate::enrollment;
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::UserId;

/// Ends a membership: the member's next call is refused, and what they are enrolled in or wait for is cancelled
/// (`membershipEnded`), its seats freed, its progress kept (D19). Ending it twice changes nothing.
///
/// For admins, and services with `members:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "MemberEndInput")]
#[schemars(rename = "MemberEndInput")]
pub struct EndInput {
    pub user_id: UserId,
}

signature!(End: Mutation "member.end" (EndInput) -> Member);

pub async fn end(cx: Cx<Insider>, input: EndInput) -> Result<Member> {
    policy::require(&cx.caller, Action::WriteMembers)?;
    let tenant = cx.caller.tenant;
    let user_id = input.user_id;
    cx.write(async |tx| {
        // Courses before memberships, as everyone does.
        let held = enrollment::hold_courses_of(tx, tenant, user_id).await?;
        let member = store::find_locked(tx, tenant, user_id).await?.ok_or_else(Error::not_found)?;
        if member.status == MembershipStatus::Ended {
            return Ok(member);
        }
        let status = MembershipStatus::Ended;
        store::set_status(tx, tenant, user_id, status).await?;
        enrollment::end_all_of(tx, &cx, user_id, &held).await?;
        Ok(Member { status, ..member })
    })
    .await
}
