//! Suspending and resuming, which differ in a word.

use super::{Member, MembershipStatus, store};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Reason, Result};
use crate::policy::{self, Action};
use crate::values::UserId;

/// Makes an active or suspended membership the other one, from the member's next call on.
pub(super) async fn change_standing(
    cx: Cx<Insider>,
    user_id: UserId,
    status: MembershipStatus,
) -> Result<Member> {
    policy::require(&cx.caller, Action::WriteMembers)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| {
        let member = store::find_locked(tx, tenant, user_id).await?.ok_or_else(Error::not_found)?;
        match member.status {
            MembershipStatus::Ended => Err(Reason::NotAMember.into()),
            known if known == status => Ok(member),
            MembershipStatus::Active | MembershipStatus::Suspended => {
                store::set_status(tx, tenant, user_id, status).await?;
                Ok(Member { status, ..member })
            }
        }
    })
    .await
}
