//! Rollbook's procedures: the API without a socket.
//!
//! Architecture invariant: nothing here knows a wire. A procedure takes a typed input and a verified caller, reads
//! facts, lets a pure rule decide, and writes the changes with their events in one transaction.
//!
//! The modules, in reading order.

pub mod values;

pub mod limits;

pub mod metric;

pub mod error;

pub mod clock;

pub mod caller;

pub mod policy;

pub mod router;

pub mod idempotency;

pub mod db;

mod gather;

pub mod outside;

pub mod session;

pub mod organization;

pub mod member;

pub mod course;

pub mod enrollment;

pub mod module;

pub mod certificate;

pub mod user;

pub mod cohort;

pub mod event;

pub mod delivery;

pub mod lease;

pub mod webhook;

pub mod service_token;

pub mod admin;

pub mod describe;

pub mod development;

use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use db::{Lease, Transaction};

pub use caller::{Caller, Cx};
pub use clock::Clock;
pub use db::Database;
pub use error::{Error, ErrorShape, Result};
pub use router::{Call, Procedure, Router};

/// What every call shares.
pub struct App {
    pub db: Database,
    pub clock: Clock,
    /// Tells subscriptions that there are new events.
    pub wakeups: event::Wakeups,
    /// The changes of enrollments under way, those of one organization together.
    pub(crate) groups: enrollment::Groups,
    /// The look-ups of who calls under way.
    pub(crate) look_ups: session::LookUps,
    /// And of enrollments.
    pub(crate) finds: enrollment::Finds,
    /// The mutations under way: they run to their end even if their callers go away.
    pub mutations: TaskTracker,
    /// Whether webhooks may go to this machine, and identity providers be on it, unencrypted: in development mode alone.
    pub trusts_loopback: bool,
    /// Verifying an organization reads all of it: one at a time.
    pub(crate) verification: Mutex<()>,
}

impl App {
    pub fn new(db: Database) -> Self {
        App {
            db,
            clock: Clock::default(),
            wakeups: event::Wakeups::default(),
            groups: enrollment::Groups::default(),
            look_ups: session::look_ups(),
            finds: enrollment::finds(),
            mutations: TaskTracker::new(),
            trusts_loopback: false,
            verification: Mutex::default(),
        }
    }

    /// For development, where receivers of webhooks and identity providers run on the same machine.
    #[must_use]
    pub fn trusting_loopback(self) -> Self {
        App { trusts_loopback: true, ..self }
    }

    /// Measures how far the system's clock is from the database's.
    pub async fn synchronize(&self) -> Result<()> {
        // The connection first: waiting for one must not count as the time that the question took.
        let mut conn = self.db.read().await?;
        let asked = values::Moment::system();
        if let Some(time) = db::time(&mut conn).await? {
            self.clock.follow(time, asked, values::Moment::system());
        }
        Ok(())
    }

    /// Runs `work` in a transaction, and once it is committed tells those who follow the log of its events.
    pub(crate) async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.transaction_on(self.db.write().await?, None, work).await
    }

    /// The same on a connection that is at hand already; `lock_timeout` is how long it waits for a lock, if not as long as
    /// others.
    pub(crate) async fn transaction_on<T>(
        &self,
        lease: Lease,
        lock_timeout: Option<Duration>,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut events_of = None;
        let done = self
            .db
            .transaction_on(lease, lock_timeout, self.clock.now(), async |tx| {
                let done = work(tx).await?;
                event::store::append(tx)?;
                events_of = tx.events_of;
                Ok(done)
            })
            .await?;
        if let Some(organization) = events_of {
            self.wakeups.announce(organization);
        }
        Ok(done)
    }
}

/// Every procedure there is.
pub fn router() -> Router {
    Router::default()
        .merge(session::router())
        .merge(enrollment::router())
        .merge(module::router())
        .merge(certificate::router())
        .merge(user::router())
        .merge(course::router())
        .merge(cohort::router())
        .merge(member::router())
        .merge(organization::router())
        .merge(event::router())
        .merge(webhook::router())
        .merge(service_token::router())
        .merge(admin::router())
}
