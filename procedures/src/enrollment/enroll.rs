use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::rules::Wish;
use super::view::Enrollment;
use super::write;
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{CourseId, Notes, UserId};

/// Enrolls the caller, or another member, in a published course, with all of its current modules.
///
/// A cancelled or expired enrollment is taken up again: same id, one attempt more, progress kept (D1). Coordinators
/// enroll learners, admins anyone, services by the scope `enrollments:write` (D21).
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct EnrollInput {
    pub course_id: CourseId,
    /// The caller, unless told.
    pub user_id: Option<UserId>,
    /// For those who may read notes.
    pub notes: Option<Notes>,
    /// Whether to join the waitlist of a full course that has one; true unless told.
    pub waitlist: Option<bool>,
}

signature!(Enroll: Mutation "enrollment.enroll" (EnrollInput) -> Enrollment);

pub async fn enroll(cx: Cx<Insider>, input: EnrollInput) -> Result<Enrollment> {
    let subject = policy::subject_of_change(&cx.caller, input.user_id)?;
    if input.notes.is_some() {
        policy::require(&cx.caller, Action::ReadNotes)?;
    }
    let wish = Wish::Enroll { notes: input.notes, waitlist: input.waitlist.unwrap_or(true) };
    write::one(cx, input.course_id, subject, wish).await
}
