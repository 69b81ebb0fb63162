//! The rules of an enrollment's whole life: facts in, changes out, nothing else.
//!
//! Each command is first held against its gates ([`gates`], one guard a rule, [`guards`]); if none refuses, it takes
//! effect ([`decide`]). `enrollment.check` runs the same two on facts it throws away. Decisions of one batch are made
//! one after another and see each other's effect, because each lets the facts follow.

use std::collections::{BTreeMap, BTreeSet};

mod effects;
mod enrolling;
mod guards;
mod leaving;
mod modules;
mod progress;
mod reminders;
mod waitlist;

pub(crate) use guards::gates;
pub(crate) use waitlist::fill;

use super::{EnrollmentRow, EnrollmentStatus};
use crate::caller::{Actor, Insider};
use crate::certificate::CertificateRow;
use crate::course::{CourseRow, ModuleKind};
use crate::error::{Error, Result};
use crate::event::{EventActor, NewEvent};
use crate::member::{MembershipStatus, Role};
use crate::module::ModuleEnrollmentRow;
use crate::policy::Subject;
use crate::values::{
    CertificateId, CohortId, CourseId, EnrollmentId, ModuleEnrollmentId, ModuleId, Moment, Notes, ReasonText,
    Score, UserId,
};

/// What moves an enrollment from one status to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Enrolling, for the first time or again (D1 to D3, D8).
    Enroll,
    /// Leaving a waitlist for a seat (D11).
    Promote,
    Complete,
    /// Leaving a course or a waitlist (D4, D9, D19).
    Unenroll,
    /// The end of access before completion (D7).
    Expire,
    /// Taking a completion back (D5).
    Revoke,
}

/// The transition table: rule `status_transition_enforcement`. `None` as `from` is a first enrollment.
///
/// A completed enrollment is enrolled anew only if its certificate has expired (D8); that gate is
/// `unique_enrollment_per_user_per_course`.
pub(crate) fn is_transition(from: Option<EnrollmentStatus>, step: Step, to: EnrollmentStatus) -> bool {
    use EnrollmentStatus::{Cancelled, Completed, Enrolled, Expired, Waitlisted};
    match (step, from, to) {
        (Step::Enroll, None | Some(Cancelled | Expired), Enrolled | Waitlisted) => true,
        (Step::Enroll, Some(Completed), Enrolled) => true,
        (Step::Promote, Some(Waitlisted), Enrolled) => true,
        (Step::Complete, Some(Enrolled), Completed) => true,
        (Step::Unenroll, Some(Enrolled | Waitlisted), Cancelled) => true,
        (Step::Expire, Some(Enrolled), Expired) => true,
        (Step::Revoke, Some(Completed), Cancelled) => true,
        (
            Step::Enroll | Step::Promote | Step::Complete | Step::Unenroll | Step::Expire | Step::Revoke,
            None | Some(Enrolled | Waitlisted | Completed | Cancelled | Expired),
            Enrolled | Waitlisted | Completed | Cancelled | Expired,
        ) => false,
    }
}

/// One wish about one person's enrollment in one course.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub course_id: CourseId,
    pub subject: Subject,
    pub by: By,
    pub wish: Wish,
}

#[derive(Clone, Debug)]
pub(crate) enum Wish {
    /// `waitlist` says whether to wait where there is no seat.
    Enroll {
        notes: Option<Notes>,
        waitlist: bool,
    },
    Unenroll {
        reason: Option<ReasonText>,
    },
    Promote,
    /// With a `waiver`, neither modules nor score matter.
    Complete {
        score: Option<Score>,
        waiver: Option<ReasonText>,
    },
    Expire,
    /// Access has ended by itself (D7).
    RunOut,
    /// Tells the learner that access, or the certificate, ends soon (D22).
    Remind,
    Revoke {
        reason: ReasonText,
    },
    /// The membership ends, and this with it (D19).
    EndMembership,
    /// The course has ended, and nobody gets a seat any more.
    GiveUpWaiting,
    /// `version` is the one that was read, where someone read one.
    SetNotes {
        notes: Option<Notes>,
        version: Option<i32>,
    },
    StartModule(ModuleId),
    CompleteModule(ModuleId),
    AssignModule(ModuleId),
    UnassignModule(ModuleId),
}

impl Wish {
    /// Whether it may free a seat.
    pub fn may_leave(&self) -> bool {
        match self {
            Wish::Unenroll { .. }
            | Wish::Expire
            | Wish::RunOut
            | Wish::Revoke { .. }
            | Wish::EndMembership => true,
            Wish::Enroll { .. }
            | Wish::Promote
            | Wish::Remind
            | Wish::GiveUpWaiting
            | Wish::Complete { .. }
            | Wish::SetNotes { .. }
            | Wish::StartModule(_)
            | Wish::CompleteModule(_)
            | Wish::AssignModule(_)
            | Wish::UnassignModule(_) => false,
        }
    }
}

/// Who acts, as records and events keep it.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub actor: EventActor,
    /// The person, if it is one.
    pub user_id: Option<UserId>,
    /// The role they act by, if they act by one.
    pub role: Option<Role>,
    /// The cohort that enrolls its members, if it is one (D20).
    pub cohort: Option<CohortId>,
    pub request_id: String,
}

impl By {
    pub fn of(caller: &Insider, request_id: &str) -> Self {
        let role = match &caller.actor {
            // A global admin acts as one, whatever their role here.
            Actor::Person(person) => person.role.filter(|_| !person.global_admin),
            Actor::Service(_) => None,
        };
        let actor = EventActor::of(caller);
        By { actor, user_id: caller.user_id(), role, cohort: None, request_id: request_id.to_owned() }
    }

    /// What follows from a call by itself.
    pub fn system(request_id: &str) -> Self {
        let actor = EventActor::SYSTEM;
        By { actor, user_id: None, role: None, cohort: None, request_id: request_id.to_owned() }
    }

    /// A cohort that enrolls its members.
    pub fn cohort(cohort: CohortId, request_id: &str) -> Self {
        By { cohort: Some(cohort), ..By::system(request_id) }
    }
}

/// All that the decisions of a batch need to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub courses: BTreeMap<CourseId, CourseRow>,
    pub members: BTreeMap<UserId, (Role, MembershipStatus)>,
    pub enrollments: BTreeMap<(CourseId, UserId), EnrollmentRow>,
    /// The modules of each course.
    pub modules: BTreeMap<CourseId, BTreeMap<ModuleId, ModuleFact>>,
    pub module_enrollments: BTreeMap<EnrollmentId, Vec<ModuleEnrollmentRow>>,
    /// Those that the enrollments refer to.
    pub certificates: BTreeMap<CertificateId, CertificateRow>,
    pub queues: BTreeMap<CourseId, Queue>,
    /// How many days before an end people are reminded of it, if that is what the batch is about.
    pub reminder_leads: Vec<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ModuleFact {
    pub kind: ModuleKind,
    pub retired: bool,
}

/// A course's waitlist, as far as a batch can get into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Queue {
    /// Its first, in their order: at least as many active members as the batch may free seats, if there are so many.
    pub first: BTreeSet<(Moment, EnrollmentId, UserId)>,
    /// Since when the last of all waits.
    pub tail: Option<Moment>,
}

/// All that the decisions of a batch change. Rows that were there before stand in `updated`, others in `added`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub added: BTreeMap<EnrollmentId, EnrollmentRow>,
    pub updated: BTreeMap<EnrollmentId, EnrollmentRow>,
    pub modules_added: BTreeMap<ModuleEnrollmentId, ModuleEnrollmentRow>,
    pub modules_updated: BTreeMap<ModuleEnrollmentId, ModuleEnrollmentRow>,
    pub certificates_added: BTreeMap<CertificateId, CertificateRow>,
    pub certificates_updated: BTreeMap<CertificateId, CertificateRow>,
    /// The courses whose counters moved.
    pub courses: BTreeMap<CourseId, CourseRow>,
    pub events: Vec<NewEvent>,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decided {
    pub row: EnrollmentRow,
    /// The place on the waitlist, of one that has just joined it.
    pub position: Option<i32>,
    /// The module that the command was about.
    pub module: Option<ModuleEnrollmentRow>,
}

impl From<EnrollmentRow> for Decided {
    fn from(row: EnrollmentRow) -> Self {
        Decided { row, position: None, module: None }
    }
}

/// Decides one command: the first gate that refuses is the answer, and a refusal changes nothing.
pub(crate) fn decide(
    facts: &mut Facts,
    changes: &mut Changes,
    now: Moment,
    command: &Command,
) -> Result<Decided> {
    if let Some(refusal) = gates(facts, now, command).into_iter().next() {
        return Err(refusal);
    }
    let mut batch = Batch { facts, changes, now };
    match &command.wish {
        Wish::Enroll { notes, .. } => batch.enroll(command, notes.as_ref()),
        Wish::Unenroll { reason } => batch.unenroll(command, reason.as_ref()),
        Wish::Promote => batch.promote(&command.by, command.course_id, command.subject.user_id()),
        Wish::Complete { score, waiver } => batch.complete(command, *score, waiver.as_ref()),
        Wish::Expire | Wish::RunOut => batch.expire(command),
        Wish::Remind => batch.remind(command),
        Wish::Revoke { reason } => batch.revoke(command, reason),
        Wish::EndMembership => batch.end_membership(command),
        Wish::GiveUpWaiting => batch.give_up_waiting(command),
        Wish::SetNotes { notes, .. } => batch.set_notes(command, notes.clone()),
        Wish::StartModule(module) => batch.start_module(command, *module),
        Wish::CompleteModule(module) => batch.complete_module(command, *module),
        Wish::AssignModule(module) => batch.assign_module(command, *module),
        Wish::UnassignModule(module) => batch.unassign_module(command, *module),
    }
}

/// A batch of decisions at work: each lets facts and changes follow.
struct Batch<'b> {
    facts: &'b mut Facts,
    changes: &'b mut Changes,
    /// The moment all of its decisions are of.
    now: Moment,
}

impl Batch<'_> {
    /// A course that a gate has found.
    fn course(&self, id: CourseId) -> Result<&CourseRow> {
        self.facts.courses.get(&id).ok_or_else(|| Error::internal("a decision about a course not loaded"))
    }

    /// An enrollment that a gate has found.
    fn row(&self, course_id: CourseId, user_id: UserId) -> Result<EnrollmentRow> {
        let row = self.facts.enrollments.get(&(course_id, user_id)).cloned();
        row.ok_or_else(|| Error::internal("a decision about an enrollment not loaded"))
    }

    /// The enrollment that a command is about.
    fn row_of(&self, command: &Command) -> Result<EnrollmentRow> {
        self.row(command.course_id, command.subject.user_id())
    }

    /// The same row, changed once more.
    fn changed(&self, row: EnrollmentRow) -> EnrollmentRow {
        EnrollmentRow { updated_at: self.now, version: row.version + 1, ..row }
    }
}

#[cfg(test)]
mod tests;
