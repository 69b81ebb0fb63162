use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Cohort, change};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::limits::MAX_LIST_INPUT;
use crate::router::signature;
use crate::values::{CohortId, UserId};

/// Takes members out of a cohort. Nobody is unenrolled by that, and whoever is not in it stays out of it.
///
/// For coordinators, admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortRemoveMembersInput")]
#[schemars(rename = "CohortRemoveMembersInput")]
pub struct RemoveMembersInput {
    pub cohort_id: CohortId,
    /// At most 1000.
    #[schemars(length(max = MAX_LIST_INPUT))]
    pub user_ids: Vec<UserId>,
}

signature!(RemoveMembers: Mutation "cohort.removeMembers" (RemoveMembersInput) -> Cohort);

pub async fn remove_members(cx: Cx<Insider>, input: RemoveMembersInput) -> Result<Cohort> {
    let changed = change::cohort(&cx, input.cohort_id, async |tx, cohort| {
        change::remove_members(tx, cohort, &input.user_ids).await
    })
    .await?;
    Ok(changed.cohort)
}
