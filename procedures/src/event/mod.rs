//! What happened to enrollments: one append-only log an organization, written in the transaction of each change.
//!
//! Its numbers have no gap and become visible in their order: taking the next ones locks the organization's head until
//! the transaction ends. Audit trail, live feed and webhooks are readers of this one log.

pub(crate) mod feed;
mod relay;
mod seal;
mod since;
pub(crate) mod store;

pub use feed::Wakeups;
pub use relay::{listen_to_others, look, notify_others, relay};
pub use seal::{LastSeal, Sealed, seal};
pub(crate) use seal::{first_misfit, last_seal};
pub use since::{Since, SinceInput};

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Router;
use crate::caller::{Actor, Insider};
use crate::enrollment::{EnrollmentStatus, Source};
use crate::text_enum;
use crate::values::{
    CertificateId, CourseId, EnrollmentId, ModuleId, Moment, OrganizationId, PrincipalId, Score, UserId,
    wire_string,
};

pub fn router() -> Router {
    Router::default().query(Since, since::since)
}

text_enum! {
    /// What can happen to an enrollment.
    pub enum EventKind {
        Enrolled = "enrolled",
        Waitlisted = "waitlisted",
        Promoted = "promoted",
        Reactivated = "reactivated",
        Cancelled = "cancelled",
        Completed = "completed",
        Expired = "expired",
        Revoked = "revoked",
        NotesSet = "notesSet",
        ModuleStarted = "moduleStarted",
        ModuleCompleted = "moduleCompleted",
        ModuleAssigned = "moduleAssigned",
        ModuleUnassigned = "moduleUnassigned",
        CertificateIssued = "certificateIssued",
        CertificateVoided = "certificateVoided",
        ReminderSent = "reminderSent",
    }
}

text_enum! {
    /// Who makes things happen.
    pub enum ActorKind {
        User = "user",
        Service = "service",
        System = "system",
    }
}

/// The number of an event within its organization; as text it has a fixed width, so it sorts as the number does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId(pub(crate) i64);

impl EventId {
    /// The id so many events later.
    fn plus(self, count: i64) -> Self {
        EventId(self.0.saturating_add(count))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016}", self.0)
    }
}
impl FromStr for EventId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(EventId(number)),
            Ok(_) | Err(_) => Err("not an event's id"),
        }
    }
}
wire_string!(for EventId, name: "EventId", doc: "Opaque and ordered: a cursor of the organization's log.", schema: {});

/// Who made something happen; the id is null for the system itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
pub struct EventActor {
    pub kind: ActorKind,
    pub id: Option<PrincipalId>,
}

impl EventActor {
    /// What happens by itself.
    pub(crate) const SYSTEM: Self = EventActor { kind: ActorKind::System, id: None };

    pub(crate) fn of(caller: &Insider) -> Self {
        let kind = match &caller.actor {
            Actor::Person(_) => ActorKind::User,
            Actor::Service(_) => ActorKind::Service,
        };
        EventActor { kind, id: Some(caller.principal()) }
    }
}

/// The particulars of an event; a field is there where the event's kind has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[ts(optional_fields)]
pub struct EventData {
    /// The enrollment's status before the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EnrollmentStatus>,
    /// And after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<EnrollmentStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who enrolled the learner, if someone else did (D21).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled_by_user_id: Option<UserId>,
    /// The module that was started, completed, assigned or unassigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_id: Option<ModuleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// The certificate that was issued or voided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_id: Option<CertificateId>,
    /// When that ends which a reminder was sent of: access to the course, or the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Moment>,
    /// Why, in the words of whoever did it (of a completion: why its conditions were waived), or a word of the system
    /// (`membershipEnded`, `membershipSuspended`, `courseClosed`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The request that brought it about, as the server's log names it; told by `enrollment.history` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// One thing that happened to an enrollment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub id: EventId,
    pub at: Moment,
    pub kind: EventKind,
    pub organization_id: OrganizationId,
    pub course_id: CourseId,
    pub enrollment_id: EnrollmentId,
    pub user_id: UserId,
    pub actor: EventActor,
    pub data: EventData,
}

/// An event that is about to be numbered and written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewEvent {
    pub kind: EventKind,
    pub course_id: CourseId,
    pub enrollment_id: EnrollmentId,
    pub user_id: UserId,
    pub actor: EventActor,
    pub request_id: String,
    pub data: EventData,
}
