use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::caller::{Cx, Insider};
use crate::course;
use crate::error::Result;
use crate::policy::Action;
use crate::router::signature;
use crate::values::CourseId;

/// How many enrollments a course has in each status, and how its seats stand.
///
/// For coordinators, admins, services with `enrollments:read`, and the course's authors.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentCountInput")]
#[schemars(rename = "EnrollmentCountInput")]
pub struct CountInput {
    pub course_id: CourseId,
}

/// Enrollments by status, and seats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentCount {
    pub enrolled: i32,
    pub waitlisted: i32,
    pub completed: i32,
    pub cancelled: i32,
    pub expired: i32,
    /// Null for a course without a limit.
    pub capacity: Option<i32>,
    /// Enrolled and completed ones hold a seat (D10).
    pub seats_taken: i32,
    /// By how many the seats taken exceed the capacity, which only lowering it can bring about.
    pub over_by: i32,
}

signature!(Count: Query "enrollment.count" (CountInput) -> EnrollmentCount);

pub async fn count(cx: Cx<Insider>, input: CountInput) -> Result<EnrollmentCount> {
    let mut conn = cx.app.db.read().await?;
    let course =
        course::store::granted(&mut conn, &cx.caller, Action::ReadEnrollments, input.course_id).await?;
    let seats_taken = course.seats_taken();
    Ok(EnrollmentCount {
        enrolled: course.enrolled_count,
        waitlisted: course.waitlisted_count,
        completed: course.completed_count,
        cancelled: course.cancelled_count,
        expired: course.expired_count,
        capacity: course.capacity,
        seats_taken,
        over_by: course.capacity.map_or(0, |capacity| (seats_taken - capacity).max(0)),
    })
}
