use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::list_by_user::wanted;
use super::store::{self, RosterQuery};
use super::view::{self, Enrollment};
use super::{EnrollmentRow, EnrollmentStatus};
use crate::caller::{Cx, Insider};
use crate::course;
use crate::db::Connection;
use crate::error::Result;
use crate::policy::Action;
use crate::router::signature;
use crate::values::{CourseId, Cursor, EnrollmentId, Limit, Page, Search, UserId};

/// A course's roster, in the order in which people first enrolled.
///
/// For coordinators, admins, services with `enrollments:read`, and the course's authors (without notes).
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentListByCourseInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentListByCourseInput")]
pub struct ListByCourseInput {
    pub course_id: CourseId,
    /// All, unless told.
    pub statuses: Option<BTreeSet<EnrollmentStatus>>,
    /// A part of the learner's display name, in either case.
    pub search: Option<Search>,
    pub cursor: Option<Cursor<EnrollmentId>>,
    pub limit: Option<Limit>,
}

/// An enrollment with its learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RosterEntry {
    #[serde(flatten)]
    pub enrollment: Enrollment,
    pub user: RosterUser,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RosterUser {
    pub id: UserId,
    pub display_name: Option<String>,
}

signature!(ListByCourse: Query "enrollment.listByCourse" (ListByCourseInput) -> Page<RosterEntry>);

pub async fn list_by_course(cx: Cx<Insider>, input: ListByCourseInput) -> Result<Page<RosterEntry>> {
    let limit = input.limit.unwrap_or_default();
    let mut conn = cx.app.db.read().await?;
    let grant = course::store::grant(&mut conn, &cx.caller, Action::ReadEnrollments, input.course_id).await?;
    let asked = RosterQuery {
        statuses: wanted(input.statuses),
        search: input.search,
        after: input.cursor.map(|cursor| cursor.0),
        limit,
    };
    let rows = store::roster(&mut conn, cx.caller.tenant, grant, asked).await?;
    entries(&mut conn, &cx.caller, rows, limit).await
}

/// A page of rows with their learners' names, as this caller sees them.
pub(super) async fn entries(
    conn: &mut Connection,
    caller: &Insider,
    rows: Vec<(EnrollmentRow, Option<String>)>,
    limit: Limit,
) -> Result<Page<RosterEntry>> {
    let Page { items, next_cursor } = Page::within(rows, limit, |(row, _)| row.id, |(row, _)| row.text());
    let (rows, names): (Vec<_>, Vec<_>) = items.into_iter().unzip();
    let enrollments = view::present(conn, caller, rows).await?;
    let entry = |(enrollment, display_name): (Enrollment, _)| {
        let user = RosterUser { id: enrollment.user_id, display_name };
        RosterEntry { enrollment, user }
    };
    Ok(Page { items: enrollments.into_iter().zip(names).map(entry).collect(), next_cursor })
}
