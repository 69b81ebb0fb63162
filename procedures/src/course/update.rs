use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Course, CourseRow, EnrollmentMode, change, store, view};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Reason, Result};
use crate::router::signature;
use crate::values::{Capacity, CourseId, Days, Moment, Notes, Patch, Score, Title, UserId, Version};

/// Edits a course: an absent field stays as it is, null clears it (or makes it what a new course has).
///
/// For the course's authors, admins, and services with `courses:write`. Lowering the capacity removes
/// nobody (D10); raising it gives the new seats to those who wait (D11).
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseUpdateInput")]
#[schemars(rename = "CourseUpdateInput")]
pub struct UpdateInput {
    pub course_id: CourseId,
    /// The version that was read; another one is CONFLICT `versionMismatch`.
    pub version: Version,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional, as = "Option<Title>")]
    pub title: Patch<Title>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Notes>")]
    pub description: Patch<Notes>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Capacity>")]
    pub capacity: Patch<Capacity>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<bool>")]
    pub waitlist: Patch<bool>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Moment>")]
    pub opens_at: Patch<Moment>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Moment>")]
    pub closes_at: Patch<Moment>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Days>")]
    pub access_days: Patch<Days>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Moment>")]
    pub ends_at: Patch<Moment>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Score>")]
    pub pass_score: Patch<Score>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<bool>")]
    pub certificate: Patch<bool>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Days>")]
    pub certificate_valid_days: Patch<Days>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<EnrollmentMode>")]
    pub enrollment_mode: Patch<EnrollmentMode>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<bool>")]
    pub auto_complete: Patch<bool>,
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[ts(optional = nullable, as = "Option<Vec<UserId>>")]
    pub author_ids: Patch<Vec<UserId>>,
}

signature!(Update: Mutation "course.update" (UpdateInput) -> Course);

pub async fn update(cx: Cx<Insider>, input: UpdateInput) -> Result<Course> {
    change::course(&cx, input.course_id, async |tx, old| {
        if input.title == Patch::Clear {
            return Err(Error::invalid_input("title", "a course has a title"));
        }
        if old.version != input.version.get() {
            return Err(Reason::VersionMismatch { current: old.version }.into());
        }
        let capacity = old.capacity;
        let mut course =
            CourseRow { version: old.version + 1, updated_at: tx.now, ..edited(old, input.clone()) };
        if course.capacity != capacity {
            course.limit_seats();
        }
        change::check(&course)?;
        let author_ids = match input.author_ids {
            Patch::Keep => None,
            Patch::Clear => Some(change::default_authors(&cx.caller)),
            Patch::Set(author_ids) => Some(author_ids),
        };
        if let Some(author_ids) = author_ids {
            change::check_authors(tx, &cx.caller, &author_ids).await?;
            store::set_authors(tx, &course, &author_ids).await?;
        }
        let course = change::saved(tx, &cx, course).await?;
        view::present_one(tx, cx.caller.tenant, course).await
    })
    .await
}

fn edited(old: CourseRow, input: UpdateInput) -> CourseRow {
    CourseRow {
        title: input.title.onto_default(old.title.clone(), old.title.clone()),
        description: input.description.onto(old.description.clone()),
        capacity: input.capacity.map(Capacity::get).onto(old.capacity),
        waitlist: input.waitlist.onto_default(old.waitlist, true),
        opens_at: input.opens_at.onto(old.opens_at),
        closes_at: input.closes_at.onto(old.closes_at),
        access_days: input.access_days.map(Days::get).onto(old.access_days),
        ends_at: input.ends_at.onto(old.ends_at),
        pass_score: input.pass_score.onto(old.pass_score),
        certificate: input.certificate.onto_default(old.certificate, true),
        certificate_valid_days: input.certificate_valid_days.map(Days::get).onto(old.certificate_valid_days),
        enrollment_mode: input.enrollment_mode.onto_default(old.enrollment_mode, EnrollmentMode::Open),
        auto_complete: input.auto_complete.onto_default(old.auto_complete, false),
        ..old
    }
}
