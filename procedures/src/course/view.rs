//! Courses and modules as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CourseRow, CourseStatus, EnrollmentMode, ModuleKind, ModuleRow, store};
use crate::caller::Tenant;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::values::{CourseId, ModuleId, Moment, Notes, OrganizationId, Score, Title, UserId};

/// What one enrolls in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    pub id: CourseId,
    pub organization_id: OrganizationId,
    pub title: Title,
    pub description: Option<Notes>,
    pub status: CourseStatus,
    /// How many seats there are; null for no limit.
    pub capacity: Option<i32>,
    /// Whether a full course lets people wait for a seat.
    pub waitlist: bool,
    /// Enrolled and completed enrollments hold a seat (D10).
    pub seats_taken: i32,
    /// When enrolling begins.
    pub opens_at: Option<Moment>,
    /// When enrolling ends.
    pub closes_at: Option<Moment>,
    /// How many days an enrollment gives access, unless completed before.
    pub access_days: Option<i32>,
    /// When all access ends, unless completed before.
    pub ends_at: Option<Moment>,
    /// The score that completes it, 0 to 100.
    pub pass_score: Option<Score>,
    /// Whether completing it gives a certificate.
    pub certificate: bool,
    /// How many days a certificate is valid; null for ever.
    pub certificate_valid_days: Option<i32>,
    pub enrollment_mode: EnrollmentMode,
    /// Whether the last module completed completes the course (D12).
    pub auto_complete: bool,
    pub author_ids: Vec<UserId>,
    /// How many modules there are that are not retired.
    pub modules_total: i32,
    /// Grows with every edit; `course.update` wants the one that was read.
    pub version: i32,
    /// When it was last published.
    pub published_at: Option<Moment>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// A part of a course.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Module {
    pub id: ModuleId,
    pub course_id: CourseId,
    pub title: Title,
    pub kind: ModuleKind,
    /// Its place among the course's modules, ascending.
    pub position: i32,
    /// Since when new enrollments no longer get it; null while they do.
    pub retired_at: Option<Moment>,
}

impl From<ModuleRow> for Module {
    fn from(row: ModuleRow) -> Self {
        Module {
            id: row.id,
            course_id: row.course_id,
            title: row.title,
            kind: row.kind,
            position: row.position,
            retired_at: row.retired_at,
        }
    }
}

fn of(row: CourseRow, author_ids: Vec<UserId>) -> Course {
    Course {
        seats_taken: row.seats_taken(),
        author_ids,
        id: row.id,
        organization_id: row.organization_id,
        title: row.title,
        description: row.description,
        status: row.status,
        capacity: row.capacity,
        waitlist: row.waitlist,
        opens_at: row.opens_at,
        closes_at: row.closes_at,
        access_days: row.access_days,
        ends_at: row.ends_at,
        pass_score: row.pass_score,
        certificate: row.certificate,
        certificate_valid_days: row.certificate_valid_days,
        enrollment_mode: row.enrollment_mode,
        auto_complete: row.auto_complete,
        modules_total: row.modules_total,
        version: row.version,
        published_at: row.published_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// Rows with their authors.
pub(super) async fn present(
    conn: &mut Connection,
    tenant: Tenant,
    rows: Vec<CourseRow>,
) -> Result<Vec<Course>> {
    let mut authors = store::authors_of(conn, tenant, rows.iter().map(|row| row.id).collect()).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let author_ids = authors.remove(&row.id).unwrap_or_default();
            of(row, author_ids)
        })
        .collect())
}

pub(super) async fn present_one(conn: &mut Connection, tenant: Tenant, row: CourseRow) -> Result<Course> {
    let presented = present(conn, tenant, vec![row]).await?.pop();
    presented.ok_or_else(|| Error::internal("one row is presented as one course"))
}
