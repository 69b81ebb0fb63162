use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Module, ModuleKind, ModuleRow, change, store};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
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

signature!(UpdateModule: Mutation "course.updateModule" (UpdateModuleInput) -> Module);

pub async fn update_module(cx: Cx<Insider>, input: UpdateModuleInput) -> Result<Module> {
    change::module(&cx, input.module_id, async |tx, _, old, others| {
        let position = input.position.map_or(old.position, Position::get);
        if position != old.position {
            store::save_modules(tx, &change::moved_back(&others, position)).await?;
        }
        let module = ModuleRow {
            title: input.title.unwrap_or_else(|| old.title.clone()),
            kind: input.kind.unwrap_or(old.kind),
            position,
            ..old
        };
        store::save_modules(tx, std::slice::from_ref(&module)).await?;
        Ok(module.into())
    })
    .await
}
