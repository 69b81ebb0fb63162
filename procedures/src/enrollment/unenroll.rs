use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::rules::Wish;
use super::view::Enrollment;
use super::write;
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy;
use crate::router::signature;
use crate::values::{CourseId, ReasonText, UserId};

/// Cancels an enrollment and frees its seat; its progress is kept (D4, D9).
///
/// A completed enrollment cannot be left, only revoked (D5); learners do not leave a managed course (D20).
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct UnenrollInput {
    pub course_id: CourseId,
    /// The caller, unless told.
    pub user_id: Option<UserId>,
    /// Kept in the enrollment's history.
    pub reason: Option<ReasonText>,
}

signature!(Unenroll: Mutation "enrollment.unenroll" (UnenrollInput) -> Enrollment);

pub async fn unenroll(cx: Cx<Insider>, input: UnenrollInput) -> Result<Enrollment> {
    let subject = policy::subject_of_change(&cx.caller, input.user_id)?;
    write::one(cx, input.course_id, subject, Wish::Unenroll { reason: input.reason }).await
}
