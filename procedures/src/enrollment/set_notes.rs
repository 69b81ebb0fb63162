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
use crate::values::{EnrollmentId, Notes, Version};

/// Writes what coordinators know of an enrollment; null takes it away. For coordinators and admins.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentSetNotesInput")]
#[schemars(rename = "EnrollmentSetNotesInput")]
pub struct SetNotesInput {
    pub enrollment_id: EnrollmentId,
    // Absent is no null here: what is not said takes nothing away.
    #[serde(deserialize_with = "Option::deserialize")]
    pub notes: Option<Notes>,
    /// The version that was read; another one is CONFLICT `versionMismatch`.
    pub version: Version,
}

signature!(SetNotes: Mutation "enrollment.setNotes" (SetNotesInput) -> Enrollment);

pub async fn set_notes(cx: Cx<Insider>, input: SetNotesInput) -> Result<Enrollment> {
    let on = ActingOn::find(&cx, Action::ReadNotes, input.enrollment_id).await?;
    let version = Some(input.version.get());
    write::acting_on(cx, on, Wish::SetNotes { notes: input.notes, version }).await
}
