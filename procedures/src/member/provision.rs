use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, Told};
use super::{Member, Role};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Reason, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::values::{Email, Name, ProviderSubject};

/// Makes a member of whoever has this subject at the organization's identity provider, before they first sign in.
///
/// Whoever is a member already gets what is told here; an ended membership is active again, a suspended one stays
/// suspended. For admins, and services with `members:write`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "MemberProvisionInput", optional_fields = nullable)]
#[schemars(rename = "MemberProvisionInput")]
pub struct ProvisionInput {
    /// The `sub` of their tokens.
    pub subject: ProviderSubject,
    pub display_name: Option<Name>,
    pub email: Option<Email>,
    /// `learner` unless told.
    pub role: Option<Role>,
}

signature!(Provision: Mutation "member.provision" (ProvisionInput) -> Member);

pub async fn provision(cx: Cx<Insider>, input: ProvisionInput) -> Result<Member> {
    policy::require(&cx.caller, Action::WriteMembers)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| {
        let provider = store::provider_of(tx, tenant).await?.ok_or(Reason::NoIdentityProvider)?;
        let told = Told {
            display_name: input.display_name.clone().map(Name::into_string),
            email: input.email.clone(),
            role: input.role,
        };
        let user_id = match store::find_by_subject(tx, tenant, provider, &input.subject).await? {
            None => store::insert(tx, tenant, provider, input.subject.clone(), told).await?,
            Some(user_id) => {
                let known = store::find_locked(tx, tenant, user_id).await?;
                let known = known.ok_or_else(|| Error::internal("an identity without a membership"))?;
                store::update(tx, tenant, known, told).await?;
                user_id
            }
        };
        store::find(tx, tenant, user_id)
            .await?
            .ok_or_else(|| Error::internal("a member just written is not there"))
    })
    .await
}
