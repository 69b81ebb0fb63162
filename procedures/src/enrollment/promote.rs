use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::rules::Wish;
use super::view::{ActingOn, Enrollment};
use super::write;
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::Action;
use crate::router::signature;
use crate::values::EnrollmentId;

/// Gives a seat to one who waits, by hand (D11). A full course is `courseFull`: nobody overbooks (D10).
///
/// For coordinators, admins, and services with `enrollments:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentPromoteInput")]
#[schemars(rename = "EnrollmentPromoteInput")]
pub struct PromoteInput {
    pub enrollment_id: EnrollmentId,
}

signature!(Promote: Mutation "enrollment.promote" (PromoteInput) -> Enrollment);

pub async fn promote(cx: Cx<Insider>, input: PromoteInput) -> Result<Enrollment> {
    let on = ActingOn::find(&cx, Action::DecideEnrollments, input.enrollment_id).await?;
    write::acting_on(cx, on, Wish::Promote).await
}
