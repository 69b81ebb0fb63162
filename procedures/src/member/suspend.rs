use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::standing::change_standing;
use super::{Member, MembershipStatus};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
use crate::values::UserId;

/// Suspends a membership: the member's next call is refused, and their enrollments stand (D19), but for a place on a waitlist
/// whose turn comes meanwhile: that is cancelled (D11). Suspending a suspended one changes nothing; an ended one is `notAMember`.
///
/// For admins, and services with `members:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "MemberSuspendInput")]
#[schemars(rename = "MemberSuspendInput")]
pub struct SuspendInput {
    pub user_id: UserId,
}

signature!(Suspend: Mutation "member.suspend" (SuspendInput) -> Member);

pub async fn suspend(cx: Cx<Insider>, input: SuspendInput) -> Result<Member> {
    change_standing(cx, input.user_id, MembershipStatus::Suspended).await
}
