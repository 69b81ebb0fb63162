//! What is left to do in all organizations together. SQL rather than diesel's builder: five sums, as of one moment.

use diesel::QueryableByName;
use diesel::sql_types::BigInt;

use crate::App;
use crate::error::Result;

/// What the readers of the log and the senders have before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Backlog {
    /// Events that are yet to be looked at for webhooks, once for each webhook.
    #[diesel(sql_type = BigInt)]
    pub webhook_events: i64,
    /// Events that are yet to be looked at for mail.
    #[diesel(sql_type = BigInt)]
    pub mail_events: i64,
    /// Events that the chain of seals does not reach yet.
    #[diesel(sql_type = BigInt)]
    pub unsealed_events: i64,
    /// Deliveries to webhooks that are not settled.
    #[diesel(sql_type = BigInt)]
    pub webhook_deliveries: i64,
    /// Deliveries by mail that are not settled.
    #[diesel(sql_type = BigInt)]
    pub mail_deliveries: i64,
}

/// The same text for both databases. It reads one row an organization and webhook, the last seals by their key, and
/// what `deliveries_due` has.
const BACKLOG: &str = "SELECT
    (SELECT CAST(coalesce(sum(head.last_number - webhook.cursor), 0) AS bigint)
        FROM webhooks AS webhook
        JOIN event_heads AS head ON head.organization_id = webhook.organization_id
        WHERE webhook.deleted_at IS NULL AND webhook.disabled_at IS NULL) AS webhook_events,
    (SELECT CAST(coalesce(sum(head.last_number - mail.cursor), 0) AS bigint)
        FROM mail_cursors AS mail
        JOIN event_heads AS head ON head.organization_id = mail.organization_id) AS mail_events,
    (SELECT CAST(coalesce(sum(sealed.last_number - sealed.seal), 0) AS bigint)
        FROM (SELECT head.last_number, coalesce((SELECT max(seal.number) FROM event_seals AS seal
            WHERE seal.organization_id = head.organization_id), 0) AS seal FROM event_heads AS head) AS sealed
    ) AS unsealed_events,
    (SELECT count(*) FROM deliveries
        WHERE channel = 'webhook' AND state IN ('pending', 'claimed')) AS webhook_deliveries,
    (SELECT count(*) FROM deliveries
        WHERE channel = 'mail' AND state IN ('pending', 'claimed')) AS mail_deliveries";

/// What is left to do at this moment.
pub async fn backlog(app: &App) -> Result<Backlog> {
    let mut lease = app.db.read().await?;
    Ok(lease.one(diesel::sql_query(BACKLOG)).await?)
}
