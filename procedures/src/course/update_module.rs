use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::add_module::moved_back;
use super::{Module, ModuleKind, ModuleRow, store};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::values::{ModuleId, Position, Title};

/// Edits a module; what is not told stays as it is.
///
/// For the course's authors, admins, and services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseUpdateModuleInput", optional_fields = nullable)]
#[schemars(rename = "CourseUpdateModuleInput")]
pub struct UpdateModuleInput {
    pub module_id: ModuleId,
    pub title: Option<Title>,
    pub kind: Option<ModuleKind>,
    /// The place it takes, those from there on moving back by one.
    pub position: Option<Position>,
}

pub async fn update_module(cx: Cx<Insider>, input: UpdateModuleInput) -> Result<Module> {
    policy::course_claim(&cx.caller, Action::WriteCourses)?;
    cx.write(async |tx| {
        let course_id = store::find_module(tx, cx.caller.tenant, input.module_id).await?;
        let course_id = course_id.ok_or_else(Error::not_found)?.course_id;
        let grant = store::grant(tx, &cx.caller, Action::WriteCourses, course_id).await?;
        let course = store::load_locked(tx, cx.caller.tenant, grant).await?;
        let (own, others): (Vec<_>, Vec<_>) = store::modules_of(tx, &course)
            .await?
            .into_iter()
            .partition(|module| module.id == input.module_id);
        let old = own.into_iter().next().ok_or_else(Error::not_found)?;
        let position = input.position.map_or(old.position, Position::get);
        if position != old.position {
            store::save_modules(tx, &moved_back(&others, position)).await?;
        }
        let module = ModuleRow {
            title: input.title.clone().unwrap_or_else(|| old.title.clone()),
            kind: input.kind.unwrap_or(old.kind),
            position,
            ..old
        };
        store::save_modules(tx, std::slice::from_ref(&module)).await?;
        Ok(module.into())
    })
    .await
}
