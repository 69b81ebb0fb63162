//! What anonymizing a user does to their enrollments (D24).

use super::rules::{By, Command, Wish};
use super::{store, write};
use crate::caller::{Cx, Insider, Tenant};
use crate::course;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::policy;
use crate::values::{CourseId, UserId};

/// Locks the courses where somebody wrote something about a member, before the member is locked.
pub(crate) async fn hold_courses_noting(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    user_id: UserId,
) -> Result<Vec<CourseId>> {
    let courses = store::courses_with_notes_on(tx, tenant, user_id).await?;
    course::store::lock(tx, tenant, courses.clone()).await?;
    Ok(courses)
}

/// Takes away the notes on a member's enrollments, each change with its event.
pub(crate) async fn strip_notes_of(
    tx: &mut Transaction<'_>,
    cx: &Cx<Insider>,
    user_id: UserId,
    held: &[CourseId],
) -> Result<()> {
    let tenant = cx.caller.tenant;
    let courses = store::courses_with_notes_on(tx, tenant, user_id).await?;
    if courses.iter().any(|course| !held.contains(course)) {
        return Err(Error::retryable(
            "somebody wrote about the person while they were about to be anonymized",
        ));
    }
    let command = |course_id| Command {
        course_id,
        subject: policy::subject_of_system(user_id),
        by: By::of(&cx.caller, &cx.request_id),
        wish: Wish::SetNotes { notes: None, version: None },
    };
    let commands: Vec<Command> = courses.into_iter().map(command).collect();
    write::follow_up(tx, &cx.app, tenant, &commands).await
}
