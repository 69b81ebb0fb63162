use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::change::{self, Changed};
use super::enrolling::{self, Extent};
use super::store::{self, CohortRow};
use super::{Cohort, view};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::limits::{MAX_COHORT_COURSES, MAX_LIST_INPUT};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{CohortId, CourseId, Name, UserId};

/// Creates a cohort, and enrolls its members in its courses (D20).
///
/// For coordinators (whose cohorts enroll learners alone), admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortCreateInput", optional_fields = nullable)]
#[schemars(rename = "CohortCreateInput")]
pub struct CreateInput {
    pub name: Name,
    /// Its members, at most 1000; more can be added. None unless told.
    #[schemars(length(max = MAX_LIST_INPUT))]
    pub user_ids: Option<Vec<UserId>>,
    /// Its courses, at most 100, in whatever status. None unless told.
    #[schemars(length(max = MAX_COHORT_COURSES))]
    pub course_ids: Option<Vec<CourseId>>,
}

signature!(Create: Mutation "cohort.create" (CreateInput) -> Cohort);

pub async fn create(cx: Cx<Insider>, input: CreateInput) -> Result<Cohort> {
    policy::require(&cx.caller, Action::WriteCohorts)?;
    let tenant = cx.caller.tenant;
    let written = change::written(&cx, async |tx| {
        let cohort = CohortRow {
            id: CohortId::new(),
            organization_id: tenant.organization_id(),
            name: input.name.clone(),
            created_at: tx.now,
        };
        store::insert(tx, cohort.clone()).await?;
        change::add_members(tx, &cx, &cohort, input.user_ids.as_deref().unwrap_or_default()).await?;
        let course_ids = input.course_ids.as_deref().unwrap_or_default();
        change::attach(tx, &cx, &cohort, "courseIds", course_ids).await?;
        view::present_one(tx, tenant, cohort).await
    });
    let Changed { cohort, by_this_call } = written.await?;
    if by_this_call {
        enrolling::enroll(&cx, Extent::Cohort(cohort.id)).await?;
    }
    Ok(cohort)
}
