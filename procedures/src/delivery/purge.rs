use super::store;
use crate::App;
use crate::error::Result;
use crate::limits::{DELIVERY_PURGE, DELIVERY_RETENTION};

/// Deletes deliveries that were settled long ago, some at a time; answers how many. They are no domain data (D24 keeps
/// that): the event stays in the log, and `webhook.redeliver` can still send it.
pub async fn purge(app: &App) -> Result<usize> {
    let until = app.clock.real().minus(DELIVERY_RETENTION);
    app.db.transaction(app.clock.real(), async |tx| store::purge(tx, until, DELIVERY_PURGE).await).await
}
