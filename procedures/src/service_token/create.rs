use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ServiceToken, view};
use crate::caller::{Cx, Insider, Tenant};
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::limits::MAX_SERVICE_TOKENS;
use crate::policy::{self, Action};
use crate::router::{each_once, signature};
use crate::session::{self, NewServiceToken, Scope, store};
use crate::values::{Moment, Name};

/// Makes a token that a service of the organization calls with. For admins.
///
/// An organization has at most 200 that are not revoked.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ServiceTokenCreateInput", optional_fields = nullable)]
#[schemars(rename = "ServiceTokenCreateInput")]
pub struct CreateInput {
    /// What it is for, in the organization's own words.
    pub name: Name,
    /// What it allows: at least one, each once.
    #[schemars(length(min = 1, max = Scope::ALL.len()))]
    pub scopes: Vec<Scope>,
    /// From when on it is no longer valid, a moment in the future; never unless told.
    pub expires_at: Option<Moment>,
}

signature!(Create: Mutation "serviceToken.create" (CreateInput) -> CreatedServiceToken);

/// A new service token with its secret, which no other answer tells.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedServiceToken {
    pub service_token: ServiceToken,
    /// `rbs_` and 256 random bits in hexadecimal, to be presented as `Authorization: Bearer rbs_…`. It is told once, and
    /// only its SHA-256 is kept: null where the call was repeated under its key.
    pub secret: Option<String>,
}

impl fmt::Debug for CreatedServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedServiceToken")
            .field("service_token", &self.service_token)
            .finish_non_exhaustive()
    }
}

pub async fn create(cx: Cx<Insider>, input: CreateInput) -> Result<CreatedServiceToken> {
    policy::require(&cx.caller, Action::WriteServiceTokens)?;
    let tenant = cx.caller.tenant;
    // What the transaction answers is kept under the call's key, and the secret is no part of that.
    let mut secret = None;
    let created = cx
        .write(async |tx| {
            let (service_token, new) = issue(tx, tenant, &input).await?;
            secret = Some(new);
            Ok(CreatedServiceToken { service_token, secret: None })
        })
        .await?;
    Ok(CreatedServiceToken { secret, ..created })
}

/// Makes a token for an organization, if there may be such a one, whoever asks for it; with its secret.
pub(super) async fn issue(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    input: &CreateInput,
) -> Result<(ServiceToken, String)> {
    each_once("scopes", &input.scopes)?;
    if input.expires_at.is_some_and(|expires_at| expires_at <= tx.now) {
        return Err(Error::invalid_input("expiresAt", "not in the future"));
    }
    if store::count_service_tokens(tx, tenant).await? >= MAX_SERVICE_TOKENS {
        let problem =
            format!("the organization has {MAX_SERVICE_TOKENS} service tokens that are not revoked");
        return Err(Error::invalid_input("", problem));
    }
    let token = NewServiceToken {
        organization_id: tenant.organization_id(),
        name: input.name.clone(),
        scopes: input.scopes.clone(),
        expires_at: input.expires_at,
    };
    let (row, secret) = session::issue_service_token(tx, token).await?;
    Ok((view::present(&row)?, secret))
}
