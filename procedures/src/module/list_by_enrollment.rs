use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ModuleEnrollmentRow, store};
use crate::caller::{Cx, Insider};
use crate::course::{ModuleKind, ModuleRow};
use crate::enrollment::VisibleEnrollment;
use crate::error::Result;
use crate::router::signature;
use crate::values::{EnrollmentId, ModuleEnrollmentId, ModuleId, Moment, Title, UserId};

/// The modules of an enrollment in the order of the course, soft-deleted ones included.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ModuleListByEnrollmentInput")]
#[schemars(rename = "ModuleListByEnrollmentInput")]
pub struct ListByEnrollmentInput {
    pub enrollment_id: EnrollmentId,
}

/// A user's place in a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModuleEnrollment {
    pub id: ModuleEnrollmentId,
    pub enrollment_id: EnrollmentId,
    pub user_id: UserId,
    pub module_id: ModuleId,
    pub title: Title,
    pub kind: ModuleKind,
    pub position: i32,
    pub enrolled_at: Moment,
    pub started_at: Option<Moment>,
    pub completed_at: Option<Moment>,
    pub completed: bool,
    pub soft_deleted: bool,
}

impl ModuleEnrollment {
    pub(super) fn of((row, module): (ModuleEnrollmentRow, ModuleRow)) -> Self {
        ModuleEnrollment {
            id: row.id,
            enrollment_id: row.enrollment_id,
            user_id: row.user_id,
            module_id: row.module_id,
            title: module.title,
            kind: module.kind,
            position: module.position,
            enrolled_at: row.enrolled_at,
            started_at: row.started_at,
            completed_at: row.completed_at,
            completed: row.completed_at.is_some(),
            soft_deleted: row.soft_deleted,
        }
    }
}

signature!(ListByEnrollment: Query "module.listByEnrollment" (ListByEnrollmentInput) -> Vec<ModuleEnrollment>);

pub async fn list_by_enrollment(
    cx: Cx<Insider>,
    input: ListByEnrollmentInput,
) -> Result<Vec<ModuleEnrollment>> {
    let enrollment = VisibleEnrollment::find(&cx.app, &cx.caller, input.enrollment_id).await?;
    let mut conn = cx.app.db.read().await?;
    let rows = store::list(&mut conn, cx.caller.tenant, &enrollment).await?;
    Ok(rows.into_iter().map(ModuleEnrollment::of).collect())
}
