use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ServiceToken, view};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::session::store::{self, ServiceTokenRow};
use crate::values::ServiceTokenId;

/// Ends a service token for good: the next call with it is refused, also over a WebSocket that is open. For admins.
///
/// Revoking it again changes nothing. The record of it stays (D24).
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "ServiceTokenRevokeInput")]
#[schemars(rename = "ServiceTokenRevokeInput")]
pub struct RevokeInput {
    pub service_token_id: ServiceTokenId,
}

signature!(Revoke: Mutation "serviceToken.revoke" (RevokeInput) -> ServiceToken);

pub async fn revoke(cx: Cx<Insider>, input: RevokeInput) -> Result<ServiceToken> {
    policy::require(&cx.caller, Action::WriteServiceTokens)?;
    let tenant = cx.caller.tenant;
    cx.write(async |tx| {
        let found = store::service_token_locked(tx, tenant, input.service_token_id).await?;
        let token = found.ok_or_else(Error::not_found)?;
        if token.revoked_at.is_some() {
            return view::present(&token);
        }
        let revoked = ServiceTokenRow { revoked_at: Some(tx.now), ..token };
        store::save_service_token(tx, revoked.clone()).await?;
        view::present(&revoked)
    })
    .await
}
