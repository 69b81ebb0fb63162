//! Progress: modules started and completed, the course completed, and what is noted about it.

use super::effects::{Moved, count};
use super::{Batch, By, Command, Decided, Step};
use crate::certificate::CertificateRow;
use crate::enrollment::{EnrollmentRow, EnrollmentStatus};
use crate::error::{Error, Result};
use crate::event::{EventData, EventKind};
use crate::module::ModuleEnrollmentRow;
use crate::values::{ModuleId, Notes, ReasonText, Score};

impl Batch<'_> {
    /// D12, D13: the completion with its certificate, rule `certificate_issued_on_completion`.
    pub(super) fn complete(
        &mut self,
        command: &Command,
        score: Option<Score>,
        waiver: Option<&ReasonText>,
    ) -> Result<Decided> {
        let row = self.row_of(command)?;
        let reason = waiver.map(ToString::to_string);
        Ok(self.completed(&command.by, row, score, reason)?.into())
    }

    fn completed(
        &mut self,
        by: &By,
        row: EnrollmentRow,
        score: Option<Score>,
        reason: Option<String>,
    ) -> Result<EnrollmentRow> {
        let from = Some(row.status);
        // A clock that was set back does not make a completion precede its enrollment.
        let at = self.now.max(row.enrolled_at);
        let course = self.course(row.course_id)?;
        let certificate = course.certificate.then(|| CertificateRow::issued(course, &row, at));
        let row = EnrollmentRow {
            status: EnrollmentStatus::Completed,
            completed_at: Some(at),
            completion_score: score,
            certificate_id: certificate.as_ref().map(|certificate| certificate.id),
            ..self.changed(row)
        };
        let moved = Moved { score, reason, ..Moved::new(from, Step::Complete, EventKind::Completed) };
        let row = self.record(by, moved, row)?;
        if let Some(certificate) = certificate {
            let data = EventData { certificate_id: Some(certificate.id), ..EventData::default() };
            self.tell(by, EventKind::CertificateIssued, &row, data);
            self.facts.certificates.insert(certificate.id, certificate.clone());
            self.changes.certificates_added.insert(certificate.id, certificate);
        }
        Ok(row)
    }

    pub(super) fn set_notes(&mut self, command: &Command, notes: Option<Notes>) -> Result<Decided> {
        let row = self.row_of(command)?;
        let row = EnrollmentRow { notes, ..self.changed(row) };
        self.keep(&row);
        self.tell(&command.by, EventKind::NotesSet, &row, EventData::default());
        Ok(row.into())
    }

    /// Starting twice changes nothing.
    pub(super) fn start_module(&mut self, command: &Command, module: ModuleId) -> Result<Decided> {
        let now = self.now;
        self.progressed(command, module, EventKind::ModuleStarted, |module| {
            let first = module.started_at.is_none();
            module.started_at = module.started_at.or(Some(now));
            first
        })
    }

    /// Completing twice changes nothing. The last module completes the course where the course says so (D12), unless a
    /// score is wanted too.
    pub(super) fn complete_module(&mut self, command: &Command, module: ModuleId) -> Result<Decided> {
        let now = self.now;
        let before = self.row_of(command)?.modules_completed;
        let decided = self.progressed(command, module, EventKind::ModuleCompleted, |module| {
            let first = module.completed_at.is_none();
            module.started_at = module.started_at.or(Some(now));
            module.completed_at = module.completed_at.or(Some(now));
            first
        })?;
        let row = &decided.row;
        let course = self.course(row.course_id)?;
        let is_last = row.modules_completed > before && row.modules_completed == row.modules_total;
        if !(is_last && course.auto_complete && course.pass_score.is_none()) {
            return Ok(decided);
        }
        let system = By::system(&command.by.request_id);
        let row = self.completed(&system, decided.row, None, None)?;
        Ok(Decided { row, ..decided })
    }

    fn progressed(
        &mut self,
        command: &Command,
        module_id: ModuleId,
        kind: EventKind,
        progress: impl FnOnce(&mut ModuleEnrollmentRow) -> bool,
    ) -> Result<Decided> {
        let row = self.row_of(command)?;
        let had = self.facts.module_enrollments.entry(row.id).or_default();
        let module = had.iter_mut().find(|module| module.module_id == module_id);
        let module = module.ok_or_else(|| Error::internal("progress in a module not loaded"))?;
        let is_progress = progress(module);
        let module = module.clone();
        if !is_progress {
            return Ok(Decided { module: Some(module), ..row.into() });
        }
        self.changes.save_module(module.clone());
        let started_at = row.started_at.or(module.started_at);
        let row = self.counted(EnrollmentRow { started_at, ..self.changed(row) });
        self.keep(&row);
        let data = EventData { module_id: Some(module_id), ..EventData::default() };
        self.tell(&command.by, kind, &row, data);
        Ok(Decided { module: Some(module), ..row.into() })
    }

    /// The row with its modules counted anew: `completed / total` is its progress, without those taken away.
    pub(super) fn counted(&self, row: EnrollmentRow) -> EnrollmentRow {
        let had = self.facts.module_enrollments.get(&row.id).map_or(&[][..], Vec::as_slice);
        let given = had.iter().filter(|module| !module.soft_deleted);
        let completed = given.clone().filter(|module| module.completed_at.is_some());
        EnrollmentRow { modules_total: count(given), modules_completed: count(completed), ..row }
    }
}
