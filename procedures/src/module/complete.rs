use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::ModuleProgress;
use crate::caller::{Cx, Insider};
use crate::enrollment::{ActingOn, Wish, acting_on};
use crate::error::Result;
use crate::policy::Action;
use crate::router::signature;
use crate::values::{EnrollmentId, ModuleId};

/// Completes a module; completing it again changes nothing. In a course that says so, the last one completes the
/// course too (D12).
///
/// Learners complete their own lessons, surveys and webinars; what has a result (quiz, scorm) is recorded by services
/// with `progress:write`, as is any other.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ModuleCompleteInput")]
#[schemars(rename = "ModuleCompleteInput")]
pub struct CompleteInput {
    pub enrollment_id: EnrollmentId,
    pub module_id: ModuleId,
}

signature!(Complete: Mutation "module.complete" (CompleteInput) -> ModuleProgress);

pub async fn complete(cx: Cx<Insider>, input: CompleteInput) -> Result<ModuleProgress> {
    let on = ActingOn::find(&cx, Action::RecordProgress, input.enrollment_id).await?;
    acting_on(cx, on, Wish::CompleteModule(input.module_id)).await
}
