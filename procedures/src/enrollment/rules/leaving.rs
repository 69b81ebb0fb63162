//! Leaving: by oneself, with the membership, when access ends, and when a completion is taken back.

use super::effects::Moved;
use super::{Batch, By, Command, Decided, Step};
use crate::enrollment::{EnrollmentRow, EnrollmentStatus};
use crate::error::{Error, Result};
use crate::event::{EventData, EventKind};
use crate::values::ReasonText;

impl Batch<'_> {
    pub(super) fn unenroll(&mut self, command: &Command, reason: Option<&ReasonText>) -> Result<Decided> {
        let row = self.row_of(command)?;
        let reason = reason.map(ToString::to_string);
        self.leave(&command.by, row, Step::Unenroll, EventKind::Cancelled, reason)
    }

    /// D19: no tombstone, because it is not a person who cancels.
    pub(super) fn end_membership(&mut self, command: &Command) -> Result<Decided> {
        let row = self.row_of(command)?;
        let system = By::system(&command.by.request_id);
        self.leave(&system, row, Step::Unenroll, EventKind::Cancelled, Some("membershipEnded".into()))
    }

    /// The queue of a course that has ended leads nowhere.
    pub(super) fn give_up_waiting(&mut self, command: &Command) -> Result<Decided> {
        let row = self.row_of(command)?;
        let reason = Some("courseClosed".into());
        Ok(self.cancel(&command.by, row, Step::Unenroll, EventKind::Cancelled, reason)?.into())
    }

    /// D7.
    pub(super) fn expire(&mut self, command: &Command) -> Result<Decided> {
        let row = self.row_of(command)?;
        let from = Some(row.status);
        let row = EnrollmentRow { status: EnrollmentStatus::Expired, ..self.changed(row) };
        let row = self.record(&command.by, Moved::new(from, Step::Expire, EventKind::Expired), row)?;
        self.fill(command.course_id, &command.by.request_id)?;
        Ok(row.into())
    }

    /// D5: the certificate is voided with the completion, rule `cancelled_enrollment_blocks_certificate`.
    pub(super) fn revoke(&mut self, command: &Command, reason: &ReasonText) -> Result<Decided> {
        let row = self.row_of(command)?;
        let row =
            self.cancel(&command.by, row, Step::Revoke, EventKind::Revoked, Some(reason.to_string()))?;
        if let Some(id) = row.certificate_id {
            let certificate = self.facts.certificates.get_mut(&id);
            let certificate =
                certificate.ok_or_else(|| Error::internal("a completion's certificate was not loaded"))?;
            certificate.voided_at = Some(self.now);
            certificate.void_reason = Some(reason.to_string());
            let certificate = certificate.clone();
            self.changes.save_certificate(certificate);
            let data = EventData {
                certificate_id: Some(id),
                reason: Some(reason.to_string()),
                ..EventData::default()
            };
            self.tell(&command.by, EventKind::CertificateVoided, &row, data);
        }
        self.fill(command.course_id, &command.by.request_id)?;
        Ok(row.into())
    }

    fn leave(
        &mut self,
        by: &By,
        row: EnrollmentRow,
        step: Step,
        kind: EventKind,
        reason: Option<String>,
    ) -> Result<Decided> {
        let row = self.cancel(by, row, step, kind, reason)?;
        self.fill(row.course_id, &by.request_id)?;
        Ok(row.into())
    }

    /// Cancels without giving the seat to anyone yet. A person's cancel is a tombstone (D20).
    pub(super) fn cancel(
        &mut self,
        by: &By,
        row: EnrollmentRow,
        step: Step,
        kind: EventKind,
        reason: Option<String>,
    ) -> Result<EnrollmentRow> {
        let from = Some(row.status);
        let row = EnrollmentRow {
            status: EnrollmentStatus::Cancelled,
            cancelled_at: Some(self.now),
            tombstone: row.tombstone || by.user_id.is_some(),
            ..self.changed(row)
        };
        self.take_modules(&row);
        self.record(by, Moved { reason, ..Moved::new(from, step, kind) }, row)
    }
}
