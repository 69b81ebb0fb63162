use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CourseRow, Module, ModuleRow, store};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::values::ModuleId;

/// Retires a module: new enrollments no longer get it, and whoever enrolls again leaves it behind (D15). Retiring it
/// twice changes nothing.
///
/// For the course's authors, admins, and services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseRetireModuleInput")]
#[schemars(rename = "CourseRetireModuleInput")]
pub struct RetireModuleInput {
    pub module_id: ModuleId,
}

pub async fn retire_module(cx: Cx<Insider>, input: RetireModuleInput) -> Result<Module> {
    policy::course_claim(&cx.caller, Action::WriteCourses)?;
    cx.write(async |tx| {
        let course_id = store::find_module(tx, cx.caller.tenant, input.module_id).await?;
        let course_id = course_id.ok_or_else(Error::not_found)?.course_id;
        let grant = store::grant(tx, &cx.caller, Action::WriteCourses, course_id).await?;
        let course = store::load_locked(tx, cx.caller.tenant, grant).await?;
        let module = store::find_module(tx, cx.caller.tenant, input.module_id).await?;
        let module = module.ok_or_else(Error::not_found)?;
        if module.retired_at.is_some() {
            return Ok(module.into());
        }
        let module = ModuleRow { retired_at: Some(tx.now), ..module };
        store::save_modules(tx, std::slice::from_ref(&module)).await?;
        let modules_total = course.modules_total - 1;
        store::save(tx, CourseRow { modules_total, updated_at: tx.now, ..course }).await?;
        Ok(module.into())
    })
    .await
}
