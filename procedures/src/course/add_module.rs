use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CourseRow, Module, ModuleKind, ModuleRow, change, store};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::limits::MAX_MODULES;
use crate::router::signature;
use crate::values::{CourseId, ModuleId, Position, Title};

/// Adds a module to a course. Whoever is enrolled already does not get it by itself (D14).
///
/// For the course's authors, admins, and services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseAddModuleInput", optional_fields = nullable)]
#[schemars(rename = "CourseAddModuleInput")]
pub struct AddModuleInput {
    pub course_id: CourseId,
    pub title: Title,
    pub kind: ModuleKind,
    /// The place it takes, those from there on moving back by one; the last unless told.
    pub position: Option<Position>,
}

signature!(AddModule: Mutation "course.addModule" (AddModuleInput) -> Module);

pub async fn add_module(cx: Cx<Insider>, input: AddModuleInput) -> Result<Module> {
    change::course(&cx, input.course_id, async |tx, course| {
        let modules = store::modules_of(tx, &course).await?;
        if modules.len() >= MAX_MODULES {
            return Err(Error::invalid_input("courseId", format!("the course has {MAX_MODULES} modules")));
        }
        let last = modules.last().map_or(0, |module| module.position);
        let position = input.position.map_or(last + 1, Position::get);
        store::save_modules(tx, &change::moved_back(&modules, position)).await?;
        let module = ModuleRow {
            id: ModuleId::new(),
            organization_id: course.organization_id,
            course_id: course.id,
            title: input.title.clone(),
            kind: input.kind,
            position,
            retired_at: None,
            created_at: tx.now,
        };
        store::insert_module(tx, module.clone()).await?;
        let modules_total = course.modules_total + 1;
        store::save(tx, CourseRow { modules_total, updated_at: tx.now, ..course }).await?;
        Ok(module.into())
    })
    .await
}
