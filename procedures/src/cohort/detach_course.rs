use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Cohort, change};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
use crate::values::{CohortId, CourseId};

/// Takes a course from a cohort. Nobody is unenrolled by that, and nothing changes if the cohort does not have it.
///
/// For coordinators, admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortDetachCourseInput")]
#[schemars(rename = "CohortDetachCourseInput")]
pub struct DetachCourseInput {
    pub cohort_id: CohortId,
    pub course_id: CourseId,
}

signature!(DetachCourse: Mutation "cohort.detachCourse" (DetachCourseInput) -> Cohort);

pub async fn detach_course(cx: Cx<Insider>, input: DetachCourseInput) -> Result<Cohort> {
    let changed = change::cohort(&cx, input.cohort_id, async |tx, cohort| {
        change::detach(tx, cohort, input.course_id).await
    })
    .await?;
    Ok(changed.cohort)
}
