use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store;
use crate::caller::{Actor, Cx, Insider};
use crate::error::{Error, Reason, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::UserId;
use crate::{enrollment, idempotency, member};

/// Strips a member's name and e-mail address, and the notes on their enrollments here; every record stays (D24). It
/// cannot be undone, and doing it twice changes nothing.
///
/// For admins, and services with `members:write`; whoever is a member of other organizations too belongs to none of
/// them alone, and is anonymized by a global admin.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "UserAnonymizeInput")]
#[schemars(rename = "UserAnonymizeInput")]
pub struct AnonymizeInput {
    pub user_id: UserId,
}

/// Nothing is left to be told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[ts(type = "Record<string, never>")]
pub struct Anonymized {}

signature!(Anonymize: Mutation "user.anonymize" (AnonymizeInput) -> Anonymized);

pub async fn anonymize(cx: Cx<Insider>, input: AnonymizeInput) -> Result<Anonymized> {
    policy::require(&cx.caller, Action::WriteMembers)?;
    let tenant = cx.caller.tenant;
    let user_id = input.user_id;
    cx.write(async |tx| {
        member::store::find(tx, tenant, user_id).await?.ok_or_else(Error::not_found)?;
        if !is_global_admin(&cx.caller) && store::is_member_elsewhere(tx, tenant, user_id).await? {
            return Err(Reason::RoleRequired.into());
        }
        store::strip(tx, user_id).await?;
        // Answers that are kept for repeated calls may quote what is stripped.
        idempotency::forget(tx, user_id).await?;
        enrollment::strip_notes_of(tx, &cx, user_id).await?;
        Ok(Anonymized {})
    })
    .await
}

fn is_global_admin(caller: &Insider) -> bool {
    match &caller.actor {
        Actor::Person(person) => person.global_admin,
        Actor::Service(_) => false,
    }
}
