//! What is known of a delivery's receiver when it is to be sent, and what is learned of it.

use super::store::{self, WebhookRow};
use crate::App;
use crate::caller::Tenant;
use crate::db::repeated;
use crate::delivery::Claimed;
use crate::error::Result;
use crate::values::{Secret, WebhookId};

/// Where to send, and what to sign with.
#[derive(Clone, Debug)]
pub struct Receiver {
    pub url: String,
    pub secret: Secret,
}

/// Whom a delivery goes to; nobody, once the webhook is deleted or disabled.
pub async fn receiver(app: &App, claimed: &Claimed) -> Result<Option<Receiver>> {
    let Some(id) = claimed.webhook_id() else { return Ok(None) };
    let found = store::find(&mut *app.db.read().await?, tenant(claimed), id).await?;
    let told = found.filter(|webhook| webhook.disabled_at.is_none());
    Ok(told.map(|webhook| Receiver { url: webhook.url, secret: webhook.secret }))
}

/// Sends nothing more to a receiver that said it is gone.
pub async fn disable(app: &App, claimed: &Claimed) -> Result<()> {
    let Some(id) = claimed.webhook_id() else { return Ok(()) };
    repeated(|| disable_once(app, tenant(claimed), id)).await
}

fn tenant(claimed: &Claimed) -> Tenant {
    Tenant::of(claimed.event.organization_id)
}

async fn disable_once(app: &App, tenant: Tenant, id: WebhookId) -> Result<()> {
    app.db
        .transaction(app.clock.now(), async |tx| {
            let Some(found) = store::find_locked(tx, tenant, id).await? else { return Ok(()) };
            let disabled = WebhookRow { disabled_at: found.disabled_at.or(Some(tx.now)), ..found };
            store::save(tx, disabled).await
        })
        .await
}
