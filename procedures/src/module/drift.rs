use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store;
use crate::caller::{Cx, Insider};
use crate::course;
use crate::error::Result;
use crate::policy::Action;
use crate::router::signature;
use crate::values::{CourseId, Cursor, EnrollmentId, Limit, ModuleId, Page, UserId};

/// Who lacks which later module of a course (D14), and what assigning them would make of the progress. Only enrollments
/// under way are listed, and what an admin took away is not missing.
///
/// For coordinators, admins, services with `enrollments:read`, and the course's authors.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ModuleDriftInput", optional_fields = nullable)]
#[schemars(rename = "ModuleDriftInput")]
pub struct DriftInput {
    pub course_id: CourseId,
    pub cursor: Option<Cursor<EnrollmentId>>,
    pub limit: Option<Limit>,
}

/// One enrollment that lacks modules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftEntry {
    pub enrollment_id: EnrollmentId,
    pub user_id: UserId,
    /// In the order of the course.
    pub missing: Vec<ModuleId>,
    /// Percent, rounded down.
    pub progress_now: i32,
    pub progress_after: i32,
}

signature!(Drift: Query "module.drift" (DriftInput) -> Page<DriftEntry>);

pub async fn drift(cx: Cx<Insider>, input: DriftInput) -> Result<Page<DriftEntry>> {
    let limit = input.limit.unwrap_or_default();
    let after = input.cursor.map(|cursor| cursor.0);
    let mut conn = cx.app.db.read().await?;
    let grant = course::store::grant(&mut conn, &cx.caller, Action::ReadEnrollments, input.course_id).await?;
    let now = cx.app.clock.now();
    let drifted = store::drifted(&mut conn, cx.caller.tenant, grant, now, after, limit).await?;
    let Page { items, next_cursor } = Page::of(drifted, limit, |enrollment| enrollment.id);
    let ids = items.iter().map(|enrollment| enrollment.id).collect();
    let mut missing = store::missing(&mut conn, cx.caller.tenant, grant, ids).await?;
    let entry = |enrollment: store::Drifted| {
        let missing = missing.remove(&enrollment.id).unwrap_or_default();
        let total = enrollment.modules_total;
        let more = i32::try_from(missing.len()).unwrap_or(i32::MAX);
        DriftEntry {
            enrollment_id: enrollment.id,
            user_id: enrollment.user_id,
            missing,
            progress_now: percent(enrollment.modules_completed, total),
            progress_after: percent(enrollment.modules_completed, total.saturating_add(more)),
        }
    };
    Ok(Page { items: items.into_iter().map(entry).collect(), next_cursor })
}

fn percent(completed: i32, total: i32) -> i32 {
    if total == 0 { 0 } else { 100 * completed / total }
}
