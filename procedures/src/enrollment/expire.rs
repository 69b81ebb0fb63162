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

/// Ends an enrollment that was not completed, and frees its seat; its progress is kept (D7).
///
/// For services with `enrollments:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentExpireInput")]
#[schemars(rename = "EnrollmentExpireInput")]
pub struct ExpireInput {
    pub enrollment_id: EnrollmentId,
}

signature!(Expire: Mutation "enrollment.expire" (ExpireInput) -> Enrollment);

pub async fn expire(cx: Cx<Insider>, input: ExpireInput) -> Result<Enrollment> {
    let on = ActingOn::find(&cx, Action::ExpireEnrollments, input.enrollment_id).await?;
    write::acting_on(cx, on, Wish::Expire).await
}
