use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, EventFilter};
use super::{Event, EventId};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{Cursor, Limit, Page};

/// The organization's whole log from a cursor on, oldest first and without a gap: an event is there only once all
/// before it are.
///
/// An event's `id` is a cursor too: whoever has reached the end, where `nextCursor` is null, goes on later after the id
/// of the last event seen. For admins, and services with `events:read`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EventSinceInput", optional_fields = nullable)]
#[schemars(rename = "EventSinceInput")]
pub struct SinceInput {
    /// From the first event on, unless told. An id that no event has had yet is BAD_REQUEST: what comes before it could
    /// not be told from what was seen.
    pub cursor: Option<Cursor<EventId>>,
    pub limit: Option<Limit>,
}

signature!(Since: Query "event.since" (SinceInput) -> Page<Event>);

pub async fn since(cx: Cx<Insider>, input: SinceInput) -> Result<Page<Event>> {
    policy::require(&cx.caller, Action::ReadEvents)?;
    let tenant = cx.caller.tenant;
    let limit = input.limit.unwrap_or_default();
    let after = input.cursor.map_or(EventId(0), |cursor| cursor.0);
    let mut conn = cx.app.db.read().await?;
    let head = store::head(&mut conn, tenant).await?;
    if after > head {
        return Err(Error::invalid_input("cursor", "no event has had this id"));
    }
    let all = EventFilter { course: None, user: None };
    let most = usize::try_from(limit.with_lookahead()).map_err(Error::internal)?;
    let events = store::between(&mut conn, tenant, all, after, head, most).await?;
    Ok(Page::within(events, limit, |event| event.id, Event::text))
}

impl Event {
    /// How much free text it has, in bytes.
    fn text(&self) -> usize {
        self.data.reason.as_ref().map_or(0, String::len)
    }
}
