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

/// Starts a module; starting it again changes nothing. Learners start their own, services with `progress:write` any.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ModuleStartInput")]
#[schemars(rename = "ModuleStartInput")]
pub struct StartInput {
    pub enrollment_id: EnrollmentId,
    pub module_id: ModuleId,
}

signature!(Start: Mutation "module.start" (StartInput) -> ModuleProgress);

pub async fn start(cx: Cx<Insider>, input: StartInput) -> Result<ModuleProgress> {
    let on = ActingOn::find(&cx, Action::RecordProgress, input.enrollment_id).await?;
    acting_on(cx, on, Wish::StartModule(input.module_id)).await
}
