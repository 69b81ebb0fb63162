use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::EnrollmentStatus;
use super::facts::{self, Courses, Wanted};
use super::rules::{self, By, Changes, Command, Facts, Wish};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Reason, Result};
use crate::event::EventKind;
use crate::limits::STATEMENT_TIMEOUT;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::text_enum;
use crate::values::{CourseId, Moment, UserId};

/// What would come of enrolling, unenrolling or revoking now: every gate that would refuse it, or its consequences.
/// Nothing is changed, and nothing is promised: someone else may be faster.
///
/// For oneself, and for those who may read or change the enrollments of others.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentCheckInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentCheckInput")]
pub struct CheckInput {
    pub action: CheckAction,
    pub course_id: CourseId,
    /// The caller, unless told.
    pub user_id: Option<UserId>,
}

text_enum! {
    /// What is asked about.
    pub enum CheckAction {
        Enroll = "enroll",
        Unenroll = "unenroll",
        Revoke = "revoke",
    }
}

text_enum! {
    /// What would become of the enrollment.
    pub enum CheckOutcome {
        Enrolled = "enrolled",
        Waitlisted = "waitlisted",
        Cancelled = "cancelled",
        Refused = "refused",
    }
}

/// A prediction by the very rules that decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentCheck {
    pub allowed: bool,
    pub outcome: CheckOutcome,
    /// Every failing gate, in the order in which the first would be the call's answer; empty when allowed.
    pub reasons: Vec<Reason>,
    pub consequences: Consequences,
}

/// What else would happen; nothing when refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consequences {
    /// An earlier enrollment would be taken up again (D1).
    pub reactivates: bool,
    /// The place on the waitlist, from 1; null unless it would wait.
    pub waitlist_position: Option<i32>,
    pub seat_freed: bool,
    /// Who would get the seat that is freed (D11).
    pub promotes_user_id: Option<UserId>,
    pub certificate_voided: bool,
}

signature!(Check: Query "enrollment.check" (CheckInput) -> EnrollmentCheck);

pub async fn check(cx: Cx<Insider>, input: CheckInput) -> Result<EnrollmentCheck> {
    let (action, wish) = match input.action {
        CheckAction::Enroll => (Action::WriteEnrollments, Wish::Enroll { notes: None, waitlist: true }),
        CheckAction::Unenroll => (Action::WriteEnrollments, Wish::Unenroll { reason: None }),
        CheckAction::Revoke => {
            let reason = "a prediction".parse().map_err(|problem: String| Error::internal(problem))?;
            (Action::RevokeCompletions, Wish::Revoke { reason })
        }
    };
    let (subject, refused) = policy::subject_of_check(&cx.caller, input.user_id, action)?;
    let by = By::of(&cx.caller, &cx.request_id);
    let command = Command { course_id: input.course_id, subject, by, wish };
    let facts = cx.app.db.snapshot(STATEMENT_TIMEOUT, async |conn| {
        facts::load(conn, cx.caller.tenant, Wanted::of(&[&command]), Courses::AsTheyAre).await
    });
    let facts = facts.await?;
    predict(facts, cx.app.clock.now(), &command, refused)
}

/// Runs the rules on facts that are thrown away. `refused` is what in the caller's standing already speaks against it.
pub(super) fn predict(
    mut facts: Facts,
    now: Moment,
    command: &Command,
    refused: Option<Reason>,
) -> Result<EnrollmentCheck> {
    let mut gates = rules::gates(&facts, now, command);
    if gates.first().is_some_and(|gate| gate.reason().is_none()) {
        // What there is none of has no other gates.
        return Err(gates.swap_remove(0));
    }
    let mut reasons: Vec<Reason> = refused.into_iter().collect();
    for reason in gates.iter().filter_map(Error::reason) {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    if !reasons.is_empty() {
        let consequences = Consequences::default();
        return Ok(EnrollmentCheck { allowed: false, outcome: CheckOutcome::Refused, reasons, consequences });
    }
    let before = facts.enrollments.get(&(command.course_id, command.subject.user_id())).map(|row| row.status);
    let mut changes = Changes::default();
    let decided = rules::decide(&mut facts, &mut changes, now, command)?;
    let happens = |kind: EventKind| changes.events.iter().find(|event| event.kind == kind);
    let held_a_seat = before
        .is_some_and(|status| matches!(status, EnrollmentStatus::Enrolled | EnrollmentStatus::Completed));
    let outcome = match decided.row.status {
        EnrollmentStatus::Enrolled => CheckOutcome::Enrolled,
        EnrollmentStatus::Waitlisted => CheckOutcome::Waitlisted,
        EnrollmentStatus::Cancelled => CheckOutcome::Cancelled,
        EnrollmentStatus::Completed | EnrollmentStatus::Expired => {
            return Err(Error::internal("a prediction of something else"));
        }
    };
    let consequences = Consequences {
        reactivates: happens(EventKind::Reactivated).is_some(),
        waitlist_position: decided.position,
        seat_freed: held_a_seat && outcome == CheckOutcome::Cancelled,
        promotes_user_id: happens(EventKind::Promoted).map(|event| event.user_id),
        certificate_voided: happens(EventKind::CertificateVoided).is_some(),
    };
    Ok(EnrollmentCheck { allowed: true, outcome, reasons: Vec::new(), consequences })
}
