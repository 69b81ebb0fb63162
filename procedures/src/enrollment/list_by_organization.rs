use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::EnrollmentStatus;
use super::list_by_course::{RosterEntry, entries};
use super::list_by_user::wanted;
use super::store::{self, OrganizationQuery};
use crate::caller::{Cx, Insider};
use crate::course;
use crate::error::Result;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{CourseId, Cursor, EnrollmentId, Limit, Moment, Page};

/// The organization's enrollments, in the order in which people first enrolled; with `updatedSince` those alone that
/// changed at that moment or later.
///
/// For coordinators, admins and services with `enrollments:read`; for authors in a course of theirs that they name.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentListByOrganizationInput", optional_fields = nullable)]
#[schemars(rename = "EnrollmentListByOrganizationInput")]
pub struct ListByOrganizationInput {
    /// All, unless told.
    pub statuses: Option<BTreeSet<EnrollmentStatus>>,
    pub course_id: Option<CourseId>,
    pub updated_since: Option<Moment>,
    pub cursor: Option<Cursor<EnrollmentId>>,
    pub limit: Option<Limit>,
}

signature!(ListByOrganization: Query "enrollment.listByOrganization" (ListByOrganizationInput) -> Page<RosterEntry>);

pub async fn list_by_organization(
    cx: Cx<Insider>,
    input: ListByOrganizationInput,
) -> Result<Page<RosterEntry>> {
    let limit = input.limit.unwrap_or_default();
    let mut conn = cx.app.db.read().await?;
    let course = match input.course_id {
        None => {
            policy::require(&cx.caller, Action::ReadEnrollments)?;
            None
        }
        Some(id) => Some(course::store::grant(&mut conn, &cx.caller, Action::ReadEnrollments, id).await?),
    };
    let asked = OrganizationQuery {
        statuses: wanted(input.statuses),
        course,
        updated_since: input.updated_since,
        after: input.cursor.map(|cursor| cursor.0),
        limit,
    };
    let rows = store::list(&mut conn, cx.caller.tenant, asked).await?;
    entries(&mut conn, &cx.caller, rows, limit).await
}
