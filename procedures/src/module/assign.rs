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

/// Gives a module to one enrollment: a later one (D14), or one that was taken away. Giving what it has changes nothing.
///
/// For coordinators, admins, and services with `enrollments:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ModuleAssignInput")]
#[schemars(rename = "ModuleAssignInput")]
pub struct AssignInput {
    pub enrollment_id: EnrollmentId,
    pub module_id: ModuleId,
}

signature!(Assign: Mutation "module.assign" (AssignInput) -> ModuleProgress);

pub async fn assign(cx: Cx<Insider>, input: AssignInput) -> Result<ModuleProgress> {
    let on = ActingOn::find(&cx, Action::DecideEnrollments, input.enrollment_id).await?;
    acting_on(cx, on, Wish::AssignModule(input.module_id)).await
}
