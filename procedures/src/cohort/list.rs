use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, CohortQuery};
use super::{Cohort, view};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{CohortId, Cursor, Limit, Page, Search};

/// The organization's cohorts, oldest first. For coordinators, admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortListInput", optional_fields = nullable)]
#[schemars(rename = "CohortListInput")]
pub struct ListInput {
    /// A part of the name, in either case.
    pub search: Option<Search>,
    pub cursor: Option<Cursor<CohortId>>,
    pub limit: Option<Limit>,
}

signature!(List: Query "cohort.list" (ListInput) -> Page<Cohort>);

pub async fn list(cx: Cx<Insider>, input: ListInput) -> Result<Page<Cohort>> {
    policy::require(&cx.caller, Action::WriteCohorts)?;
    let limit = input.limit.unwrap_or_default();
    let asked = CohortQuery { search: input.search, after: input.cursor.map(|cursor| cursor.0), limit };
    let mut conn = cx.app.db.read().await?;
    let rows = store::list(&mut conn, cx.caller.tenant, asked).await?;
    let Page { items, next_cursor } = Page::of(rows, limit, |row| row.id);
    Ok(Page { items: view::present(&mut conn, cx.caller.tenant, items).await?, next_cursor })
}
