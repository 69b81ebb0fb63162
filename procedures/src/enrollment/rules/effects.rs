//! What a decision changes: rows, module enrollments, counters, events. No rule is decided here.

use std::collections::BTreeSet;

use super::{Changes, Command, Facts, Step, is_transition};
use crate::course::CourseRow;
use crate::enrollment::{EnrollmentRow, EnrollmentStatus, Source};
use crate::error::{Error, Result};
use crate::event::{EventData, EventKind, NewEvent};
use crate::module::{ModuleEnrollmentRow, Removal};
use crate::values::{EnrollmentId, ModuleId, Moment, Notes, UserId};

impl EnrollmentRow {
    pub(super) fn first(course: &CourseRow, user_id: UserId, now: Moment, notes: Option<&Notes>) -> Self {
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
pub(super) fn reactivated(row: &EnrollmentRow, notes: Option<&Notes>) -> EnrollmentRow {
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

pub(super) fn source(command: &Command) -> Source {
    match (command.by.user_id, command.subject.is_caller()) {
        (Some(_), true) => Source::Myself,
        (Some(_), false) => Source::Coordinator,
        (None, _) => Source::Integration,
    }
}

/// `access_days` from now, or the course's end, whichever comes first.
pub(super) fn access_end(course: &CourseRow, now: Moment) -> Option<Moment> {
    let days = course.access_days.and_then(|days| u32::try_from(days).ok());
    days.map(|days| now.plus_days(days)).into_iter().chain(course.ends_at).min()
}

/// D15: gives an enrollment the course's current modules. Old rows come back with their progress, but for retired
/// modules and those that an admin took away; missing ones are added.
pub(super) fn give_modules(
    facts: &mut Facts,
    changes: &mut Changes,
    now: Moment,
    row: EnrollmentRow,
) -> EnrollmentRow {
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
pub(super) fn take_modules(facts: &mut Facts, changes: &mut Changes, row: &EnrollmentRow) {
    for module in facts.module_enrollments.entry(row.id).or_default() {
        if module.removed_because.is_none() {
            module.remove(Some(Removal::EnrollmentCancelled));
            changes.save_module(module.clone());
        }
    }
}

pub(super) fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

/// How a row came to where it is.
pub(super) struct Moved {
    pub from: Option<EnrollmentStatus>,
    pub step: Step,
    pub kind: EventKind,
    pub reason: Option<String>,
}

/// Lets facts and changes follow a decision: the row, its course's counters, its event. A decision that is not in the
/// transition table is a defect, and not written.
pub(super) fn record(
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
