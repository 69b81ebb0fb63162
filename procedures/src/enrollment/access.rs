use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{EnrollmentRow, EnrollmentStatus, store};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::member::{self, MembershipStatus};
use crate::policy;
use crate::router::signature;
use crate::text_enum;
use crate::values::{CourseId, EnrollmentId, Moment, UserId};

/// Whether the caller, or another member, may use a course now; what a course player asks before it opens.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentAccessInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentAccessInput")]
pub struct AccessInput {
    pub course_id: CourseId,
    /// The caller, unless told.
    pub user_id: Option<UserId>,
}

text_enum! {
    /// Why access is not granted.
    pub enum AccessReason {
        NotAMember = "notAMember",
        NotEnrolled = "notEnrolled",
        Waitlisted = "waitlisted",
        Cancelled = "cancelled",
        Expired = "expired",
    }
}

/// The answer, with the enrollment it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentAccess {
    pub granted: bool,
    /// Null if there is no enrollment.
    pub status: Option<EnrollmentStatus>,
    pub enrollment_id: Option<EnrollmentId>,
    /// When access ends unless the course is completed before (D7).
    pub expires_at: Option<Moment>,
    /// Null when granted.
    pub reason: Option<AccessReason>,
}

signature!(Access: Query "enrollment.access" (AccessInput) -> EnrollmentAccess);

pub async fn access(cx: Cx<Insider>, input: AccessInput) -> Result<EnrollmentAccess> {
    let subject = policy::subject_of_reading(&cx.caller, input.user_id)?;
    let mut conn = cx.app.db.read().await?;
    let membership = member::store::status_of(&mut conn, cx.caller.tenant, subject).await?;
    let row = store::find_by_subject(&mut conn, cx.caller.tenant, input.course_id, subject).await?;
    let reason = refusal(membership, row.as_ref(), cx.app.clock.now());
    Ok(EnrollmentAccess {
        granted: reason.is_none(),
        status: row.as_ref().map(|row| row.status),
        enrollment_id: row.as_ref().map(|row| row.id),
        expires_at: row.and_then(|row| row.expires_at),
        reason,
    })
}

/// A completed enrollment keeps its access (D7); an enrolled one loses it the moment it ends, swept or not.
fn refusal(
    membership: Option<MembershipStatus>,
    row: Option<&EnrollmentRow>,
    now: Moment,
) -> Option<AccessReason> {
    match membership {
        Some(MembershipStatus::Active) => {}
        Some(MembershipStatus::Suspended | MembershipStatus::Ended) | None => {
            return Some(AccessReason::NotAMember);
        }
    }
    let Some(row) = row else { return Some(AccessReason::NotEnrolled) };
    match row.status {
        EnrollmentStatus::Completed => None,
        EnrollmentStatus::Enrolled if row.expires_at.is_some_and(|at| at <= now) => {
            Some(AccessReason::Expired)
        }
        EnrollmentStatus::Enrolled => None,
        EnrollmentStatus::Waitlisted => Some(AccessReason::Waitlisted),
        EnrollmentStatus::Cancelled => Some(AccessReason::Cancelled),
        EnrollmentStatus::Expired => Some(AccessReason::Expired),
    }
}
