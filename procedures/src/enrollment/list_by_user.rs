use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::view::{self, Enrollment};
use super::{EnrollmentRow, EnrollmentStatus, store};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy;
use crate::router::signature;
use crate::values::{Cursor, EnrollmentId, Limit, Page, UserId};

/// The enrollments of the caller, or of another member, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentListByUserInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentListByUserInput")]
pub struct ListByUserInput {
    /// The caller, unless told.
    pub user_id: Option<UserId>,
    /// All, unless told.
    pub statuses: Option<BTreeSet<EnrollmentStatus>>,
    pub cursor: Option<Cursor<EnrollmentId>>,
    pub limit: Option<Limit>,
}

signature!(ListByUser: Query "enrollment.listByUser" (ListByUserInput) -> Page<Enrollment>);

pub async fn list_by_user(cx: Cx<Insider>, input: ListByUserInput) -> Result<Page<Enrollment>> {
    let subject = policy::subject_of_reading(&cx.caller, input.user_id)?;
    let statuses = wanted(input.statuses);
    let after = input.cursor.map(|cursor| cursor.0);
    let limit = input.limit.unwrap_or_default();
    let mut conn = cx.app.db.read().await?;
    let rows = store::list_by_subject(&mut conn, cx.caller.tenant, subject, statuses, after, limit).await?;
    let Page { items, next_cursor } = Page::within(rows, limit, |row| row.id, EnrollmentRow::text);
    Ok(Page { items: view::present(&mut conn, &cx.caller, items).await?, next_cursor })
}

/// The statuses that a list is asked for; every one, unless told.
pub(super) fn wanted(statuses: Option<BTreeSet<EnrollmentStatus>>) -> Vec<EnrollmentStatus> {
    statuses.map_or_else(|| EnrollmentStatus::ALL.to_vec(), Vec::from_iter)
}
