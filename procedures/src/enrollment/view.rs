//! An enrollment as its readers see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, FindQuery};
use super::{EnrollmentRow, EnrollmentStatus, Source};
use crate::App;
use crate::caller::{Cx, Insider};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::gather::Gathering;
use crate::limits::MAX_LOOKED_UP;
use crate::policy::{self, Action, Subject};
use crate::values::{CertificateId, CourseId, EnrollmentId, Moment, Notes, OrganizationId, Score, UserId};

/// A user's place in a course.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enrollment {
    pub id: EnrollmentId,
    pub user_id: UserId,
    pub course_id: CourseId,
    pub organization_id: OrganizationId,
    pub status: EnrollmentStatus,
    pub source: Source,
    /// When the current attempt began, or the waitlist was left.
    pub enrolled_at: Moment,
    /// When the first module was started.
    pub started_at: Option<Moment>,
    pub completed_at: Option<Moment>,
    pub cancelled_at: Option<Moment>,
    pub waitlisted_at: Option<Moment>,
    /// When access ends unless the course is completed before (D7).
    pub expires_at: Option<Moment>,
    /// 0 to 100, at most two decimals.
    pub completion_score: Option<Score>,
    /// Percent of the modules completed, rounded down.
    pub progress: i32,
    pub modules_total: i32,
    pub modules_completed: i32,
    /// Who enrolled the learner, if someone else did (D21).
    pub enrolled_by_user_id: Option<UserId>,
    pub certificate_id: Option<CertificateId>,
    pub reminder_sent_at: Option<Moment>,
    /// Null for those who may not read it.
    pub notes: Option<Notes>,
    /// 1 for the first enrollment, one more each time it is taken up again (D1).
    pub attempt: i32,
    /// Grows with every change.
    pub version: i32,
    /// Whether it is cancelled (D4).
    pub soft_deleted: bool,
    /// The place on the waitlist, from 1; null when not on it.
    pub waitlist_position: Option<i32>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

impl Enrollment {
    pub(crate) fn of(row: EnrollmentRow, waitlist_position: Option<i32>, sees_notes: bool) -> Self {
        Enrollment {
            progress: progress(&row),
            soft_deleted: row.status == EnrollmentStatus::Cancelled,
            waitlist_position,
            notes: row.notes.filter(|_| sees_notes),
            id: row.id,
            user_id: row.user_id,
            course_id: row.course_id,
            organization_id: row.organization_id,
            status: row.status,
            source: row.source,
            enrolled_at: row.enrolled_at,
            started_at: row.started_at,
            completed_at: row.completed_at,
            cancelled_at: row.cancelled_at,
            waitlisted_at: row.waitlisted_at,
            expires_at: row.expires_at,
            completion_score: row.completion_score,
            modules_total: row.modules_total,
            modules_completed: row.modules_completed,
            enrolled_by_user_id: row.enrolled_by_user_id,
            certificate_id: row.certificate_id,
            reminder_sent_at: row.reminder_sent_at,
            attempt: row.attempt,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Percent of the modules completed, rounded down; without modules 0 until completed, then 100 (D23). A completed
/// enrollment stays at 100, whatever modules came later (D14).
fn progress(row: &EnrollmentRow) -> i32 {
    match (row.status, row.modules_total) {
        (EnrollmentStatus::Completed, _) => 100,
        (_, 0) => 0,
        (_, total) => 100 * row.modules_completed / total,
    }
}

/// The look-ups of enrollments by their ids that are under way.
pub(crate) type Finds = Arc<Gathering<(), FindQuery, Result<Option<(EnrollmentRow, bool)>>>>;

pub(crate) fn finds() -> Finds {
    Gathering::new(MAX_LOOKED_UP)
}

/// An enrollment by its id, together with those that others look for; and whether the caller is an author of its course.
async fn find(app: &App, caller: &Insider, id: EnrollmentId) -> Result<Option<(EnrollmentRow, bool)>> {
    let wanted = FindQuery { tenant: caller.tenant, id, reader: caller.user_id() };
    app.finds.read(&app.db, (), wanted, async |conn, wanted| store::find(conn, wanted).await).await
}

/// An enrollment that the caller may see: the only way to its events and modules.
#[derive(Clone, Debug)]
pub struct VisibleEnrollment(EnrollmentRow);

impl VisibleEnrollment {
    /// Finds an enrollment by its id for a caller who may see it; to everyone else there is no such thing (D17).
    pub(crate) async fn find(app: &App, caller: &Insider, id: EnrollmentId) -> Result<Self> {
        let Some((row, is_author)) = find(app, caller, id).await? else {
            // A service without the scope learns that, as it would of any id.
            return Err(policy::may_see_enrollments(caller).err().unwrap_or_else(Error::not_found));
        };
        policy::may_see_enrollment(caller, row.user_id, is_author)?;
        Ok(VisibleEnrollment(row))
    }

    pub(crate) fn row(&self) -> &EnrollmentRow {
        &self.0
    }

    pub(crate) fn into_row(self) -> EnrollmentRow {
        self.0
    }
}

/// An enrollment that the caller may act on: whose, in which course. Neither ever changes, so this is found before the
/// transaction that locks the course.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActingOn {
    pub course_id: CourseId,
    pub subject: Subject,
}

impl ActingOn {
    /// Finds an enrollment by its id for a caller who may do this to it.
    pub(crate) async fn find(cx: &Cx<Insider>, action: Action, id: EnrollmentId) -> Result<Self> {
        policy::may_act_on_enrollments(&cx.caller, action)?;
        let (row, is_author) = find(&cx.app, &cx.caller, id).await?.ok_or_else(Error::not_found)?;
        let subject = policy::subject_of_enrollment(&cx.caller, action, row.user_id, is_author)?;
        Ok(ActingOn { course_id: row.course_id, subject })
    }
}

/// Rows as this caller sees them, with the waitlist places of those that wait.
pub(crate) async fn present(
    conn: &mut Connection,
    caller: &Insider,
    rows: Vec<EnrollmentRow>,
) -> Result<Vec<Enrollment>> {
    let sees_notes = policy::may_read_notes(caller);
    let waiting =
        rows.iter().filter(|row| row.status == EnrollmentStatus::Waitlisted).map(|row| row.id).collect();
    let positions: BTreeMap<EnrollmentId, i32> =
        store::waitlist_positions(conn, caller.tenant, waiting).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let position = positions.get(&row.id).copied();
            Enrollment::of(row, position, sees_notes)
        })
        .collect())
}

/// One row as this caller sees it; the database is asked only where it waits.
pub(crate) async fn present_one(app: &App, caller: &Insider, row: EnrollmentRow) -> Result<Enrollment> {
    let mut position = None;
    if row.status == EnrollmentStatus::Waitlisted {
        let mut conn = app.db.read().await?;
        position = store::waitlist_positions(&mut conn, caller.tenant, vec![row.id]).await?.remove(&row.id);
    }
    Ok(Enrollment::of(row, position, policy::may_read_notes(caller)))
}
