//! Reminders of what ends soon: access to a course, or a certificate (D22, rule `expiry_reminder_scheduling`).

use std::time::Duration;

use super::{Batch, Command, Decided, Facts};
use crate::enrollment::{EnrollmentRow, EnrollmentStatus};
use crate::error::{Error, Result};
use crate::event::{EventData, EventKind};
use crate::limits::REMINDER_WINDOW;
use crate::values::{CertificateId, Moment};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What of an enrollment ends by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ending {
    pub at: Moment,
    /// The certificate that ends; none if it is the access.
    pub certificate: Option<CertificateId>,
}

/// While enrolled it is the access; once completed, the certificate.
pub(super) fn ending(facts: &Facts, row: &EnrollmentRow) -> Option<Ending> {
    match row.status {
        EnrollmentStatus::Enrolled => row.expires_at.map(|at| Ending { at, certificate: None }),
        EnrollmentStatus::Completed => {
            let certificate = facts.certificates.get(&row.certificate_id?)?;
            let at = certificate.expires_at.filter(|_| certificate.voided_at.is_none())?;
            Some(Ending { at, certificate: Some(certificate.id) })
        }
        EnrollmentStatus::Waitlisted | EnrollmentStatus::Cancelled | EnrollmentStatus::Expired => None,
    }
}

impl Ending {
    /// A reminder is due so many days before the end, until one was sent since. It is not sent within
    /// [`REMINDER_WINDOW`] of the last one, but after that, unless it has ended by then.
    pub fn is_to_be_reminded_of(self, leads: &[i32], row: &EnrollmentRow, now: Moment) -> bool {
        let due = |days: &i32| self.at.minus(DAY * u32::try_from(*days).unwrap_or(0));
        let is_due = |due: Moment| due <= now && row.reminder_sent_at.is_none_or(|last| last < due);
        let window_is_over = row.reminder_sent_at.is_none_or(|last| last.plus(REMINDER_WINDOW) <= now);
        now < self.at && window_is_over && leads.iter().map(due).any(is_due)
    }
}

impl Batch<'_> {
    pub(super) fn remind(&mut self, command: &Command) -> Result<Decided> {
        let row = self.row_of(command)?;
        let ending = ending(self.facts, &row).ok_or_else(|| Error::internal("a reminder of nothing"))?;
        let row = EnrollmentRow { reminder_sent_at: Some(self.now), ..self.changed(row) };
        self.keep(&row);
        let data = EventData {
            certificate_id: ending.certificate,
            ends_at: Some(ending.at),
            ..EventData::default()
        };
        self.tell(&command.by, EventKind::ReminderSent, &row, data);
        Ok(row.into())
    }
}
