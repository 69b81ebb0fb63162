//! Which of several processes does a job at present. A lease only saves work: every job is safe to be done by two at once, so
//! one that was paused beyond its lease does no harm.

use diesel::prelude::*;

use crate::App;
use crate::db::schema::leases;
use crate::db::{repeated, table_row};
use crate::error::Result;
use crate::limits::LEASE;
use crate::values::{Moment, ProcessId};

table_row! {
    struct Row: leases "leases" by (job) {
        job: String,
        holder: ProcessId,
        until: Moment,
    }
}

/// A process's hold on a job.
pub struct Lease {
    job: &'static str,
    holder: ProcessId,
    /// Until when the job is this process's, as far as it knows.
    until: Moment,
}

impl Lease {
    pub fn new(job: &'static str) -> Self {
        Lease { job, holder: ProcessId::new(), until: Moment::EPOCH }
    }

    /// Whether the job is this process's now. Asks the database only when half of the lease is over.
    pub async fn hold(&mut self, app: &App) -> Result<bool> {
        let now = app.clock.real();
        if now.plus(LEASE / 2) >= self.until {
            let until = now.plus(LEASE);
            let (job, holder) = (self.job, self.holder);
            let taken = repeated(|| take(app, job, holder, now, until)).await?;
            self.until = if taken { until } else { Moment::EPOCH };
        }
        Ok(now < self.until)
    }
}

impl Lease {
    /// Lets another process have the job at once. What cannot be released runs out.
    pub async fn release(&mut self, app: &App) {
        if self.until == Moment::EPOCH {
            return;
        }
        self.until = Moment::EPOCH;
        let (now, job, holder) = (app.clock.real(), self.job, self.holder);
        let released = app.db.transaction(now, async |tx| {
            let own = leases::table.filter(leases::job.eq(job.to_owned())).filter(leases::holder.eq(holder));
            Ok(tx.execute(diesel::update(own).set(leases::until.eq(now))).await?)
        });
        if let Err(error) = released.await {
            tracing::debug!(cause = ?error.cause(), job, "a lease could not be released");
        }
    }
}

async fn take(app: &App, job: &'static str, holder: ProcessId, now: Moment, until: Moment) -> Result<bool> {
    app.db
        .transaction(now, async |tx| {
            let own_or_over = leases::holder.eq(holder).or(leases::until.le(now));
            let row = leases::table.filter(leases::job.eq(job.to_owned())).filter(own_or_over);
            let taken = diesel::update(row).set((leases::holder.eq(holder), leases::until.eq(until)));
            if tx.execute(taken).await? == 1 {
                return Ok(true);
            }
            let known: Option<String> =
                tx.first(leases::table.filter(leases::job.eq(job.to_owned())).select(leases::job)).await?;
            if known.is_some() {
                return Ok(false);
            }
            tx.insert_new(&[Row { job: job.to_owned(), holder, until }]).await?;
            Ok(true)
        })
        .await
}
