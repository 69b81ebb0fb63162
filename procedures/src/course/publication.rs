use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Course, CourseRow, CourseStatus, change, view};
use crate::caller::{Cx, Insider};
use crate::cohort;
use crate::error::Result;
use crate::router::signature;
use crate::values::CourseId;

/// Publishes a course, draft or archived: from now on it takes enrollments (D16). Whoever waits gets the
/// seats that are free (D11), then the members of its cohorts are enrolled (D20), which the answer does not count yet.
/// Nothing changes if it is published already.
///
/// For the course's authors, admins, and services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CoursePublishInput")]
#[schemars(rename = "CoursePublishInput")]
pub struct PublishInput {
    pub course_id: CourseId,
}

/// Makes a course a draft again: it takes no more enrollments, the ones there are survive (D16). Nothing changes if it
/// is a draft.
///
/// For the course's authors, admins, and services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseUnpublishInput")]
#[schemars(rename = "CourseUnpublishInput")]
pub struct UnpublishInput {
    pub course_id: CourseId,
}

/// Archives a course: it takes no more enrollments, the ones there are survive (D16). Nothing changes if it is
/// archived.
///
/// For the course's authors, admins, and services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseArchiveInput")]
#[schemars(rename = "CourseArchiveInput")]
pub struct ArchiveInput {
    pub course_id: CourseId,
}

signature!(Publish: Mutation "course.publish" (PublishInput) -> Course);

pub async fn publish(cx: Cx<Insider>, input: PublishInput) -> Result<Course> {
    let Moved { course, by_this_call } = move_to(&cx, input.course_id, CourseStatus::Published).await?;
    if by_this_call {
        cohort::enroll_where_attached(&cx, course.id).await?;
    }
    Ok(course)
}

signature!(Unpublish: Mutation "course.unpublish" (UnpublishInput) -> Course);

pub async fn unpublish(cx: Cx<Insider>, input: UnpublishInput) -> Result<Course> {
    Ok(move_to(&cx, input.course_id, CourseStatus::Draft).await?.course)
}

signature!(Archive: Mutation "course.archive" (ArchiveInput) -> Course);

pub async fn archive(cx: Cx<Insider>, input: ArchiveInput) -> Result<Course> {
    Ok(move_to(&cx, input.course_id, CourseStatus::Archived).await?.course)
}

/// A course, and whether this call has moved it: it may have been there already, or its key's first call did.
struct Moved {
    course: Course,
    by_this_call: bool,
}

async fn move_to(cx: &Cx<Insider>, course_id: CourseId, status: CourseStatus) -> Result<Moved> {
    let tenant = cx.caller.tenant;
    let mut by_this_call = false;
    let moved = change::course(cx, course_id, async |tx, course| {
        if course.status == status {
            return view::present_one(tx, tenant, course).await;
        }
        let published_at = match status {
            CourseStatus::Published => Some(tx.now),
            CourseStatus::Draft | CourseStatus::Archived => course.published_at,
        };
        let version = course.version + 1;
        let course = CourseRow { status, published_at, version, updated_at: tx.now, ..course };
        let course = change::saved(tx, cx, course).await?;
        by_this_call = true;
        view::present_one(tx, tenant, course).await
    });
    let course = moved.await?;
    Ok(Moved { course, by_this_call })
}
