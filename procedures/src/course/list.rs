use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::get::learner;
use super::store::{self, CourseQuery};
use super::{Course, CourseRow, CourseStatus, view};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::router::signature;
use crate::values::{CourseId, Cursor, Limit, Page, Search};

/// The organization's courses, oldest first. Learners see published courses and those they are enrolled in.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseListInput", optional_fields = nullable)]
#[schemars(rename = "CourseListInput")]
pub struct ListInput {
    pub status: Option<CourseStatus>,
    /// A part of the title, in either case.
    pub search: Option<Search>,
    pub cursor: Option<Cursor<CourseId>>,
    pub limit: Option<Limit>,
}

signature!(List: Query "course.list" (ListInput) -> Page<Course>);

pub async fn list(cx: Cx<Insider>, input: ListInput) -> Result<Page<Course>> {
    let limit = input.limit.unwrap_or_default();
    let asked = CourseQuery {
        statuses: input.status.map_or_else(|| CourseStatus::ALL.to_vec(), |status| vec![status]),
        search: input.search,
        as_seen_by: learner(&cx.caller),
        after: input.cursor.map(|cursor| cursor.0),
        limit,
    };
    let mut conn = cx.app.db.read().await?;
    let rows = store::list(&mut conn, cx.caller.tenant, asked).await?;
    let Page { items, next_cursor } = Page::within(rows, limit, |row| row.id, CourseRow::text);
    Ok(Page { items: view::present(&mut conn, cx.caller.tenant, items).await?, next_cursor })
}
