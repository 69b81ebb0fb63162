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

/// Takes a module away from one enrollment, with its part in the progress; only assigning it gives it back (D15).
///
/// For coordinators, admins, and services with `enrollments:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ModuleUnassignInput")]
#[schemars(rename = "ModuleUnassignInput")]
pub struct UnassignInput {
    pub enrollment_id: EnrollmentId,
    pub module_id: ModuleId,
}

signature!(Unassign: Mutation "module.unassign" (UnassignInput) -> ModuleProgress);

pub async fn unassign(cx: Cx<Insider>, input: UnassignInput) -> Result<ModuleProgress> {
    let on = ActingOn::find(&cx, Action::DecideEnrollments, input.enrollment_id).await?;
    acting_on(cx, on, Wish::UnassignModule(input.module_id)).await
}
