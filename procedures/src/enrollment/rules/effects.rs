//! How facts and changes follow a decision: rows, counters, queues, events. No rule is decided here.

use super::{Batch, By, Changes, Queue, Step, is_transition};
use crate::certificate::CertificateRow;
use crate::enrollment::{EnrollmentRow, EnrollmentStatus};
use crate::error::{Error, Result};
use crate::event::{EventData, EventKind, NewEvent};
use crate::module::ModuleEnrollmentRow;
use crate::values::{CourseId, Score};

/// How a row came to where it is.
pub(super) struct Moved {
    pub from: Option<EnrollmentStatus>,
    pub step: Step,
    pub kind: EventKind,
    pub score: Option<Score>,
    pub reason: Option<String>,
}

impl Moved {
    pub fn new(from: Option<EnrollmentStatus>, step: Step, kind: EventKind) -> Self {
        Moved { from, step, kind, score: None, reason: None }
    }
}

impl Batch<'_> {
    /// Records a move from one status to another: the row, its course's counters and queue, its event. A move that is
    /// not in the transition table is a defect, and not written.
    pub(super) fn record(&mut self, by: &By, moved: Moved, row: EnrollmentRow) -> Result<EnrollmentRow> {
        let Moved { from, step, kind, score, reason } = moved;
        if !is_transition(from, step, row.status) {
            return Err(Error::internal(format!("{step:?} from {from:?} to {:?}", row.status)));
        }
        let course = self
            .facts
            .courses
            .get_mut(&row.course_id)
            .ok_or_else(|| Error::internal("a decision about a course that was not loaded"))?;
        course.count_moved(from, row.status);
        self.changes.courses.insert(course.id, course.clone());
        self.requeue(&row);
        let data = EventData {
            from,
            status: Some(row.status),
            attempt: Some(row.attempt),
            source: Some(row.source),
            enrolled_by_user_id: row.enrolled_by_user_id,
            score,
            reason,
            ..EventData::default()
        };
        self.tell(by, kind, &row, data);
        self.facts.enrollments.insert((row.course_id, row.user_id), row.clone());
        self.changes.save(from.is_none(), row.clone());
        Ok(row)
    }

    /// Lets the course's queue follow a row that joins or leaves it.
    fn requeue(&mut self, row: &EnrollmentRow) {
        let before = self.facts.enrollments.get(&(row.course_id, row.user_id));
        let place = |row: &EnrollmentRow| {
            let waits = row.status == EnrollmentStatus::Waitlisted;
            row.waitlisted_at.filter(|_| waits).map(|since| (since, row.id, row.user_id))
        };
        let (left, joined) = (before.and_then(place), place(row));
        let queue = self.queue(row.course_id);
        if let Some(left) = left {
            queue.first.remove(&left);
        }
        if let Some(joined) = joined {
            queue.first.insert(joined);
            queue.tail = Some(joined.0);
        }
    }

    pub(super) fn queue(&mut self, course_id: CourseId) -> &mut Queue {
        self.facts.queues.entry(course_id).or_default()
    }

    /// Keeps a row that was there before and has not changed its status.
    pub(super) fn keep(&mut self, row: &EnrollmentRow) {
        self.facts.enrollments.insert((row.course_id, row.user_id), row.clone());
        self.changes.save(false, row.clone());
    }

    /// Adds an event about an enrollment.
    pub(super) fn tell(&mut self, by: &By, kind: EventKind, row: &EnrollmentRow, data: EventData) {
        self.changes.events.push(NewEvent {
            kind,
            course_id: row.course_id,
            enrollment_id: row.id,
            user_id: row.user_id,
            actor: by.actor,
            request_id: by.request_id.clone(),
            data,
        });
    }
}

impl Changes {
    fn save(&mut self, is_new: bool, row: EnrollmentRow) {
        if is_new || self.added.contains_key(&row.id) {
            self.added.insert(row.id, row);
        } else {
            self.updated.insert(row.id, row);
        }
    }

    pub(super) fn save_module(&mut self, module: ModuleEnrollmentRow) {
        match self.modules_added.contains_key(&module.id) {
            true => self.modules_added.insert(module.id, module),
            false => self.modules_updated.insert(module.id, module),
        };
    }

    pub(super) fn save_certificate(&mut self, certificate: CertificateRow) {
        match self.certificates_added.contains_key(&certificate.id) {
            true => self.certificates_added.insert(certificate.id, certificate),
            false => self.certificates_updated.insert(certificate.id, certificate),
        };
    }
}

pub(super) fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}
