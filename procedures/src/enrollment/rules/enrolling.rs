//! Enrolling, for the first time or again.

use super::effects::Moved;
use super::guards::has_seat_for;
use super::{Batch, Command, Decided, Step};
use crate::course::CourseRow;
use crate::enrollment::{EnrollmentRow, EnrollmentStatus, Source};
use crate::error::Result;
use crate::event::EventKind;
use crate::values::{EnrollmentId, Moment, Notes, UserId};

impl Batch<'_> {
    pub(super) fn enroll(&mut self, command: &Command, notes: Option<&Notes>) -> Result<Decided> {
        let user_id = command.subject.user_id();
        let course = self.course(command.course_id)?;
        let existing = self.facts.enrollments.get(&(course.id, user_id));
        let has_seat = has_seat_for(course, existing);
        let from = existing.map(|row| row.status);
        let fresh = match existing {
            Some(row) => reactivated(row, notes),
            None => first(course, user_id, self.now, notes),
        };
        let row = EnrollmentRow {
            enrolled_at: self.now,
            updated_at: self.now,
            enrolled_by_user_id: command.by.user_id.filter(|_| !command.subject.is_caller()),
            source: source(command),
            source_ref: command.by.cohort.map(|cohort| cohort.to_string()),
            // A tombstone stands until a person enrolls again (D20).
            tombstone: fresh.tombstone && command.by.user_id.is_none(),
            ..fresh
        };
        let row = if has_seat {
            let expires_at = access_end(course, self.now);
            let recertifies = from == Some(EnrollmentStatus::Completed);
            let row = EnrollmentRow { status: EnrollmentStatus::Enrolled, expires_at, ..row };
            self.give_modules(row, recertifies)
        } else {
            let waitlisted_at = Some(self.last_in_queue(command.course_id));
            EnrollmentRow { status: EnrollmentStatus::Waitlisted, waitlisted_at, expires_at: None, ..row }
        };
        let kind = match (from, has_seat) {
            (Some(_), true | false) => EventKind::Reactivated,
            (None, true) => EventKind::Enrolled,
            (None, false) => EventKind::Waitlisted,
        };
        let row = self.record(&command.by, Moved::new(from, Step::Enroll, kind), row)?;
        let waits = row.status == EnrollmentStatus::Waitlisted;
        let position = waits.then_some(self.course(command.course_id)?.waitlisted_count);
        Ok(Decided { row, position, module: None })
    }
}

fn first(course: &CourseRow, user_id: UserId, now: Moment, notes: Option<&Notes>) -> EnrollmentRow {
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
        tombstone: false,
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
        notes: notes.or(row.notes.as_ref()).cloned(),
        attempt: row.attempt + 1,
        version: row.version + 1,
        ..row.clone()
    }
}

fn source(command: &Command) -> Source {
    match (command.by.cohort, command.by.user_id, command.subject.is_caller()) {
        (Some(_cohort), Some(_) | None, true | false) => Source::Cohort,
        (None, Some(_person), true) => Source::Myself,
        (None, Some(_person), false) => Source::Coordinator,
        (None, None, true | false) => Source::Integration,
    }
}

/// `access_days` from now, or the course's end, whichever comes first.
pub(super) fn access_end(course: &CourseRow, now: Moment) -> Option<Moment> {
    let days = course.access_days.and_then(|days| u32::try_from(days).ok());
    days.map(|days| now.plus_days(days)).into_iter().chain(course.ends_at).min()
}
