use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store;
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
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
        // Courses before the person, as everyone does.
        let held = enrollment::hold_courses_noting(tx, tenant, user_id).await?;
        member::store::find_locked(tx, tenant, user_id).await?.ok_or_else(Error::not_found)?;
        let elsewhere = store::is_member_elsewhere(tx, tenant, user_id).await?;
        policy::may_anonymize(&cx.caller, elsewhere)?;
        store::strip(tx, user_id).await?;
        enrollment::strip_notes_of(tx, &cx, user_id, &held).await?;
        // Answers that are kept for repeated calls may quote what is stripped; nobody writes another one meanwhile.
        idempotency::forget(tx, tenant, user_id).await?;
        Ok(Anonymized {})
    })
    .await
}
