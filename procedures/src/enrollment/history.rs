use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::view::VisibleEnrollment;
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::event::{self, Event, EventId};
use crate::router::signature;
use crate::values::{Cursor, EnrollmentId, Limit, Page};

/// All that happened to an enrollment, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentHistoryInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentHistoryInput")]
pub struct HistoryInput {
    pub enrollment_id: EnrollmentId,
    pub cursor: Option<Cursor<EventId>>,
    pub limit: Option<Limit>,
}

signature!(History: Query "enrollment.history" (HistoryInput) -> Page<Event>);

pub async fn history(cx: Cx<Insider>, input: HistoryInput) -> Result<Page<Event>> {
    let limit = input.limit.unwrap_or_default();
    let after = input.cursor.map(|cursor| cursor.0);
    let enrollment = VisibleEnrollment::find(&cx.app, &cx.caller, input.enrollment_id).await?;
    let mut conn = cx.app.db.read().await?;
    let events = event::store::history(&mut conn, cx.caller.tenant, &enrollment, after, limit).await?;
    Ok(Page::of(events, limit, |event| event.id))
}
