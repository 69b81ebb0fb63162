use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::standing::change_standing;
use super::{Member, MembershipStatus};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
use crate::values::UserId;

/// Makes a suspended membership active again. Resuming an active one changes nothing; an ended one is `notAMember`, and
/// begins anew by `member.provision`.
///
/// For admins, and services with `members:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "MemberResumeInput")]
#[schemars(rename = "MemberResumeInput")]
pub struct ResumeInput {
    pub user_id: UserId,
}

signature!(Resume: Mutation "member.resume" (ResumeInput) -> Member);

pub async fn resume(cx: Cx<Insider>, input: ResumeInput) -> Result<Member> {
    change_standing(cx, input.user_id, MembershipStatus::Active).await
}
