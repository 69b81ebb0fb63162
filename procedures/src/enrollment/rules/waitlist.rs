//! The waitlist: first come, first served (D11).

use std::time::Duration;

use super::effects::Moved;
use super::enrolling::access_end;
use super::guards::promotes;
use super::{Batch, By, Changes, Decided, Facts, Step};
use crate::enrollment::{EnrollmentRow, EnrollmentStatus};
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::member::MembershipStatus;
use crate::values::{CourseId, Moment, UserId};

/// Gives a course's free seats to those who wait.
pub(crate) fn fill(
    facts: &mut Facts,
    changes: &mut Changes,
    now: Moment,
    course_id: CourseId,
    request_id: &str,
) -> Result<()> {
    Batch { facts, changes, now }.fill(course_id, request_id)
}

impl Batch<'_> {
    /// Someone no longer an active member is skipped and cancelled.
    pub(super) fn fill(&mut self, course_id: CourseId, request_id: &str) -> Result<()> {
        let system = By::system(request_id);
        while promotes(self.course(course_id)?, self.now) {
            let Some((_, _, user_id)) = self.queue(course_id).first.first().copied() else { break };
            let member = self.facts.members.get(&user_id);
            let (_, membership) = *member.ok_or_else(|| Error::internal("someone who waits is no member"))?;
            match membership {
                MembershipStatus::Active => {
                    self.promote(&system, course_id, user_id)?;
                }
                MembershipStatus::Suspended => {
                    self.skip(&system, course_id, user_id, "membershipSuspended")?;
                }
                MembershipStatus::Ended => self.skip(&system, course_id, user_id, "membershipEnded")?,
            }
        }
        Ok(())
    }

    /// A seat for one who waits: a new `enrolled_at`, and the access period starts.
    pub(super) fn promote(&mut self, by: &By, course_id: CourseId, user_id: UserId) -> Result<Decided> {
        let row = self.row(course_id, user_id)?;
        let from = Some(row.status);
        let row = EnrollmentRow {
            status: EnrollmentStatus::Enrolled,
            enrolled_at: self.now,
            expires_at: access_end(self.course(course_id)?, self.now),
            ..self.changed(row)
        };
        let row = self.give_modules(row, false);
        Ok(self.record(by, Moved::new(from, Step::Promote, EventKind::Promoted), row)?.into())
    }

    fn skip(&mut self, by: &By, course_id: CourseId, user_id: UserId, reason: &str) -> Result<()> {
        let row = self.row(course_id, user_id)?;
        self.cancel(by, row, Step::Unenroll, EventKind::Cancelled, Some(reason.to_owned()))?;
        Ok(())
    }

    /// The moment that puts a newcomer behind everyone who waits, also where clocks of several servers differ.
    pub(super) fn last_in_queue(&mut self, course_id: CourseId) -> Moment {
        let behind = self.queue(course_id).tail.map(|tail| tail.plus(Duration::from_micros(1)));
        behind.map_or(self.now, |behind| behind.max(self.now))
    }
}
