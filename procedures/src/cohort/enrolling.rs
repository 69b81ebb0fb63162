//! The automation (D20): every member of a cohort is to be enrolled in every course of it.
//!
//! It follows a change in transactions of its own, each of bounded size, so that no course is held for long. What is
//! cut short is finished by `cohort.sync`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, Attachment};
use crate::caller::{Cx, Insider};
use crate::db::repeated;
use crate::enrollment::{CohortOutcome, enroll_for_cohorts};
use crate::error::{Code, Error, Outcome, Reason, Result};
use crate::limits::{COHORT_CHUNK, MAX_SKIPPED};
use crate::values::{CohortId, CourseId, UserId};

/// What the automation did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncReport {
    /// How many enrollments were made.
    pub enrolled: i32,
    /// How many are waiting for a seat instead.
    pub waitlisted: i32,
    /// Who could not be enrolled in what; the first 10,000.
    pub skipped: Vec<SkippedPlace>,
}

/// Someone who could not be enrolled in a course.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedPlace {
    pub user_id: UserId,
    pub course_id: CourseId,
    pub reason: Reason,
}

/// A place that a cohort wants for one of its members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub cohort_id: CohortId,
    pub course_id: CourseId,
    pub user_id: UserId,
    /// Whoever put them, or the course, into the cohort enrolls learners alone (D21).
    pub learners_only: bool,
}

/// Which places are looked after.
pub(super) enum Extent {
    /// Everyone in a cohort, in all of its courses.
    Cohort(CohortId),
    /// These people, in all of its courses.
    Members(CohortId, Vec<UserId>),
    /// Everyone in a cohort, in one of its courses.
    Attachment(CohortId, CourseId),
    /// Everyone in the cohorts that have a course, in that.
    Course(CourseId),
}

/// Enrolls the members of every cohort that has this course, once it is published. That is the cohorts' wish, whatever
/// the caller may do with cohorts.
pub(crate) async fn enroll_where_attached(cx: &Cx<Insider>, course_id: CourseId) -> Result<()> {
    enroll(cx, Extent::Course(course_id)).await?;
    Ok(())
}

/// Enrolls whoever has no active enrollment, where the rules allow it.
pub(super) async fn enroll(cx: &Cx<Insider>, extent: Extent) -> Result<SyncReport> {
    let mut run = Run { cx, chunk: Vec::new(), chunks: 0, report: SyncReport::default() };
    run.through(&extent).await.map_err(outcome_unknown)?;
    Ok(run.report)
}

/// A fault after something was done already must not say that nothing was, and must not repeat what came before.
pub(super) fn outcome_unknown(fault: Error) -> Error {
    match fault.code() == Code::ServiceUnavailable {
        true => {
            let cause = fault.cause().map_or_else(|| fault.to_string(), ToString::to_string);
            Error::unavailable(Outcome::Unknown, cause)
        }
        false => fault,
    }
}

/// The automation at work, a chunk after another.
struct Run<'r> {
    cx: &'r Cx<Insider>,
    chunk: Vec<Place>,
    chunks: usize,
    report: SyncReport,
}

impl Run<'_> {
    async fn through(&mut self, extent: &Extent) -> Result<()> {
        let (db, tenant) = (&self.cx.app.db, self.cx.caller.tenant);
        let attachments = store::attachments(&mut *db.read().await?, tenant, extent).await?;
        for attachment in attachments {
            let mut after = UserId::NIL;
            loop {
                let room = COHORT_CHUNK - self.chunk.len();
                let missing =
                    store::without_enrollment(&mut *db.read().await?, attachment, extent, after, room)
                        .await?;
                let Attachment { cohort_id, course_id, .. } = attachment;
                let place = |(user_id, added_as_learner)| Place {
                    cohort_id,
                    course_id,
                    user_id,
                    learners_only: added_as_learner || attachment.learners_only,
                };
                self.chunk.extend(missing.iter().copied().map(place));
                match missing.last() {
                    Some((last, _)) if missing.len() == room => after = *last,
                    Some(_) | None => break,
                }
                self.carry_out().await?;
            }
        }
        if !self.chunk.is_empty() {
            self.carry_out().await?;
        }
        Ok(())
    }

    /// Carries out a chunk, again if it lost against another transaction.
    async fn carry_out(&mut self) -> Result<()> {
        let places = std::mem::take(&mut self.chunk);
        let outcomes = repeated(|| enroll_for_cohorts(self.cx, &places)).await?;
        for (place, outcome) in places.iter().zip(outcomes) {
            self.report.add(*place, outcome);
        }
        self.chunks += 1;
        if self.chunks > 1 || places.len() == COHORT_CHUNK {
            let SyncReport { enrolled, waitlisted, skipped } = &self.report;
            let (request, chunk, skipped) = (&*self.cx.request_id, self.chunks, skipped.len());
            tracing::info!(request, chunk, enrolled, waitlisted, skipped, "cohorts enroll their members");
        }
        Ok(())
    }
}

impl SyncReport {
    fn add(&mut self, place: Place, outcome: CohortOutcome) {
        let Place { course_id, user_id, .. } = place;
        match outcome {
            CohortOutcome::Enrolled => self.enrolled += 1,
            CohortOutcome::Waitlisted => self.waitlisted += 1,
            CohortOutcome::AlreadyThere => {}
            CohortOutcome::Skipped(reason) if self.skipped.len() < MAX_SKIPPED => {
                self.skipped.push(SkippedPlace { user_id, course_id, reason });
            }
            CohortOutcome::Skipped(_) => {}
        }
    }
}
