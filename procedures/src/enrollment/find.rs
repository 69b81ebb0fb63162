use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store;
use super::view::{self, Enrollment};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy;
use crate::router::signature;
use crate::values::{CourseId, UserId};

/// The enrollment of the caller, or of another member, in a course; null if there is none.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentFindInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentFindInput")]
pub struct FindInput {
    pub course_id: CourseId,
    /// The caller, unless told.
    pub user_id: Option<UserId>,
}

signature!(Find: Query "enrollment.find" (FindInput) -> Option<Enrollment>);

pub async fn find(cx: Cx<Insider>, input: FindInput) -> Result<Option<Enrollment>> {
    let subject = policy::subject_of_reading(&cx.caller, input.user_id)?;
    let mut conn = cx.app.db.read().await?;
    let found = store::find_by_subject(&mut conn, cx.caller.tenant, input.course_id, subject).await?;
    drop(conn);
    match found {
        Some(row) => view::present_one(&cx.app, &cx.caller, row).await.map(Some),
        None => Ok(None),
    }
}
