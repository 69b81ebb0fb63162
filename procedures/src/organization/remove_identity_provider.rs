use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Organization, providers, store, view};
use crate::caller::{Cx, GlobalAdmin, Tenant};
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::session::Provider;
use crate::values::Issuer;

/// Ends signing in with a provider of the organization that the call is in, at once. For global admins.
///
/// Its people stay members (D24), and are known again should the provider come back to the organization. Another one may
/// have its issuer now.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "OrganizationRemoveIdentityProviderInput")]
#[schemars(rename = "OrganizationRemoveIdentityProviderInput")]
pub struct RemoveIdentityProviderInput {
    /// Letter by letter as it was set; one that is not the organization's is NOT_FOUND.
    pub issuer: Issuer,
}

signature!(RemoveIdentityProvider: Mutation "organization.removeIdentityProvider" (RemoveIdentityProviderInput) -> Organization);

pub async fn remove_identity_provider(
    cx: Cx<GlobalAdmin>,
    input: RemoveIdentityProviderInput,
) -> Result<Organization> {
    policy::require(&cx.caller, Action::WriteOrganizations)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| remove(tx, tenant, &input.issuer).await).await
}

/// NOT_FOUND if the organization has no such provider.
pub(super) async fn remove(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    issuer: &Issuer,
) -> Result<Organization> {
    let organization = store::load_locked(tx, tenant).await?.ok_or_else(Error::not_found)?;
    let provider = Provider::registered(tx, issuer.as_str()).await?;
    let provider = provider
        .filter(|provider| provider.organization_id == tenant.organization_id())
        .ok_or_else(Error::not_found)?;
    providers::must_not_be_built_in(tx, &provider).await?;
    let removed = Provider { removed_at: Some(tx.now), ..provider };
    providers::save(tx, removed).await?;
    view::present(tx, organization).await
}
