use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Course, CourseRow, CourseStatus, EnrollmentMode, change, store, view};
use crate::caller::{Cx, Insider};
use crate::error::{Reason, Result};
use crate::policy::{self, Action, Verdict};
use crate::router::signature;
use crate::values::{Capacity, CourseId, Days, Moment, Notes, Score, Title, UserId};

/// Creates a draft. For authors (of their own courses), admins, and services with `courses:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseCreateInput", optional_fields = nullable)]
#[schemars(rename = "CourseCreateInput")]
pub struct CreateInput {
    pub title: Title,
    pub description: Option<Notes>,
    /// How many seats there are; no limit unless told.
    pub capacity: Option<Capacity>,
    /// Whether a full course lets people wait for a seat; true unless told.
    pub waitlist: Option<bool>,
    /// When enrolling begins.
    pub opens_at: Option<Moment>,
    /// When enrolling ends.
    pub closes_at: Option<Moment>,
    /// How many days an enrollment gives access.
    pub access_days: Option<Days>,
    /// When all access ends.
    pub ends_at: Option<Moment>,
    /// The score that completes it, 0 to 100 with at most two decimals.
    pub pass_score: Option<Score>,
    /// Whether completing it gives a certificate; true unless told.
    pub certificate: Option<bool>,
    /// How many days a certificate is valid; for ever unless told.
    pub certificate_valid_days: Option<Days>,
    /// `open` unless told.
    pub enrollment_mode: Option<EnrollmentMode>,
    /// Whether the last module completed completes the course; false unless told.
    pub auto_complete: Option<bool>,
    /// An author's own id unless told.
    pub author_ids: Option<Vec<UserId>>,
}

signature!(Create: Mutation "course.create" (CreateInput) -> Course);

pub async fn create(cx: Cx<Insider>, input: CreateInput) -> Result<Course> {
    match policy::verdict(&cx.caller, Action::WriteCourses) {
        Verdict::Allowed | Verdict::OwnCoursesOnly => {}
        Verdict::Refused(reason) => return Err(reason.into()),
        Verdict::LearnersOnly => return Err(Reason::RoleRequired.into()),
    }
    cx.write(async |tx| {
        let author_ids = input.author_ids.clone().unwrap_or_else(|| change::default_authors(&cx.caller));
        let course = CourseRow {
            id: CourseId::new(),
            organization_id: cx.caller.tenant.organization_id(),
            title: input.title.clone(),
            description: input.description.clone(),
            status: CourseStatus::Draft,
            capacity: input.capacity.map(Capacity::get),
            waitlist: input.waitlist.unwrap_or(true),
            opens_at: input.opens_at,
            closes_at: input.closes_at,
            access_days: input.access_days.map(Days::get),
            ends_at: input.ends_at,
            pass_score: input.pass_score,
            certificate: input.certificate.unwrap_or(true),
            certificate_valid_days: input.certificate_valid_days.map(Days::get),
            enrollment_mode: input.enrollment_mode.unwrap_or(EnrollmentMode::Open),
            auto_complete: input.auto_complete.unwrap_or(false),
            modules_total: 0,
            enrolled_count: 0,
            waitlisted_count: 0,
            completed_count: 0,
            cancelled_count: 0,
            expired_count: 0,
            seats_limit: input.capacity.map(Capacity::get),
            version: 1,
            published_at: None,
            created_at: tx.now,
            updated_at: tx.now,
        };
        change::check(&course)?;
        change::check_authors(tx, &cx.caller, &author_ids).await?;
        store::insert(tx, course.clone()).await?;
        store::set_authors(tx, &course, &author_ids).await?;
        view::present_one(tx, cx.caller.tenant, course).await
    })
    .await
}
