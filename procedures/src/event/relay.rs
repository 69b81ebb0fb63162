//! Wake-ups between processes on one PostgreSQL (LISTEN/NOTIFY).
//!
//! They are sent after the commit, by a task of their own and several at a time: a NOTIFY inside a transaction would
//! make all commits of the database wait for each other. SQLite has one process, which wakes itself.

use std::sync::Arc;
use std::time::Duration;

use diesel::IntoSql;
use diesel::sql_types::Text;
use futures_util::StreamExt;

use crate::App;
use crate::db::{Connection, Lease};
use crate::error::Result;
use crate::values::OrganizationId;

/// The channel that organizations' ids are sent on.
const CHANNEL: &str = "rollbook_events";

/// How many organizations one notification names; PostgreSQL's limit is 8000 bytes.
const MOST_NAMED: usize = 200;

/// How long to rest before a lost connection is made anew.
const REST: Duration = Duration::from_secs(1);

diesel::define_sql_function! {
    fn pg_notify(channel: Text, payload: Text);
}

/// Tells the other processes what this one has written, and this one what they have, for as long as it runs.
pub async fn relay(app: Arc<App>) {
    tokio::join!(send(&app), receive(&app));
}

async fn send(app: &App) {
    loop {
        let organizations = app.wakeups.announced().await;
        for some in organizations.chunks(MOST_NAMED) {
            // Who misses a hint looks by itself a little later.
            if let Err(error) = notify(app, some).await {
                tracing::warn!(cause = ?error.cause(), "other processes could not be told of new events");
            }
        }
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

async fn receive(app: &App) {
    loop {
        match listen(app).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(cause = ?error.cause(), "the channel of new events was lost"),
        }
        tokio::time::sleep(REST).await;
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
