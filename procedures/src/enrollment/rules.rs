//! The rules of enrolling and unenrolling: facts in, changes out, nothing else. A guard is named after its rule.
//!
//! Decisions of one batch are made one after another and see each other's effect, because each lets the facts follow.

use std::collections::{BTreeMap, BTreeSet};

use super::{EnrollmentRow, EnrollmentStatus, Source};
use crate::caller::{Actor, Insider};
use crate::course::{CourseRow, CourseStatus, EnrollmentMode};
use crate::error::{Error, Reason, Result, Rule};
use crate::event::{EventActor, EventData, EventKind, NewEvent};
use crate::member::{MembershipStatus, Role};
use crate::module::{ModuleEnrollmentRow, Removal};
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

// The changes.

impl EnrollmentRow {
    fn first(course: &CourseRow, user_id: UserId, now: Moment, notes: Option<&Notes>) -> Self {
        EnrollmentRow {
            id: EnrollmentId::new(),
            user_id,
            course_id: course.id,
            organization_id: course.organization_id,
            status: EnrollmentStatus::Enrolled,
            enrolled_at: now,
            completed_at: None,
            cancelled_at: None,
            completion_score: None,
            enrolled_by_user_id: None,
            certificate_id: None,
            reminder_sent_at: None,
            notes: notes.cloned(),
            created_at: now,
            updated_at: now,
            source: Source::Myself,
            source_ref: None,
            started_at: None,
            waitlisted_at: None,
            expires_at: None,
            attempt: 1,
            version: 1,
            modules_total: 0,
            modules_completed: 0,
        }
    }
}

/// D1, D6: the same row once more, its progress kept, what belonged to the former attempt cleared.
fn reactivated(row: &EnrollmentRow, notes: Option<&Notes>) -> EnrollmentRow {
    EnrollmentRow {
        completed_at: None,
        cancelled_at: None,
        completion_score: None,
        certificate_id: None,
        reminder_sent_at: None,
        waitlisted_at: None,
        source_ref: None,
        notes: notes.or(row.notes.as_ref()).cloned(),
        attempt: row.attempt + 1,
        version: row.version + 1,
        ..row.clone()
    }
}

fn source(command: &Command) -> Source {
    match (command.by.user_id, command.subject.is_caller()) {
        (Some(_), true) => Source::Myself,
        (Some(_), false) => Source::Coordinator,
        (None, _) => Source::Integration,
    }
}

/// `access_days` from now, or the course's end, whichever comes first.
fn access_end(course: &CourseRow, now: Moment) -> Option<Moment> {
    let days = course.access_days.and_then(|days| u32::try_from(days).ok());
    days.map(|days| now.plus_days(days)).into_iter().chain(course.ends_at).min()
}

/// D15: gives an enrollment the course's current modules. Old rows come back with their progress, but for retired
/// modules and those that an admin took away; missing ones are added.
fn give_modules(facts: &mut Facts, changes: &mut Changes, now: Moment, row: EnrollmentRow) -> EnrollmentRow {
    let current = facts.modules.get(&row.course_id).cloned().unwrap_or_default();
    let had = facts.module_enrollments.entry(row.id).or_default();
    for module in had.iter_mut() {
        let removal = match module.removed_because {
            Some(Removal::Unassigned) => Some(Removal::Unassigned),
            Some(Removal::EnrollmentCancelled | Removal::ModuleRetired) | None => {
                (!current.contains(&module.module_id)).then_some(Removal::ModuleRetired)
            }
        };
        if removal != module.removed_because {
            module.remove(removal);
            changes.save_module(module.clone());
        }
    }
    let known: BTreeSet<ModuleId> = had.iter().map(|module| module.module_id).collect();
    for module_id in current.difference(&known) {
        let module = ModuleEnrollmentRow::new(&row, *module_id, now);
        had.push(module.clone());
        changes.modules_added.insert(module.id, module);
    }
    let counted = had.iter().filter(|module| !module.soft_deleted);
    let completed = counted.clone().filter(|module| module.completed_at.is_some());
    EnrollmentRow { modules_total: count(counted), modules_completed: count(completed), ..row }
}

/// D4: the modules of a cancelled enrollment are soft-deleted with it; its progress stands as it was.
fn take_modules(facts: &mut Facts, changes: &mut Changes, row: &EnrollmentRow) {
    for module in facts.module_enrollments.entry(row.id).or_default() {
        if module.removed_because.is_none() {
            module.remove(Some(Removal::EnrollmentCancelled));
            changes.save_module(module.clone());
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

/// How a row came to where it is.
struct Moved {
    from: Option<EnrollmentStatus>,
    step: Step,
    kind: EventKind,
    reason: Option<String>,
}

/// Lets facts and changes follow a decision: the row, its course's counters, its event. A decision that is not in the
/// transition table is a defect, and not written.
fn record(
    facts: &mut Facts,
    changes: &mut Changes,
    command: &Command,
    moved: Moved,
    row: EnrollmentRow,
) -> Result<EnrollmentRow> {
    let Moved { from, step, kind, reason } = moved;
    if !is_transition(from, step, row.status) {
        return Err(Error::internal(format!("{step:?} from {from:?} to {:?}", row.status)));
    }
    let course = facts
        .courses
        .get_mut(&row.course_id)
        .ok_or_else(|| Error::internal("a decision about a course that was not loaded"))?;
    if let Some(from) = from {
        *course.count_mut(from) -= 1;
    }
    *course.count_mut(row.status) += 1;
    changes.courses.insert(course.id, course.clone());
    changes.events.push(NewEvent {
        kind,
        course_id: row.course_id,
        enrollment_id: row.id,
        user_id: row.user_id,
        actor: command.by.actor,
        request_id: command.by.request_id.clone(),
        data: EventData {
            from,
            status: Some(row.status),
            attempt: Some(row.attempt),
            source: Some(row.source),
            enrolled_by_user_id: row.enrolled_by_user_id,
            reason,
        },
    });
    facts.enrollments.insert((row.course_id, row.user_id), row.clone());
    changes.save(from.is_none(), row.clone());
    Ok(row)
}

impl Changes {
    fn save(&mut self, is_new: bool, row: EnrollmentRow) {
        if is_new || self.added.contains_key(&row.id) {
            self.added.insert(row.id, row);
        } else {
            self.updated.insert(row.id, row);
        }
    }

    fn save_module(&mut self, module: ModuleEnrollmentRow) {
        match self.modules_added.contains_key(&module.id) {
            true => self.modules_added.insert(module.id, module),
            false => self.modules_updated.insert(module.id, module),
        };
    }
}

#[cfg(test)]
mod tests;
