use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::enrolling::{self, Extent};
use super::{SyncReport, store};
use crate::caller::{Cx, Insider};
use crate::db::repeated;
use crate::error::{Error, Result};
use crate::idempotency::{self, Claim};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::CohortId;

/// Enrolls every member of a cohort in every course of it where they are not enrolled, and says who was skipped and why
/// (D20).
///
/// For coordinators (who enroll learners alone), admins, and services with `cohorts:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CohortSyncInput")]
#[schemars(rename = "CohortSyncInput")]
pub struct SyncInput {
    pub cohort_id: CohortId,
}

signature!(Sync: Mutation "cohort.sync" (SyncInput) -> SyncReport);

/// The enrollments are made before the report can be kept under the call's key. A call that is cut short between
/// them is repeated as a whole, and then finds little left to do.
pub async fn sync(cx: Cx<Insider>, input: SyncInput) -> Result<SyncReport> {
    policy::require(&cx.caller, Action::WriteCohorts)?;
    if let Some(report) = reported_before(&cx, input.cohort_id).await? {
        return Ok(report);
    }
    let report = enrolling::enroll(&cx, Extent::Cohort(input.cohort_id)).await?;
    if cx.key.is_none() {
        return Ok(report);
    }
    let kept = repeated(|| cx.write(async |_| Ok(report.clone()))).await;
    kept.map_err(enrolling::outcome_unknown)
}

/// What an earlier call with this key has reported.
async fn reported_before(cx: &Cx<Insider>, cohort_id: CohortId) -> Result<Option<SyncReport>> {
    let claim = cx.key.clone().map(|call| Claim::new(&cx.caller, call));
    cx.app
        .transaction(async |tx| {
            store::find(tx, cx.caller.tenant, cohort_id).await?.ok_or_else(Error::not_found)?;
            let now = tx.now;
            idempotency::claim_one(tx, claim.as_ref(), now).await?.answer()
        })
        .await
}
