use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, OrganizationRow};
use super::{Organization, view};
use crate::caller::{Cx, GlobalAdmin};
use crate::db::Transaction;
use crate::error::{Reason, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{Name, OrganizationId, Slug};

/// Creates an organization. For global admins.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "OrganizationCreateInput")]
#[schemars(rename = "OrganizationCreateInput")]
pub struct CreateInput {
    pub slug: Slug,
    pub name: Name,
}

signature!(Create: Mutation "organization.create" (CreateInput) -> Organization);

pub async fn create(cx: Cx<GlobalAdmin>, input: CreateInput) -> Result<Organization> {
    policy::require(&cx.caller, Action::WriteOrganizations)?;
    cx.write(async |tx| insert(tx, &input).await).await
}

pub(super) async fn insert(tx: &mut Transaction<'_>, input: &CreateInput) -> Result<Organization> {
    if store::find_by_slug(tx, &input.slug).await?.is_some() {
        return Err(Reason::SlugTaken.into());
    }
    let organization = OrganizationRow {
        id: OrganizationId::new(),
        slug: input.slug.clone(),
        name: input.name.clone(),
        created_at: tx.now,
    };
    store::insert(tx, organization.clone()).await?;
    view::present(tx, organization).await
}
