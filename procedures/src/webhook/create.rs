use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::store::{self, WebhookRow};
use super::{SECRET_PREFIX, Webhook, view};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::event::{self, EventKind};
use crate::limits::MAX_WEBHOOKS;
use crate::outside::{UrlText, callable_url};
use crate::policy::{self, Action};
use crate::router::{each_once, signature};
use crate::values::{Secret, WebhookId};

/// Has the organization's events sent to an address of its own, from the next one on. For admins.
///
/// Each is a POST of `{type: "enrollment.<kind>", timestamp, data: Event}`, signed with the secret as Standard Webhooks
/// say. An organization has at most 20.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "WebhookCreateInput", optional_fields = nullable)]
#[schemars(rename = "WebhookCreateInput")]
pub struct CreateInput {
    /// `https`, without credentials, at most 2000 characters, at a public address.
    pub url: UrlText,
    /// The kinds of events that are sent, at least one, each once; all unless told.
    #[schemars(length(min = 1, max = EventKind::ALL.len()))]
    pub kinds: Option<Vec<EventKind>>,
}

signature!(Create: Mutation "webhook.create" (CreateInput) -> CreatedWebhook);

/// A new webhook with its secret, which no other answer tells.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedWebhook {
    pub webhook: Webhook,
    /// `whsec_` and 32 random bytes in base64, as libraries for Standard Webhooks take it. It is told once: null where
    /// the call was repeated under its key.
    pub secret: Option<String>,
}

impl fmt::Debug for CreatedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedWebhook").field("webhook", &self.webhook).finish_non_exhaustive()
    }
}

pub async fn create(cx: Cx<Insider>, input: CreateInput) -> Result<CreatedWebhook> {
    policy::require(&cx.caller, Action::WriteWebhooks)?;
    let tenant = cx.caller.tenant;
    let url = callable_url(input.url.as_str(), cx.app.trusts_loopback)
        .map_err(|problem| Error::invalid_input("url", problem))?;
    if let Some(kinds) = &input.kinds {
        each_once("kinds", kinds)?;
    }
    // What the transaction answers is kept under the call's key, and the secret is no part of that.
    let mut secret = None;
    let created = cx
        .write(async |tx| {
            if store::count(tx, tenant).await? >= MAX_WEBHOOKS {
                let problem = format!("the organization has {MAX_WEBHOOKS} webhooks");
                return Err(Error::invalid_input("url", problem));
            }
            let new = new_secret()?;
            let webhook = WebhookRow {
                id: WebhookId::new(),
                organization_id: tenant.organization_id(),
                url: url.to_string(),
                kinds: input.kinds.as_deref().map(as_kept),
                secret: Secret::new(new.clone()),
                cursor: event::store::head(tx, tenant).await?.0,
                failures: 0,
                retry_at: None,
                disabled_at: None,
                deleted_at: None,
                created_at: tx.now,
            };
            store::insert(tx, webhook.clone()).await?;
            secret = Some(new);
            Ok(CreatedWebhook { webhook: view::present(&webhook), secret: None })
        })
        .await?;
    Ok(CreatedWebhook { secret, ..created })
}

fn as_kept(kinds: &[EventKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")
}

fn new_secret() -> Result<String> {
    let mut bits = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bits).map_err(Error::internal)?;
    Ok(format!("{SECRET_PREFIX}{}", STANDARD.encode(bits)))
}
