use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CourseRow, Module, ModuleRow, change, store};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
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

signature!(RetireModule: Mutation "course.retireModule" (RetireModuleInput) -> Module);

pub async fn retire_module(cx: Cx<Insider>, input: RetireModuleInput) -> Result<Module> {
    change::module(&cx, input.module_id, async |tx, course, module, _| {
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
