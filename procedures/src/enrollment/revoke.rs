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
use crate::values::{EnrollmentId, ReasonText};

/// Takes a completion back: the enrollment is cancelled, its certificate voided, its seat freed (D5, D6).
///
/// For admins, and services with `enrollments:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentRevokeInput")]
#[schemars(rename = "EnrollmentRevokeInput")]
pub struct RevokeInput {
    pub enrollment_id: EnrollmentId,
    /// Kept in the enrollment's history and on the certificate.
    pub reason: ReasonText,
}

signature!(Revoke: Mutation "enrollment.revoke" (RevokeInput) -> Enrollment);

pub async fn revoke(cx: Cx<Insider>, input: RevokeInput) -> Result<Enrollment> {
    let on = ActingOn::find(&cx, Action::RevokeCompletions, input.enrollment_id).await?;
    write::acting_on(cx, on, Wish::Revoke { reason: input.reason }).await
}
