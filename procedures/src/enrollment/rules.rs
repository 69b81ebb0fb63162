//! The rules of enrolling and unenrolling: facts in, changes out, nothing else. A guard is named after its rule.
//!
//! Decisions of one batch are made one after another and see each other's effect, because each lets the facts follow.

use std::collections::{BTreeMap, BTreeSet};

mod effects;

use effects::{Moved, access_end, give_modules, reactivated, record, source, take_modules};

use super::{EnrollmentRow, EnrollmentStatus};
use crate::caller::{Actor, Insider};
use crate::course::{CourseRow, CourseStatus, EnrollmentMode};
use crate::error::{Error, Reason, Result, Rule};
use crate::event::{EventActor, EventKind, NewEvent};
use crate::member::{MembershipStatus, Role};
use crate::module::ModuleEnrollmentRow;
use crate::policy::Subject;
use crate::values::{
    CourseId, EnrollmentId, ModuleEnrollmentId, ModuleId, Moment, Notes, ReasonText, UserId,
};

/// What moves an enrollment from one status to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(test), expect(dead_code, reason = "the table is whole; not every step has its procedure yet"))]
pub(crate) enum Step {
    /// Enrolling, for the first time or again (D1 to D3).
    Enroll,
    /// Leaving a waitlist for a seat (D11).
    Promote,
    Complete,
    /// Leaving a course or a waitlist (D4, D9).
    Unenroll,
    /// The end of access before completion (D7).
    Expire,
    /// Taking a completion back (D5).
    Revoke,
}

/// The transition table: rule `status_transition_enforcement`. `None` as `from` is a first enrollment.
///
/// A completed enrollment is enrolled anew only if its certificate has expired (D8); that gate is the caller's.
pub(crate) fn is_transition(from: Option<EnrollmentStatus>, step: Step, to: EnrollmentStatus) -> bool {
    use EnrollmentStatus::{Cancelled, Completed, Enrolled, Expired, Waitlisted};
    match (step, from, to) {
        (Step::Enroll, None | Some(Cancelled | Expired | Completed), Enrolled | Waitlisted) => true,
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

/// One person's wish about one enrollment.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub course_id: CourseId,
    pub subject: Subject,
    pub by: By,
    pub wish: Wish,
}

#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Enroll { notes: Option<Notes> },
    Unenroll { reason: Option<ReasonText> },
}

/// Who acts, as records and events keep it.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub actor: EventActor,
    /// The person, if it is one.
    pub user_id: Option<UserId>,
    /// The role they act by, if they act by one.
    pub role: Option<Role>,
    pub request_id: String,
}

impl By {
    pub fn of(caller: &Insider, request_id: &str) -> Self {
        let role = match &caller.actor {
            // A global admin acts as one, whatever their role here.
            Actor::Person(person) => person.role.filter(|_| !person.global_admin),
            Actor::Service(_) => None,
        };
        By {
            actor: EventActor::of(caller),
            user_id: caller.user_id(),
            role,
            request_id: request_id.to_owned(),
        }
    }
}

/// All that the decisions of a batch need to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub courses: BTreeMap<CourseId, CourseRow>,
    pub members: BTreeMap<UserId, (Role, MembershipStatus)>,
    pub enrollments: BTreeMap<(CourseId, UserId), EnrollmentRow>,
    /// The modules of each course that are not retired.
    pub modules: BTreeMap<CourseId, BTreeSet<ModuleId>>,
    pub module_enrollments: BTreeMap<EnrollmentId, Vec<ModuleEnrollmentRow>>,
}

/// All that the decisions of a batch change. Rows that were there before stand in `updated`, others in `added`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub added: BTreeMap<EnrollmentId, EnrollmentRow>,
    pub updated: BTreeMap<EnrollmentId, EnrollmentRow>,
    pub modules_added: BTreeMap<ModuleEnrollmentId, ModuleEnrollmentRow>,
    pub modules_updated: BTreeMap<ModuleEnrollmentId, ModuleEnrollmentRow>,
    /// The courses whose counters moved.
    pub courses: BTreeMap<CourseId, CourseRow>,
    pub events: Vec<NewEvent>,
}

/// Decides one command. A refusal changes nothing.
pub(crate) fn decide(
    facts: &mut Facts,
    changes: &mut Changes,
    now: Moment,
    command: &Command,
) -> Result<EnrollmentRow> {
    match &command.wish {
        Wish::Enroll { notes } => enroll(facts, changes, now, command, notes.as_ref()),
        Wish::Unenroll { reason } => unenroll(facts, changes, now, command, reason.as_ref()),
    }
}

fn enroll(
    facts: &mut Facts,
    changes: &mut Changes,
    now: Moment,
    command: &Command,
    notes: Option<&Notes>,
) -> Result<EnrollmentRow> {
    let user_id = command.subject.user_id();
    let course = valid_course_id(facts, command.course_id)?;
    let (role, membership) = valid_user_id(facts, user_id)?;
    coordinator_proxy_enrollment_allowed(command.subject, role)?;
    tenant_scoped_access(membership)?;
    let existing = facts.enrollments.get(&(course.id, user_id));
    unique_enrollment_per_user_per_course(existing)?;
    published(course)?;
    open_to_learners(course, command)?;
    within_window(course, now)?;
    seat_left(course)?;

    let from = existing.map(|row| row.status);
    let row = EnrollmentRow {
        status: EnrollmentStatus::Enrolled,
        enrolled_at: now,
        updated_at: now,
        enrolled_by_user_id: command.by.user_id.filter(|_| !command.subject.is_caller()),
        source: source(command),
        expires_at: access_end(course, now),
        ..match existing {
            Some(row) => reactivated(row, notes),
            None => EnrollmentRow::first(course, user_id, now, notes),
        }
    };
    let kind = if from.is_some() { EventKind::Reactivated } else { EventKind::Enrolled };
    let row = give_modules(facts, changes, now, row);
    record(facts, changes, command, Moved { from, step: Step::Enroll, kind, reason: None }, row)
}

fn unenroll(
    facts: &mut Facts,
    changes: &mut Changes,
    now: Moment,
    command: &Command,
    reason: Option<&ReasonText>,
) -> Result<EnrollmentRow> {
    let user_id = command.subject.user_id();
    let course = valid_course_id(facts, command.course_id)?;
    let (role, _) = valid_user_id(facts, user_id)?;
    coordinator_proxy_enrollment_allowed(command.subject, role)?;
    let existing = facts.enrollments.get(&(course.id, user_id)).ok_or_else(Error::not_found)?;
    open_to_learners(course, command)?;
    status_transition_enforcement(existing.status, Step::Unenroll, EnrollmentStatus::Cancelled)?;

    let moved = Moved {
        from: Some(existing.status),
        step: Step::Unenroll,
        kind: EventKind::Cancelled,
        reason: reason.map(ToString::to_string),
    };
    let row = EnrollmentRow {
        status: EnrollmentStatus::Cancelled,
        cancelled_at: Some(now),
        updated_at: now,
        version: existing.version + 1,
        ..existing.clone()
    };
    take_modules(facts, changes, &row);
    record(facts, changes, command, moved, row)
}

// The guards, one a rule.

fn valid_course_id(facts: &Facts, course_id: CourseId) -> Result<&CourseRow> {
    facts.courses.get(&course_id).ok_or_else(|| Error::not_found().by_rule(Rule::ValidCourseId))
}

fn valid_user_id(facts: &Facts, user_id: UserId) -> Result<(Role, MembershipStatus)> {
    facts.members.get(&user_id).copied().ok_or_else(|| Error::not_found().by_rule(Rule::ValidUserId))
}

/// D21: a coordinator enrolls and unenrolls learners alone.
fn coordinator_proxy_enrollment_allowed(subject: Subject, role: Role) -> Result<()> {
    match subject.must_be_learner() && role != Role::Learner {
        true => Err(Error::from(Reason::RoleRequired).by_rule(Rule::CoordinatorProxyEnrollmentAllowed)),
        false => Ok(()),
    }
}

/// D19, D21: only an active member is enrolled.
fn tenant_scoped_access(membership: MembershipStatus) -> Result<()> {
    match membership {
        MembershipStatus::Active => Ok(()),
        MembershipStatus::Suspended | MembershipStatus::Ended => Err(Reason::NotAMember.into()),
    }
}

/// D2: cancelled and expired enrollments may be taken up again, active ones stand.
fn unique_enrollment_per_user_per_course(existing: Option<&EnrollmentRow>) -> Result<()> {
    match existing.map(|row| (row.id, row.status)) {
        None | Some((_, EnrollmentStatus::Cancelled | EnrollmentStatus::Expired)) => Ok(()),
        Some((
            enrollment_id,
            status
            @ (EnrollmentStatus::Enrolled | EnrollmentStatus::Waitlisted | EnrollmentStatus::Completed),
        )) => Err(Reason::AlreadyEnrolled { enrollment_id, status }.into()),
    }
}

/// D16.
fn published(course: &CourseRow) -> Result<()> {
    match course.status {
        CourseStatus::Published => Ok(()),
        CourseStatus::Draft | CourseStatus::Archived => Err(Reason::CourseNotPublished.into()),
    }
}

/// D20: in a managed course, learners neither enroll nor unenroll themselves.
fn open_to_learners(course: &CourseRow, command: &Command) -> Result<()> {
    let learner_alone = command.subject.is_caller() && command.by.role == Some(Role::Learner);
    match course.enrollment_mode {
        EnrollmentMode::Managed if learner_alone => Err(Reason::ManagedCourse.into()),
        EnrollmentMode::Managed | EnrollmentMode::Open => Ok(()),
    }
}

/// The course takes enrollments from `opens_at` on and until `closes_at` or its end, from every source.
fn within_window(course: &CourseRow, now: Moment) -> Result<()> {
    if let Some(opens_at) = course.opens_at.filter(|at| now < *at) {
        return Err(Reason::NotOpenYet { opens_at }.into());
    }
    let closed_at = course.closes_at.into_iter().chain(course.ends_at).min();
    match closed_at.filter(|at| *at <= now) {
        Some(closed_at) => Err(Reason::Closed { closed_at }.into()),
        None => Ok(()),
    }
}

/// D10: whoever asks, a course is never overbooked.
fn seat_left(course: &CourseRow) -> Result<()> {
    match course.capacity {
        Some(capacity) if course.seats_taken() >= capacity => Err(Reason::CourseFull { capacity }.into()),
        Some(_) | None => Ok(()),
    }
}

fn status_transition_enforcement(from: EnrollmentStatus, step: Step, to: EnrollmentStatus) -> Result<()> {
    match is_transition(Some(from), step, to) {
        true => Ok(()),
        false => Err(Reason::InvalidTransition { from, to }.into()),
    }
}

#[cfg(test)]
mod tests;
