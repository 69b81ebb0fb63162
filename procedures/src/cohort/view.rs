//! Cohorts as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, CohortRow};
use crate::caller::Tenant;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::values::{CohortId, CourseId, Moment, Name, OrganizationId};

/// A group of members, with courses that each of them is to be enrolled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cohort {
    pub id: CohortId,
    pub organization_id: OrganizationId,
    pub name: Name,
    /// How many people are in it, whatever the status of their membership.
    pub member_count: i32,
    /// In whatever status.
    pub course_ids: Vec<CourseId>,
    pub created_at: Moment,
}

/// Rows with what is in them.
pub(super) async fn present(
    conn: &mut Connection,
    tenant: Tenant,
    rows: Vec<CohortRow>,
) -> Result<Vec<Cohort>> {
    let ids: Vec<CohortId> = rows.iter().map(|row| row.id).collect();
    let (members, mut courses) = store::contents_of(conn, tenant, ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| Cohort {
            member_count: members.get(&row.id).copied().unwrap_or(0),
            course_ids: courses.remove(&row.id).unwrap_or_default(),
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            created_at: row.created_at,
        })
        .collect())
}

pub(super) async fn present_one(conn: &mut Connection, tenant: Tenant, row: CohortRow) -> Result<Cohort> {
    let presented = present(conn, tenant, vec![row]).await?.pop();
    presented.ok_or_else(|| Error::internal("one row is presented as one cohort"))
}
