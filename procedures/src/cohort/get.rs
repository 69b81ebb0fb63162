use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Cohort, store, view};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::CohortId;

/// A cohort by its id. For coordinators, admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortGetInput")]
#[schemars(rename = "CohortGetInput")]
pub struct GetInput {
    pub cohort_id: CohortId,
}

signature!(Get: Query "cohort.get" (GetInput) -> Cohort);

pub async fn get(cx: Cx<Insider>, input: GetInput) -> Result<Cohort> {
    policy::require(&cx.caller, Action::WriteCohorts)?;
    let tenant = cx.caller.tenant;
    let mut conn = cx.app.db.read().await?;
    let found = store::find(&mut conn, tenant, input.cohort_id).await?;
    view::present_one(&mut conn, tenant, found.ok_or_else(Error::not_found)?).await
}
