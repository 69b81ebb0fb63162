//! The clock's offset lives in the database, so that several processes on one database agree.

use std::sync::Arc;
use std::time::Duration;

use procedures::error::Result;
use procedures::values::Moment;
use procedures::{App, development};

/// How soon another process's move is followed.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(500);

/// Takes the offset over, now and whenever it changes.
pub async fn follow(app: &Arc<App>) -> Result<()> {
    app.clock.set_offset_micros(development::clock_offset(&app.db).await?);
    let app = app.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(FOLLOW_INTERVAL);
        loop {
            ticks.tick().await;
            match development::clock_offset(&app.db).await {
                Ok(offset) => app.clock.set_offset_micros(offset),
                Err(error) => tracing::warn!(cause = ?error.cause(), "the clock's offset could not be read"),
            }
        }
    });
    Ok(())
}

/// Moves the clock by so many microseconds.
pub async fn advance(app: &App, micros: i64) -> Result<Moment> {
    let offset = development::clock_offset(&app.db).await?.saturating_add(micros);
    development::set_clock_offset(&app.db, app.clock.now(), offset).await?;
    app.clock.set_offset_micros(offset);
    Ok(app.clock.now())
}
