//! The guards, one a rule, and which of them stand before which wish.

use super::reminders::ending;
use super::{Command, Facts, Step, Wish, is_transition};
use crate::course::{CourseRow, CourseStatus, EnrollmentMode, ModuleKind};
use crate::enrollment::{EnrollmentRow, EnrollmentStatus};
use crate::error::{Code, Error, Reason, Result, Rule};
use crate::member::{MembershipStatus, Role};
use crate::module::{ModuleEnrollmentRow, Removal};
use crate::policy::Subject;
use crate::values::{CourseId, ModuleId, Moment, Score, UserId};

/// Everything that refuses a command, in the order in which the first is its answer. Without course or person there is
/// nothing more to be said.
pub(crate) fn gates(facts: &Facts, now: Moment, command: &Command) -> Vec<Error> {
    let user_id = command.subject.user_id();
    let (course, (role, membership)) = match valid_course_id(facts, command.course_id)
        .and_then(|course| Ok((course, valid_user_id(facts, user_id)?)))
    {
        Ok(found) => found,
        Err(refusal) => return vec![refusal],
    };
    let row = facts.enrollments.get(&(course.id, user_id));
    let mut gates = vec![coordinator_proxy_enrollment_allowed(command.subject, role)];
    match (&command.wish, row) {
        (Wish::Enroll { waitlist, .. }, _) => gates.extend([
            tenant_scoped_access(membership),
            unique_enrollment_per_user_per_course(facts, row, command, now),
            no_tombstone(row, command),
            published(course),
            open_to_learners(course, command),
            within_window(course, now),
            seat_or_waitlist(course, row, *waitlist),
        ]),
        (_, None) => gates.push(Err(Error::not_found())),
        (Wish::Unenroll { .. }, Some(row)) => gates.extend([
            open_to_learners(course, command),
            status_transition_enforcement(row.status, Step::Unenroll, EnrollmentStatus::Cancelled),
        ]),
        (Wish::Promote, Some(row)) => gates.extend([
            status_transition_enforcement(row.status, Step::Promote, EnrollmentStatus::Enrolled),
            tenant_scoped_access(membership),
            published(course),
            not_ended(course, now),
            seat_left(course),
        ]),
        (Wish::Complete { score, waiver }, Some(row)) => {
            gates.push(status_transition_enforcement(
                standing(row, now),
                Step::Complete,
                EnrollmentStatus::Completed,
            ));
            if waiver.is_none() {
                gates.extend([every_module_completed(row), pass_score_reached(course, *score)]);
            }
        }
        (Wish::Expire, Some(row)) => {
            gates.push(status_transition_enforcement(row.status, Step::Expire, EnrollmentStatus::Expired));
        }
        (Wish::RunOut, Some(row)) => gates.extend([
            status_transition_enforcement(row.status, Step::Expire, EnrollmentStatus::Expired),
            access_has_ended(row, now),
        ]),
        (Wish::Remind, Some(row)) => {
            gates.extend([tenant_scoped_access(membership), expiry_reminder_scheduling(facts, row, now)]);
        }
        (Wish::GiveUpWaiting, Some(row)) => gates.extend([only_waiting(row), course_has_ended(course, now)]),
        (Wish::Revoke { .. }, Some(row)) => {
            gates.push(status_transition_enforcement(row.status, Step::Revoke, EnrollmentStatus::Cancelled));
        }
        (Wish::EndMembership, Some(row)) => {
            gates.push(status_transition_enforcement(
                row.status,
                Step::Unenroll,
                EnrollmentStatus::Cancelled,
            ));
        }
        (Wish::SetNotes { version, .. }, Some(row)) => gates.push(as_it_was_read(row, *version)),
        (Wish::StartModule(module), Some(row)) => gates.extend([
            of_the_course(facts, course, *module),
            takes_progress(facts, row, *module, now, |module| module.started_at.is_some()),
            given(facts, row, *module),
        ]),
        (Wish::CompleteModule(module), Some(row)) => gates.extend([
            of_the_course(facts, course, *module),
            completed_by_learners(facts, course, *module, command.subject),
            takes_progress(facts, row, *module, now, |module| module.completed_at.is_some()),
            given(facts, row, *module),
        ]),
        (Wish::AssignModule(module), Some(row)) => gates.extend([
            of_the_course(facts, course, *module),
            under_way(row, now),
            not_retired(facts, row, *module),
        ]),
        (Wish::UnassignModule(module), Some(row)) => gates.extend([
            of_the_course(facts, course, *module),
            under_way(row, now),
            given_or_taken_away(facts, row, *module),
        ]),
    }
    gates.into_iter().filter_map(Result::err).collect()
}

pub(super) fn valid_course_id(facts: &Facts, course_id: CourseId) -> Result<&CourseRow> {
    facts.courses.get(&course_id).ok_or_else(|| Error::not_found().by_rule(Rule::ValidCourseId))
}

pub(super) fn valid_user_id(facts: &Facts, user_id: UserId) -> Result<(Role, MembershipStatus)> {
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

/// D2, D8: cancelled and expired enrollments may be taken up again, and a completed one whose certificate has expired;
/// others stand. To a cohort whatever was completed is done.
fn unique_enrollment_per_user_per_course(
    facts: &Facts,
    existing: Option<&EnrollmentRow>,
    command: &Command,
    now: Moment,
) -> Result<()> {
    let Some(row) = existing else { return Ok(()) };
    match row.status {
        EnrollmentStatus::Cancelled | EnrollmentStatus::Expired => Ok(()),
        EnrollmentStatus::Completed
            if command.by.cohort.is_none() && certificate_expired(facts, row, now) =>
        {
            Ok(())
        }
        status
        @ (EnrollmentStatus::Enrolled | EnrollmentStatus::Waitlisted | EnrollmentStatus::Completed) => {
            Err(Reason::AlreadyEnrolled { enrollment_id: row.id, status }.into())
        }
    }
}

fn certificate_expired(facts: &Facts, row: &EnrollmentRow, now: Moment) -> bool {
    let certificate = row.certificate_id.and_then(|id| facts.certificates.get(&id));
    certificate.and_then(|certificate| certificate.expires_at).is_some_and(|at| at <= now)
}

/// D20: a cohort leaves alone what a person cancelled.
fn no_tombstone(existing: Option<&EnrollmentRow>, command: &Command) -> Result<()> {
    match existing {
        Some(row) if row.tombstone && command.by.cohort.is_some() => Err(Reason::Tombstone.into()),
        Some(_) | None => Ok(()),
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

/// Whoever waits has asked in time: a seat is given to them as long as there is access to be had.
fn not_ended(course: &CourseRow, now: Moment) -> Result<()> {
    match course.ends_at.filter(|at| *at <= now) {
        Some(closed_at) => Err(Reason::Closed { closed_at }.into()),
        None => Ok(()),
    }
}

/// Whether a seat that is free goes to those who wait (D11, D16).
pub(super) fn promotes(course: &CourseRow, now: Moment) -> bool {
    published(course).is_ok() && not_ended(course, now).is_ok() && course.has_seat()
}

/// D10, D11: whether there is a seat for this newcomer: nobody is overbooked, and nobody jumps a queue. Whoever completed
/// the course holds a seat already, and in a course without a limit there is one for all.
pub(super) fn has_seat_for(course: &CourseRow, existing: Option<&EnrollmentRow>) -> bool {
    let holds_one = existing.is_some_and(|row| row.status == EnrollmentStatus::Completed);
    holds_one || course.capacity.is_none() || (course.waitlisted_count == 0 && course.has_seat())
}

fn seat_or_waitlist(course: &CourseRow, existing: Option<&EnrollmentRow>, would_wait: bool) -> Result<()> {
    match course.capacity {
        Some(capacity) if !(has_seat_for(course, existing) || (course.waitlist && would_wait)) => {
            Err(Reason::CourseFull { capacity }.into())
        }
        Some(_) | None => Ok(()),
    }
}

/// D10.
fn seat_left(course: &CourseRow) -> Result<()> {
    match course.capacity {
        Some(capacity) if !course.has_seat() => Err(Reason::CourseFull { capacity }.into()),
        Some(_) | None => Ok(()),
    }
}

fn status_transition_enforcement(from: EnrollmentStatus, step: Step, to: EnrollmentStatus) -> Result<()> {
    match is_transition(Some(from), step, to) {
        true => Ok(()),
        false => Err(Reason::InvalidTransition { from, to }.into()),
    }
}

/// D7: an enrollment whose access has ended is expired, whether its status says so already or not.
fn standing(row: &EnrollmentRow, now: Moment) -> EnrollmentStatus {
    match row.status {
        EnrollmentStatus::Enrolled if row.expires_at.is_some_and(|at| at <= now) => EnrollmentStatus::Expired,
        status => status,
    }
}

/// D7: by itself only what has run out of time expires.
fn access_has_ended(row: &EnrollmentRow, now: Moment) -> Result<()> {
    match standing(row, now) {
        EnrollmentStatus::Expired => Ok(()),
        from @ (EnrollmentStatus::Enrolled
        | EnrollmentStatus::Waitlisted
        | EnrollmentStatus::Completed
        | EnrollmentStatus::Cancelled) => {
            Err(Reason::InvalidTransition { from, to: EnrollmentStatus::Expired }.into())
        }
    }
}

fn only_waiting(row: &EnrollmentRow) -> Result<()> {
    match row.status {
        EnrollmentStatus::Waitlisted => Ok(()),
        from @ (EnrollmentStatus::Enrolled
        | EnrollmentStatus::Completed
        | EnrollmentStatus::Cancelled
        | EnrollmentStatus::Expired) => {
            Err(Reason::InvalidTransition { from, to: EnrollmentStatus::Cancelled }.into())
        }
    }
}

fn course_has_ended(course: &CourseRow, now: Moment) -> Result<()> {
    match not_ended(course, now) {
        Err(_) => Ok(()),
        Ok(()) => Err(Reason::InvalidTransition {
            from: EnrollmentStatus::Waitlisted,
            to: EnrollmentStatus::Cancelled,
        }
        .into()),
    }
}

/// D22: something ends, a reminder of it is due, and the last one was sent long enough ago.
fn expiry_reminder_scheduling(facts: &Facts, row: &EnrollmentRow, now: Moment) -> Result<()> {
    match ending(facts, row)
        .is_some_and(|ending| ending.is_to_be_reminded_of(&facts.reminder_leads, row, now))
    {
        true => Ok(()),
        false => {
            Err(Error::new(Code::Conflict, "No reminder is due.").by_rule(Rule::ExpiryReminderScheduling))
        }
    }
}

/// D12.
fn every_module_completed(row: &EnrollmentRow) -> Result<()> {
    match row.modules_total - row.modules_completed {
        0 => Ok(()),
        missing => Err(Reason::ModulesIncomplete { missing }.into()),
    }
}

/// D12.
fn pass_score_reached(course: &CourseRow, score: Option<Score>) -> Result<()> {
    match course.pass_score {
        Some(pass_score) if score.is_none_or(|score| score < pass_score) => {
            Err(Reason::BelowPassScore { pass_score }.into())
        }
        Some(_) | None => Ok(()),
    }
}

fn as_it_was_read(row: &EnrollmentRow, version: Option<i32>) -> Result<()> {
    match version {
        Some(version) if version != row.version => {
            Err(Reason::VersionMismatch { current: row.version }.into())
        }
        Some(_) | None => Ok(()),
    }
}

/// D17: a module of another course is as one that does not exist.
fn of_the_course(facts: &Facts, course: &CourseRow, module: ModuleId) -> Result<()> {
    match facts.modules.get(&course.id).is_some_and(|modules| modules.contains_key(&module)) {
        true => Ok(()),
        false => Err(Error::not_found()),
    }
}

/// Only an enrollment in a seat makes progress.
fn under_way(row: &EnrollmentRow, now: Moment) -> Result<()> {
    match standing(row, now) {
        EnrollmentStatus::Enrolled => Ok(()),
        from @ (EnrollmentStatus::Waitlisted
        | EnrollmentStatus::Completed
        | EnrollmentStatus::Cancelled
        | EnrollmentStatus::Expired) => {
            Err(Reason::InvalidTransition { from, to: EnrollmentStatus::Enrolled }.into())
        }
    }
}

/// To say again what is recorded already is no progress, and allowed after completion too.
fn takes_progress(
    facts: &Facts,
    row: &EnrollmentRow,
    module: ModuleId,
    now: Moment,
    is_recorded: fn(&ModuleEnrollmentRow) -> bool,
) -> Result<()> {
    let repeated = row.status == EnrollmentStatus::Completed
        && module_of(facts, row, module).is_some_and(|module| !module.soft_deleted && is_recorded(module));
    if repeated { Ok(()) } else { under_way(row, now) }
}

fn module_of<'f>(facts: &'f Facts, row: &EnrollmentRow, module: ModuleId) -> Option<&'f ModuleEnrollmentRow> {
    facts.module_enrollments.get(&row.id)?.iter().find(|had| had.module_id == module)
}

/// D14: whoever does not have the module has nothing to start or complete.
fn given(facts: &Facts, row: &EnrollmentRow, module: ModuleId) -> Result<()> {
    match module_of(facts, row, module).map(|module| module.removed_because) {
        // The enrollment's own status has been answered for.
        Some(None | Some(Removal::EnrollmentCancelled)) => Ok(()),
        Some(Some(Removal::ModuleRetired | Removal::Unassigned)) | None => Err(Error::not_found()),
    }
}

fn given_or_taken_away(facts: &Facts, row: &EnrollmentRow, module: ModuleId) -> Result<()> {
    match module_of(facts, row, module).map(|module| module.removed_because) {
        Some(None | Some(Removal::EnrollmentCancelled | Removal::Unassigned)) => Ok(()),
        Some(Some(Removal::ModuleRetired)) | None => Err(Error::not_found()),
    }
}

/// A retired module is given to nobody who does not have it.
fn not_retired(facts: &Facts, row: &EnrollmentRow, module: ModuleId) -> Result<()> {
    let retired = facts.modules.get(&row.course_id).and_then(|modules| modules.get(&module));
    match retired.is_some_and(|module| module.retired) && given(facts, row, module).is_err() {
        true => Err(Error::invalid_input("moduleId", "the module is retired")),
        false => Ok(()),
    }
}

/// Lessons, surveys and webinars are completed by those who take them; what has a result is recorded by a service.
fn completed_by_learners(
    facts: &Facts,
    course: &CourseRow,
    module: ModuleId,
    subject: Subject,
) -> Result<()> {
    let kind =
        facts.modules.get(&course.id).and_then(|modules| modules.get(&module)).map(|module| module.kind);
    match kind {
        Some(ModuleKind::Quiz | ModuleKind::Scorm) if subject.is_caller() => Err(Reason::RoleRequired.into()),
        Some(
            ModuleKind::Quiz
            | ModuleKind::Scorm
            | ModuleKind::Lesson
            | ModuleKind::Survey
            | ModuleKind::Webinar,
        )
        | None => Ok(()),
    }
}
