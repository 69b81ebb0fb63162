use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, OrganizationRow};
use super::{Organization, view};
use crate::caller::{Cx, GlobalAdmin};
use crate::error::{Error, Reason, Result};
use crate::limits::MAX_REMINDER_LEADS;
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{LeadDays, Name, Slug};

/// Renames the organization that the call is in, and sets its reminders; what is not told stays as it is. For global admins.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "OrganizationUpdateInput", optional_fields = nullable)]
#[schemars(rename = "OrganizationUpdateInput")]
pub struct UpdateInput {
    pub name: Option<Name>,
    pub slug: Option<Slug>,
    /// How many days before their access or a certificate ends people are reminded of it (D22): at most 5 lead times of 1
    /// to 365 days, in any order; none for no reminders.
    #[schemars(length(max = MAX_REMINDER_LEADS))]
    pub reminder_lead_days: Option<Vec<LeadDays>>,
}

signature!(Update: Mutation "organization.update" (UpdateInput) -> Organization);

pub async fn update(cx: Cx<GlobalAdmin>, input: UpdateInput) -> Result<Organization> {
    policy::require(&cx.caller, Action::WriteOrganizations)?;
    let tenant = cx.caller.tenant;
    let leads = input.reminder_lead_days.as_deref().map(each_once).transpose()?;
    cx.write(async |tx| {
        let old = store::load_locked(tx, tenant).await?.ok_or_else(Error::not_found)?;
        if let Some(slug) = &input.slug {
            let has_it = store::find_by_slug(tx, slug).await?;
            if has_it.is_some_and(|organization| organization.id != old.id) {
                return Err(Reason::SlugTaken.into());
            }
        }
        let organization = OrganizationRow {
            name: input.name.clone().unwrap_or(old.name),
            slug: input.slug.clone().unwrap_or(old.slug),
            ..old
        };
        store::save(tx, organization.clone()).await?;
        if let Some(days) = &leads {
            store::set_reminder_leads(tx, tenant, days).await?;
        }
        view::present(tx, organization).await
    })
    .await
}

fn each_once(named: &[LeadDays]) -> Result<Vec<i32>> {
    let days = BTreeSet::from_iter(named.iter().map(|days| days.get()));
    match days.len() {
        0..=MAX_REMINDER_LEADS => Ok(Vec::from_iter(days)),
        _ => Err(Error::invalid_input("reminderLeadDays", format!("more than {MAX_REMINDER_LEADS}"))),
    }
}
