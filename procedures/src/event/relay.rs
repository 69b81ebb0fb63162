//! Wake-ups between processes: by LISTEN/NOTIFY on PostgreSQL, and on either database by a look at the logs' heads now
//! and then, one for all that wait, which makes up for any that was lost.
//!
//! Notifications are sent after the commit, by a task of their own and several at a time: a NOTIFY inside a transaction
//! would make all commits of the database wait for each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::IntoSql;
use diesel::sql_types::Text;
use futures_util::StreamExt;
use tokio::time::MissedTickBehavior;

use super::{EventId, store};
use crate::App;
use crate::db::{Connection, Lease};
use crate::error::Result;
use crate::limits::{LOOK_INTERVAL, NOTIFICATION_REST, NOTIFIED_AT_ONCE, OUTAGE_REST};
use crate::values::OrganizationId;

/// The channel that organizations' ids are sent on.
const CHANNEL: &str = "rollbook_events";

diesel::define_sql_function! {
    fn pg_notify(channel: Text, payload: Text);
}

/// Tells the other processes what this one has written, and this one what they have, for as long as it runs.
pub async fn relay(app: Arc<App>) {
    tokio::join!(notify_others(&app), listen_to_others(&app), look(&app));
}

/// Wakes those whose organization's log has grown, whoever wrote to it.
pub async fn look(app: &App) {
    let mut known = BTreeMap::new();
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match heads(app).await {
            Ok(heads) => {
                for (organization, head) in &heads {
                    if known.get(organization) != Some(head) {
                        app.wakeups.wake(*organization);
                    }
                }
                known = heads;
            }
            Err(error) => tracing::debug!(cause = ?error.cause(), "the logs could not be looked at"),
        }
    }
}

/// Where the logs end that somebody waits for.
async fn heads(app: &App) -> Result<BTreeMap<OrganizationId, EventId>> {
    match app.wakeups.listened() {
        organizations if organizations.is_empty() => Ok(BTreeMap::new()),
        organizations => store::heads(&mut *app.db.read().await?, &organizations).await,
    }
}

/// Tells the other processes what this one has written; on SQLite there are none to be told.
pub async fn notify_others(app: &App) {
    if !app.db.is_postgres() {
        return;
    }
    loop {
        let organizations = app.wakeups.announced().await;
        for some in organizations.chunks(NOTIFIED_AT_ONCE) {
            // What is not told now is found by a look a little later.
            if let Err(error) = notify(app, some).await {
                tracing::warn!(cause = ?error.cause(), "other processes could not be told of new events");
            }
        }
        // Each notification is a commit; the next one tells of all that is written meanwhile.
        tokio::time::sleep(NOTIFICATION_REST).await;
    }
}

async fn notify(app: &App, organizations: &[OrganizationId]) -> Result<()> {
    let payload = organizations.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let mut lease = app.db.read().await?;
    if let Connection::Postgres(conn) = &mut *lease {
        let notify = diesel::select(pg_notify(CHANNEL.into_sql::<Text>(), payload.into_sql::<Text>()));
        diesel_async::RunQueryDsl::execute(notify, conn).await?;
    }
    Ok(())
}

/// Wakes those whose organization another process has written to.
pub async fn listen_to_others(app: &App) {
    loop {
        match listen(app).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(cause = ?error.cause(), "the channel of new events was lost"),
        }
        tokio::time::sleep(OUTAGE_REST).await;
    }
}

/// Listens until the connection is lost; not at all on SQLite.
async fn listen(app: &App) -> Result<()> {
    // Out of the pool: this connection is never given back.
    let Connection::Postgres(mut conn) = Lease::take(app.db.read().await?) else { return Ok(()) };
    let listen = diesel::sql_query(format!("LISTEN {CHANNEL}"));
    diesel_async::RunQueryDsl::execute(listen, &mut conn).await?;
    // What was announced while nobody listened.
    app.wakeups.wake_all();
    let mut notifications = std::pin::pin!(conn.notifications_stream());
    while let Some(notification) = notifications.next().await {
        for organization in notification?.payload.split(',').filter_map(|id| id.parse().ok()) {
            app.wakeups.wake(organization);
        }
    }
    Err(crate::error::Error::internal("the connection ended"))
}
