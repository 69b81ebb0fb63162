//! Rollbook's procedures: the API without a socket.
//!
//! Architecture invariant: nothing here knows a wire. A procedure takes a typed input and a verified caller, reads
//! facts, lets a pure rule decide, and writes the changes with their events in one transaction.
//!
//! The modules, in reading order.

pub mod values;

pub mod limits;

pub mod error;

pub mod clock;

pub mod caller;

pub mod policy;

pub mod router;

pub mod idempotency;

pub mod db;

pub mod session;

pub mod organization;

pub mod member;

pub mod course;

pub mod enrollment;

pub mod module;

pub mod event;

pub mod describe;

pub mod development;

use tokio_util::task::TaskTracker;

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
    /// The mutations under way: they run to their end even if their callers go away.
    pub mutations: TaskTracker,
}

impl App {
    pub fn new(db: Database) -> Self {
        App { db, clock: Clock::default(), wakeups: event::Wakeups::default(), mutations: TaskTracker::new() }
    }
}

/// Every procedure there is.
pub fn router() -> Router {
    Router::default()
        .merge(session::router())
        .merge(enrollment::router())
        .merge(module::router())
        .merge(course::router())
        .merge(member::router())
        .merge(organization::router())
}
