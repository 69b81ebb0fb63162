//! What happens by itself: sweeps over enrollments, events handed on to those who are to be told, the log sealed.
//!
//! Any number of processes may run it. One of them has the lease, which saves the others the work; should two think
//! that they have it, what one has done the other finds done.

use std::sync::Arc;
use std::time::Duration;

use procedures::App;
use procedures::delivery::{Channel, dispatch};
use procedures::enrollment::{Sweep, sweep};
use procedures::error::{Error, Result};
use procedures::event::seal;
use procedures::lease::Lease;
use tokio::time::{Instant, MissedTickBehavior};

use crate::answer;
use crate::limits::{CLOCK_INTERVAL, SCHEDULER_INTERVAL};

const JOB: &str = "scheduler";

/// One round must come soon after the clock was moved.
const _: () = assert!(SCHEDULER_INTERVAL.as_millis() < Duration::from_secs(5).as_millis());

/// Runs for as long as the server does, and hands events on by these channels.
pub async fn run(app: Arc<App>, channels: Vec<Channel>) {
    let mut lease = Lease::new(JOB);
    let mut ticks = tokio::time::interval(SCHEDULER_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut synchronized = Instant::now();
    loop {
        ticks.tick().await;
        if synchronized.elapsed() >= CLOCK_INTERVAL {
            synchronized = Instant::now();
            logged(app.synchronize().await);
        }
        logged(round(&app, &mut lease, &channels).await);
    }
}

/// All that is due, for as long as the lease is held.
async fn round(app: &App, lease: &mut Lease, channels: &[Channel]) -> Result<()> {
    for kind in Sweep::ALL {
        let (begun, mut changed) = (Instant::now(), 0);
        while lease.hold(app).await? {
            let swept = sweep(app, kind).await?;
            changed += swept.changed;
            if swept.changed > 0 {
                let (sweep, seconds) = (kind.name(), begun.elapsed().as_secs());
                tracing::info!(sweep, changed, seconds, more = swept.more, "swept");
            }
            if !swept.more {
                break;
            }
        }
    }
    for channel in channels {
        while lease.hold(app).await? {
            let dispatched = dispatch(app, *channel).await?;
            if dispatched.events == 0 {
                break;
            }
            let (channel, deliveries) = (channel.as_str(), dispatched.deliveries);
            tracing::debug!(channel, events = dispatched.events, deliveries, "dispatched");
        }
    }
    while lease.hold(app).await? {
        if !seal(app).await?.more {
            break;
        }
    }
    Ok(())
}

fn logged(done: Result<(), Error>) {
    if let Err(error) = done {
        answer::log(&error, None, JOB);
    }
}
