//! What cohorts want of enrollments (D20): their members in their courses, each if the rules let it.

use super::EnrollmentStatus;
use super::rules::{By, Command, Wish};
use super::view::Enrollment;
use super::write::{self, Order, Outcome};
use crate::caller::{Cx, Insider};
use crate::cohort::Place;
use crate::error::{Error, Reason, Result};
use crate::policy;

/// What came of a place that a cohort wants for one of its members.
pub(crate) enum CohortOutcome {
    Enrolled,
    /// There is no seat yet.
    Waitlisted,
    /// They have an active enrollment (D2).
    AlreadyThere,
    Skipped(Reason),
}

/// Enrolls these members for their cohorts, all in one transaction; their outcomes are in the same order.
pub(crate) async fn enroll_for_cohorts(cx: &Cx<Insider>, places: &[Place]) -> Result<Vec<CohortOutcome>> {
    let orders: Vec<Order> = places.iter().map(|place| order(cx, place)).collect();
    let outcomes =
        cx.app.transaction(async |tx| write::batch(tx, &cx.app, cx.caller.tenant, &orders).await).await?;
    outcomes.into_iter().map(outcome).collect()
}

fn order(cx: &Cx<Insider>, place: &Place) -> Order {
    let command = Command {
        course_id: place.course_id,
        subject: policy::subject_of_cohort(&cx.caller, place.user_id, place.learners_only),
        by: By::cohort(place.cohort_id, &cx.request_id),
        wish: Wish::Enroll { notes: None, waitlist: true },
    };
    Order::new::<Enrollment>(&cx.caller, command, None)
}

fn outcome(outcome: Result<Outcome>) -> Result<CohortOutcome> {
    match outcome {
        Ok(Outcome::Done(told)) => match told.row.status {
            EnrollmentStatus::Enrolled => Ok(CohortOutcome::Enrolled),
            EnrollmentStatus::Waitlisted => Ok(CohortOutcome::Waitlisted),
            status @ (EnrollmentStatus::Completed
            | EnrollmentStatus::Cancelled
            | EnrollmentStatus::Expired) => {
                Err(Error::internal(format!("enrolling has led to {}", status.as_str())))
            }
        },
        Ok(Outcome::Repeated(_)) => Err(Error::internal("a cohort has no idempotency keys")),
        Err(refusal) => match refusal.reason() {
            Some(Reason::AlreadyEnrolled { .. }) => Ok(CohortOutcome::AlreadyThere),
            Some(reason) => Ok(CohortOutcome::Skipped(reason.clone())),
            // Foreign keys keep members and courses of a cohort in its organization.
            None => Err(Error::internal(format!("a cohort's place was refused: {refusal}"))),
        },
    }
}
