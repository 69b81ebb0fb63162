//! What happens by itself: sweeps over enrollments, events handed on to those who are to be told, the log sealed.
//!
//! Each is a job of its own, so that one that has much to do, or fails, holds up no other. Any number of processes may run
//! them. One of them has a job's lease, which saves the others the work; should two think that they have it, what one has
//! done the other finds done.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use procedures::App;
use procedures::delivery::{Channel, dispatch};
use procedures::enrollment::{Sweep, sweep};
use procedures::error::{Error, Result};
use procedures::event::seal;
use procedures::lease::Lease;
use procedures::limits::LEASE;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer;
use crate::limits::{CLOCK_INTERVAL, JOB_DUTY, SCHEDULER_INTERVAL, STATISTICS_INTERVAL};

/// Whatever happens to a process, another one does its jobs soon after the clock was moved.
const _: () = assert!(LEASE.as_millis() + SCHEDULER_INTERVAL.as_millis() <= 5_000);

/// Something that is done by itself, a step at a time; whether there is more of it.
#[derive(Clone, Copy)]
struct Job {
    name: &'static str,
    step: for<'a> fn(&'a App) -> BoxFuture<'a, Result<bool>>,
}

const JOBS: [Job; 5] = [
    Job { name: "expiry", step: |app| swept(app, Sweep::Expiry).boxed() },
    Job { name: "closed waitlists", step: |app| swept(app, Sweep::ClosedWaitlists).boxed() },
    Job { name: "reminders", step: |app| swept(app, Sweep::Reminders).boxed() },
    Job { name: "webhooks", step: |app| dispatched(app, Channel::Webhook).boxed() },
    Job { name: "seals", step: |app| async { Ok(seal(app).await?.more) }.boxed() },
];

/// For those processes alone that send mail.
const MAIL: Job = Job { name: "mail", step: |app| dispatched(app, Channel::Mail).boxed() };

/// Runs the jobs until told to stop, each to the end of its step.
pub fn start(app: &Arc<App>, sends_mail: bool, stop: &CancellationToken) -> TaskTracker {
    let tasks = TaskTracker::new();
    for job in JOBS.into_iter().chain(sends_mail.then_some(MAIL)) {
        tasks.spawn(run(app.clone(), job, stop.clone()));
    }
    tasks.spawn(follow_the_database_s_clock(app.clone(), stop.clone()));
    tasks.spawn(keep_statistics(app.clone(), stop.clone()));
    tasks.close();
    tasks
}

async fn run(app: Arc<App>, job: Job, stop: CancellationToken) {
    let mut lease = Lease::new(job.name);
    while !stop.is_cancelled() {
        let begun = Instant::now();
        match AssertUnwindSafe(round(&app, job, &mut lease, &stop)).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                answer::log(&error, None, job.name);
                // Perhaps another process can.
                lease.release(&app).await;
            }
            Err(_) => {
                answer::log(&Error::internal("a panic"), None, job.name);
                lease.release(&app).await;
            }
        }
        let rest = (begun.elapsed() * JOB_DUTY).clamp(SCHEDULER_INTERVAL, SCHEDULER_INTERVAL * 4);
        stop.run_until_cancelled(sleep(rest)).await;
    }
    lease.release(&app).await;
}

/// All that is due, for as long as the lease is held.
async fn round(app: &App, job: Job, lease: &mut Lease, stop: &CancellationToken) -> Result<()> {
    while !stop.is_cancelled() && lease.hold(app).await? {
        if !(job.step)(app).await? {
            break;
        }
    }
    Ok(())
}

async fn swept(app: &App, kind: Sweep) -> Result<bool> {
    let swept = sweep(app, kind).await?;
    if swept.changed > 0 {
        tracing::info!(sweep = kind.name(), changed = swept.changed, more = swept.more, "swept");
    }
    Ok(swept.more)
}

async fn dispatched(app: &App, channel: Channel) -> Result<bool> {
    let dispatched = dispatch(app, channel).await?;
    if dispatched.deliveries > 0 {
        let (events, deliveries, more) = (dispatched.events, dispatched.deliveries, dispatched.more);
        tracing::info!(channel = channel.as_str(), events, deliveries, more, "dispatched");
    }
    Ok(dispatched.more)
}

async fn follow_the_database_s_clock(app: Arc<App>, stop: CancellationToken) {
    let mut rest = CLOCK_INTERVAL;
    while stop.run_until_cancelled(sleep(rest)).await.is_some() {
        rest = match app.synchronize().await {
            Ok(()) => CLOCK_INTERVAL,
            Err(error) => {
                answer::log(&error, None, "clock");
                Duration::from_secs(1)
            }
        };
    }
}

/// PostgreSQL keeps its statistics itself.
async fn keep_statistics(app: Arc<App>, stop: CancellationToken) {
    loop {
        if let Err(error) = app.db.keep_statistics().await {
            answer::log(&error, None, "statistics");
        }
        if stop.run_until_cancelled(sleep(STATISTICS_INTERVAL)).await.is_none() {
            return;
        }
    }
}
