use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Organization, store, view};
use crate::caller::{Cx, GlobalAdmin};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::OrganizationId;

/// The organization that the call is in. For global admins.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "OrganizationGetInput", optional_fields = nullable)]
#[schemars(rename = "OrganizationGetInput")]
pub struct GetInput {
    /// The organization expected; any other than the one the call is in is NOT_FOUND (D18).
    pub organization_id: Option<OrganizationId>,
}

signature!(Get: Query "organization.get" (GetInput) -> Organization);

pub async fn get(cx: Cx<GlobalAdmin>, input: GetInput) -> Result<Organization> {
    policy::require(&cx.caller, Action::WriteOrganizations)?;
    let tenant = cx.caller.tenant;
    if input.organization_id.is_some_and(|id| id != tenant.organization_id()) {
        return Err(Error::not_found());
    }
    let mut conn = cx.app.db.read().await?;
    let row = store::find(&mut conn, tenant).await?.ok_or_else(Error::not_found)?;
    view::present(&mut conn, row).await
}
