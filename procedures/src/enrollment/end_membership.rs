//! What the end of a membership does to its enrollments (D19).

use super::rules::{By, Command, Wish};
use super::{EnrollmentStatus, store, write};
use crate::caller::{Cx, Insider, Tenant};
use crate::course;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::policy;
use crate::values::{CourseId, UserId};

/// What ends with a membership; a completion stands.
const ENDING: [EnrollmentStatus; 2] = [EnrollmentStatus::Enrolled, EnrollmentStatus::Waitlisted];

/// Locks the courses that a member is enrolled in or waits for, before the membership itself is locked.
pub(crate) async fn hold_courses_of(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    user_id: UserId,
) -> Result<Vec<CourseId>> {
    let courses = store::courses_of(tx, tenant, user_id, &ENDING).await?;
    course::store::lock(tx, tenant, courses.clone()).await?;
    Ok(courses)
}

/// Cancels them all, and gives their seats to whoever waits.
pub(crate) async fn end_all_of(
    tx: &mut Transaction<'_>,
    cx: &Cx<Insider>,
    user_id: UserId,
    held: &[CourseId],
) -> Result<()> {
    let tenant = cx.caller.tenant;
    let courses = store::courses_of(tx, tenant, user_id, &ENDING).await?;
    if courses.iter().any(|course| !held.contains(course)) {
        return Err(Error::retryable("the member was enrolled while the membership was about to end"));
    }
    let command = |course_id: &CourseId| Command {
        course_id: *course_id,
        subject: policy::subject_of_system(user_id),
        by: By::of(&cx.caller, &cx.request_id),
        wish: Wish::EndMembership,
    };
    let commands: Vec<Command> = courses.iter().map(command).collect();
    write::follow_up(tx, &cx.app, tenant, &commands).await
}
