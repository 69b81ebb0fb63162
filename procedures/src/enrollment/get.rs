use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::view::{self, Enrollment, VisibleEnrollment};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
use crate::values::EnrollmentId;

/// An enrollment by its id.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentGetInput")]
#[schemars(rename = "EnrollmentGetInput")]
pub struct GetInput {
    pub enrollment_id: EnrollmentId,
}

signature!(Get: Query "enrollment.get" (GetInput) -> Enrollment);

pub async fn get(cx: Cx<Insider>, input: GetInput) -> Result<Enrollment> {
    let enrollment = VisibleEnrollment::find(&cx.app, &cx.caller, input.enrollment_id).await?;
    view::present_one(&cx.app, &cx.caller, enrollment.into_row()).await
}
