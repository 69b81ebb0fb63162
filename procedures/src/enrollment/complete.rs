use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::rules::Wish;
use super::view::{ActingOn, Enrollment};
use super::write;
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{EnrollmentId, ReasonText, Score};

/// Completes an enrollment and issues its certificate, where the course gives one (D12, D13).
///
/// It takes every module completed and the course's pass score, which services with `progress:write` report; or a
/// waiver, by coordinators, admins, and services with `enrollments:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentCompleteInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentCompleteInput")]
pub struct CompleteInput {
    pub enrollment_id: EnrollmentId,
    /// 0 to 100, at most two decimals.
    pub score: Option<Score>,
    /// Why neither modules nor score matter.
    pub waive_reason: Option<ReasonText>,
}

signature!(Complete: Mutation "enrollment.complete" (CompleteInput) -> Enrollment);

pub async fn complete(cx: Cx<Insider>, input: CompleteInput) -> Result<Enrollment> {
    // A score is a result, which people do not give: not even with a waiver.
    if input.score.is_some() || input.waive_reason.is_none() {
        policy::require(&cx.caller, Action::RecordProgress)?;
    }
    let action = match input.waive_reason {
        Some(_) => Action::DecideEnrollments,
        None => Action::RecordProgress,
    };
    let on = ActingOn::find(&cx, action, input.enrollment_id).await?;
    write::acting_on(cx, on, Wish::Complete { score: input.score, waiver: input.waive_reason }).await
}
