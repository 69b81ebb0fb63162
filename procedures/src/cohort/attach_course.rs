use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Cohort;
use super::change::{self, Changed};
use super::enrolling::{self, Extent};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
use crate::values::{CohortId, CourseId};

/// Gives a cohort a course, and enrolls its members in it (D20): at once if it is published, else when it is (D16).
///
/// For coordinators (who enroll learners alone), admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortAttachCourseInput")]
#[schemars(rename = "CohortAttachCourseInput")]
pub struct AttachCourseInput {
    pub cohort_id: CohortId,
    pub course_id: CourseId,
}

signature!(AttachCourse: Mutation "cohort.attachCourse" (AttachCourseInput) -> Cohort);

pub async fn attach_course(cx: Cx<Insider>, input: AttachCourseInput) -> Result<Cohort> {
    let Changed { cohort, by_this_call } = change::cohort(&cx, input.cohort_id, async |tx, cohort| {
        change::attach(tx, &cx, cohort, "courseId", &[input.course_id]).await
    })
    .await?;
    if by_this_call {
        enrolling::enroll(&cx, Extent::Attachment(cohort.id, input.course_id)).await?;
    }
    Ok(cohort)
}
