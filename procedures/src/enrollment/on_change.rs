use std::collections::VecDeque;

use futures_util::{Stream, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use ts_rs::TS;

use crate::caller::{Cx, Insider, Live};
use crate::course;
use crate::error::{Code, Reason, Result};
use crate::event::feed::Reader;
use crate::event::store::EventFilter;
use crate::event::{Event, EventId};
use crate::limits::{OUTAGE_REST, SESSION_RECHECK};
use crate::policy::{self, Action, Verdict};
use crate::router::{Begun, Tracked, signature};
use crate::values::{CourseId, UserId};

/// What happens to enrollments, as it happens, in order: of a course, of a member, or all that the caller may see.
///
/// Learners follow their own enrollments, authors also the roster of a course of theirs that they name, coordinators,
/// admins and services with `enrollments:read` the whole organization. With `lastEventId` it goes on after that event, without a gap or a
/// double.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentOnChangeInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentOnChangeInput")]
pub struct OnChangeInput {
    pub course_id: Option<CourseId>,
    pub user_id: Option<UserId>,
    /// The last event seen.
    pub last_event_id: Option<EventId>,
}

signature!(OnChange: Subscription "enrollment.onChange" (OnChangeInput) -> Event);

pub async fn on_change(
    live: Live<Insider>,
    input: OnChangeInput,
) -> Result<Begun<impl Stream<Item = Result<Tracked<Event>>> + Send + 'static>> {
    let following = Following::begin(live, input).await?;
    let after = following.reader.reached().to_string();
    let items = stream::try_unfold(following, async |mut following| {
        let event = following.next().await?;
        Ok(Some((Tracked { id: event.id.to_string(), data: event }, following)))
    });
    Ok(Begun { after, items })
}

/// What the caller asked for, narrowed to what they may see.
async fn visible(cx: &Cx<Insider>, input: &OnChangeInput) -> Result<EventFilter> {
    let OnChangeInput { course_id: course, user_id: user, .. } = *input;
    let rosters = policy::verdict(&cx.caller, Action::ReadEnrollments);
    match (rosters, course, user) {
        (Verdict::Allowed | Verdict::LearnersOnly, _, _) => Ok(EventFilter { course, user }),
        (Verdict::OwnCoursesOnly, Some(course_id), user) if user.is_none_or(|user| !cx.caller.is(user)) => {
            let mut conn = cx.app.db.read().await?;
            course::store::grant(&mut conn, &cx.caller, Action::ReadEnrollments, course_id).await?;
            Ok(EventFilter { course, user })
        }
        // A token without the scope has no enrollments of its own to follow.
        (Verdict::Refused(reason @ Reason::ScopeRequired { .. }), _, _) => Err(reason.into()),
        (Verdict::OwnCoursesOnly | Verdict::Refused(_), course, user) => {
            let own = policy::subject_of_reading(&cx.caller, user)?;
            Ok(EventFilter { course, user: Some(own.user_id()) })
        }
    }
}

/// Events read ahead by a chunk at the most: whoever consumes slowly reads slowly.
struct Following {
    live: Live<Insider>,
    input: OnChangeInput,
    filter: EventFilter,
    reader: Reader,
    ready: VecDeque<Event>,
    checked: Instant,
}

impl Following {
    async fn begin(live: Live<Insider>, input: OnChangeInput) -> Result<Self> {
        let filter = visible(&live.cx, &input).await?;
        let reader = Reader::begin(&live.cx.app, live.cx.caller.tenant, filter, input.last_event_id).await?;
        Ok(Following { live, input, filter, reader, ready: VecDeque::new(), checked: Instant::now() })
    }

    async fn next(&mut self) -> Result<Event> {
        loop {
            match self.step().await {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                // Nothing is written while the database is out of reach; it goes on where it was.
                Err(error) if error.code() == Code::ServiceUnavailable => {
                    tracing::debug!(cause = ?error.cause(), "a subscription waits for the database");
                    tokio::time::sleep(OUTAGE_REST).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The next event, unless it was time to look at the session instead.
    async fn step(&mut self) -> Result<Option<Event>> {
        let check_at = self.checked + SESSION_RECHECK;
        if Instant::now() >= check_at {
            self.check().await?;
        } else if self.ready.is_empty() {
            match timeout_at(check_at, self.reader.next(&self.live.cx.app)).await {
                Ok(events) => self.ready = events?.into(),
                Err(_) => return Ok(None),
            }
        }
        Ok(self.ready.pop_front())
    }

    /// Verifies the session, and decides anew what its caller may see.
    async fn check(&mut self) -> Result<()> {
        let tenant = self.live.cx.caller.tenant;
        self.live.renew().await?;
        if self.live.cx.caller.tenant != tenant {
            return Err(Reason::NotAMember.into());
        }
        let filter = visible(&self.live.cx, &self.input).await?;
        if filter != self.filter {
            self.filter = filter;
            // What was read ahead is read again.
            self.reader.refilter(filter, self.ready.drain(..).next());
        }
        self.checked = Instant::now();
        Ok(())
    }
}
