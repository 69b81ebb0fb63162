use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Course, CourseRow, CourseStatus, store, view};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::Action;
use crate::values::CourseId;

/// Moves a course between draft, published and archived; where it already is so, nothing changes.
///
/// Only a published course takes enrollments; the ones there are survive (D16). For the course's authors, admins, and
/// services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicationInput {
    pub course_id: CourseId,
}

pub async fn publish(cx: Cx<Insider>, input: PublicationInput) -> Result<Course> {
    move_to(cx, input, CourseStatus::Published).await
}

pub async fn unpublish(cx: Cx<Insider>, input: PublicationInput) -> Result<Course> {
    move_to(cx, input, CourseStatus::Draft).await
}

pub async fn archive(cx: Cx<Insider>, input: PublicationInput) -> Result<Course> {
    move_to(cx, input, CourseStatus::Archived).await
}

async fn move_to(cx: Cx<Insider>, input: PublicationInput, status: CourseStatus) -> Result<Course> {
    cx.write(async |tx| {
        let grant = store::grant(tx, &cx.caller, Action::WriteCourses, input.course_id).await?;
        let course = store::load_locked(tx, cx.caller.tenant, grant).await?;
        if course.status == status {
            return view::present_one(tx, cx.caller.tenant, course).await;
        }
        let published_at = match status {
            CourseStatus::Published => Some(tx.now),
            CourseStatus::Draft | CourseStatus::Archived => course.published_at,
        };
        let version = course.version + 1;
        let course = CourseRow { status, published_at, version, updated_at: tx.now, ..course };
        store::save(tx, course.clone()).await?;
        view::present_one(tx, cx.caller.tenant, course).await
    })
    .await
}
