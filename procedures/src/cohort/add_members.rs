use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Cohort;
use super::change::{self, Changed};
use super::enrolling::{self, Extent};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::limits::MAX_LIST_INPUT;
use crate::router::signature;
use crate::values::{CohortId, UserId};

/// Adds members to a cohort, and enrolls them in its courses (D20). Whoever is in it already is not added again, but
/// enrolled where they are not.
///
/// For coordinators (who enroll learners alone), admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortAddMembersInput")]
#[schemars(rename = "CohortAddMembersInput")]
pub struct AddMembersInput {
    pub cohort_id: CohortId,
    /// At most 1000.
    #[schemars(length(max = MAX_LIST_INPUT))]
    pub user_ids: Vec<UserId>,
}

signature!(AddMembers: Mutation "cohort.addMembers" (AddMembersInput) -> Cohort);

pub async fn add_members(cx: Cx<Insider>, input: AddMembersInput) -> Result<Cohort> {
    let Changed { cohort, by_this_call } = change::cohort(&cx, input.cohort_id, async |tx, cohort| {
        change::add_members(tx, &cx, cohort, &input.user_ids).await
    })
    .await?;
    if by_this_call {
        enrolling::enroll(&cx, Extent::Members(cohort.id, input.user_ids)).await?;
    }
    Ok(cohort)
}
