use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Organization, store};
use crate::caller::{Cx, GlobalAdmin};
use crate::error::{Error, Reason, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{Name, Slug};

/// Renames the organization that the call is in; what is not told stays as it is. For global admins.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "OrganizationUpdateInput", optional_fields = nullable)]
#[schemars(rename = "OrganizationUpdateInput")]
pub struct UpdateInput {
    pub name: Option<Name>,
    pub slug: Option<Slug>,
}

signature!(Update: Mutation "organization.update" (UpdateInput) -> Organization);

pub async fn update(cx: Cx<GlobalAdmin>, input: UpdateInput) -> Result<Organization> {
    policy::require(&cx.caller, Action::WriteOrganizations)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| {
        let old = store::load_locked(tx, tenant).await?.ok_or_else(Error::not_found)?;
        if let Some(slug) = &input.slug {
            let has_it = store::find_by_slug(tx, slug).await?;
            if has_it.is_some_and(|organization| organization.id != old.id) {
                return Err(Reason::SlugTaken.into());
            }
        }
        let organization = Organization {
            name: input.name.clone().unwrap_or(old.name),
            slug: input.slug.clone().unwrap_or(old.slug),
            ..old
        };
        store::save(tx, organization.clone()).await?;
        Ok(organization)
    })
    .await
}
