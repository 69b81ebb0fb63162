//! What is counted and measured while the service runs: every metric with its name, unit and help, in one table.
//!
//! Recording costs next to nothing, and does nothing in a process that has no recorder. No label ever holds an id, an
//! address or the name of an organization: the values of each are few, and known beforehand.

use std::sync::OnceLock;
use std::time::Instant;

use metrics::{Counter, Histogram, Unit};

use crate::Database;
use crate::delivery::{Channel, DeliveryState};
use crate::enrollment::Sweep;
use crate::error::{Outcome, Reason, Result};

mod backlog;

pub use backlog::{Backlog, backlog};

pub const CALLS: &str = "rollbook_calls_total";
pub const CALL_DURATION: &str = "rollbook_call_duration_seconds";
pub const TRANSACTIONS: &str = "rollbook_transactions_total";
pub const BATCH_COMMANDS: &str = "rollbook_batch_commands";
pub const POOL_CONNECTIONS: &str = "rollbook_pool_connections";
pub const CONNECTIONS: &str = "rollbook_connections";
pub const RATE_LIMITED: &str = "rollbook_rate_limited_total";
pub const SWEEP_CHANGES: &str = "rollbook_sweep_changes_total";
pub const REMINDERS_SENT: &str = "rollbook_reminders_sent_total";
pub const EVENTS_BEHIND: &str = "rollbook_events_behind";
pub const DELIVERIES: &str = "rollbook_deliveries_total";
pub const DELIVERIES_PENDING: &str = "rollbook_deliveries_pending";

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Only grows, from the process's beginning on.
    Counter,
    /// As it is at the moment.
    Gauge,
    /// How many were at most so large, for each of these bounds.
    Histogram(&'static [f64]),
}

/// What is known of a metric beforehand.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub shape: Shape,
    pub unit: Unit,
    pub help: &'static str,
}

/// In seconds, up to [`CALL_DEADLINE`](crate::limits::CALL_DEADLINE).
const DURATIONS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0];

/// In commands, up to the most items of an input.
const COMMANDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// Every metric there is.
pub const METRICS: &[Metric] = &[
    Metric {
        name: CALLS,
        shape: Shape::Counter,
        unit: Unit::Count,
        help: "Calls that were answered and subscriptions that were asked for, by procedure and by the code they ended \
               with (OK or an error's).",
    },
    Metric {
        name: CALL_DURATION,
        shape: Shape::Histogram(DURATIONS),
        unit: Unit::Seconds,
        help: "Seconds that calls took, and that subscriptions took to begin, by procedure.",
    },
    Metric {
        name: TRANSACTIONS,
        shape: Shape::Counter,
        unit: Unit::Count,
        help: "Transactions that may write, by how they ended: committed, rolledBack, or unknown where the answer to a \
               COMMIT was lost for good.",
    },
    Metric {
        name: BATCH_COMMANDS,
        shape: Shape::Histogram(COMMANDS),
        unit: Unit::Count,
        help: "Enrollment commands that were carried out together in one transaction.",
    },
    Metric {
        name: POOL_CONNECTIONS,
        shape: Shape::Gauge,
        unit: Unit::Count,
        help: "Connections to the database, by pool: inUse and idle ones, and the most there may be.",
    },
    Metric {
        name: CONNECTIONS,
        shape: Shape::Gauge,
        unit: Unit::Count,
        help: "Sockets that clients have open, WebSockets included.",
    },
    Metric {
        name: RATE_LIMITED,
        shape: Shape::Counter,
        unit: Unit::Count,
        help: "Calls that were refused because there were too many, by what they are counted by: the address they come \
               from, or their caller.",
    },
    Metric {
        name: SWEEP_CHANGES,
        shape: Shape::Counter,
        unit: Unit::Count,
        help: "Enrollments that this process changed by itself, by sweep.",
    },
    Metric {
        name: REMINDERS_SENT,
        shape: Shape::Counter,
        unit: Unit::Count,
        help: "Reminders that this process wrote to the log.",
    },
    Metric {
        name: EVENTS_BEHIND,
        shape: Shape::Gauge,
        unit: Unit::Count,
        help: "Events that a reader of the log has yet to look at, in all organizations together; not a number while \
               the database is out of reach.",
    },
    Metric {
        name: DELIVERIES,
        shape: Shape::Counter,
        unit: Unit::Count,
        help: "Attempts of this process to send something, by channel: delivered, failed and to be tried again, or dead.",
    },
    Metric {
        name: DELIVERIES_PENDING,
        shape: Shape::Gauge,
        unit: Unit::Count,
        help: "Deliveries that are yet to be sent or being sent, by channel; not a number while the database is out of \
               reach.",
    },
];

/// Tells the recorder of every metric, and begins those whose labels are known at zero.
pub fn describe() {
    for Metric { name, shape, unit, help } in METRICS.iter().copied() {
        match shape {
            Shape::Counter => metrics::describe_counter!(name, unit, help),
            Shape::Gauge => metrics::describe_gauge!(name, unit, help),
            Shape::Histogram(_) => metrics::describe_histogram!(name, unit, help),
        }
    }
    for fate in [Fate::Committed, Fate::RolledBack, Fate::Unknown] {
        fate.counter().increment(0);
    }
    for by in [CountedBy::Address, CountedBy::Caller] {
        rate_limited(by, 0);
    }
    for sweep in Sweep::ALL {
        swept(sweep, 0);
    }
    for channel in Channel::ALL.iter().copied() {
        for state in DeliveryState::ALL.iter().copied() {
            if let Some(counter) = settlements(channel, state) {
                counter.increment(0);
            }
        }
    }
}

/// One procedure's calls. What is counted most is looked up once: so whoever has a recorder installs it before the
/// first call.
pub(crate) struct Calls {
    procedure: &'static str,
    duration: OnceLock<Histogram>,
    answered: OnceLock<Counter>,
}

impl Calls {
    pub(crate) const fn new(procedure: &'static str) -> Self {
        Calls { procedure, duration: OnceLock::new(), answered: OnceLock::new() }
    }

    /// A call that began then has ended so.
    pub(crate) fn ended<T>(&self, begun: Instant, outcome: &Result<T>) {
        let duration = || metrics::histogram!(CALL_DURATION, "procedure" => self.procedure);
        self.duration.get_or_init(duration).record(begun.elapsed());
        match outcome {
            Ok(_) => self.answered.get_or_init(|| self.counter("OK")).increment(1),
            Err(error) => self.counter(error.code().as_str()).increment(1),
        }
    }

    fn counter(&self, code: &'static str) -> Counter {
        metrics::counter!(CALLS, "procedure" => self.procedure, "code" => code)
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Committed,
    RolledBack,
    Unknown,
}

impl Fate {
    fn counter(self) -> Counter {
        match self {
            Fate::Committed => metrics::counter!(TRANSACTIONS, "outcome" => "committed"),
            Fate::RolledBack => metrics::counter!(TRANSACTIONS, "outcome" => "rolledBack"),
            Fate::Unknown => metrics::counter!(TRANSACTIONS, "outcome" => "unknown"),
        }
    }
}

/// A transaction under way, counted when it ends. One that nobody says the end of was cut short, so it is rolled back.
pub(crate) struct Counted(Fate);

impl Counted {
    pub(crate) fn begun() -> Self {
        Counted(Fate::RolledBack)
    }

    /// What came of its COMMIT.
    pub(crate) fn ended(mut self, committed: &Result<()>) {
        self.0 = match committed {
            Ok(()) => Fate::Committed,
            Err(error) if error.reason() == Some(&Reason::Unavailable { outcome: Outcome::Unknown }) => {
                Fate::Unknown
            }
            Err(_) => Fate::RolledBack,
        };
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.counter().increment(1);
    }
}

/// What calls are counted by, to see whether there are too many.
#[derive(Clone, Copy, Debug)]
pub enum CountedBy {
    /// Where they come from, before anyone knows who makes them.
    Address,
    /// Who makes them.
    Caller,
}

/// So many calls were refused because there were too many.
pub fn rate_limited(by: CountedBy, calls: u32) {
    let counter = match by {
        CountedBy::Address => metrics::counter!(RATE_LIMITED, "by" => "address"),
        CountedBy::Caller => metrics::counter!(RATE_LIMITED, "by" => "caller"),
    };
    counter.increment(calls.into());
}

/// So many commands were carried out together.
pub(crate) fn batch(commands: usize) {
    metrics::histogram!(BATCH_COMMANDS).record(commands as f64);
}

/// A step of a sweep has changed so many enrollments.
pub(crate) fn swept(sweep: Sweep, changed: usize) {
    let changed = changed as u64;
    metrics::counter!(SWEEP_CHANGES, "sweep" => sweep.name()).increment(changed);
    match sweep {
        Sweep::Reminders => metrics::counter!(REMINDERS_SENT).increment(changed),
        Sweep::Expiry | Sweep::ClosedWaitlists => {}
    }
}

/// An attempt to send something has come to this.
pub(crate) fn settled(channel: Channel, state: DeliveryState) {
    if let Some(counter) = settlements(channel, state) {
        counter.increment(1);
    }
}

/// None for what is no end of an attempt.
fn settlements(channel: Channel, state: DeliveryState) -> Option<Counter> {
    let outcome = match state {
        DeliveryState::Delivered => "delivered",
        // It is to be tried again.
        DeliveryState::Pending => "failed",
        DeliveryState::Dead => "dead",
        DeliveryState::Claimed => return None,
    };
    Some(metrics::counter!(DELIVERIES, "channel" => channel.as_str(), "outcome" => outcome))
}

/// Sets what the database's pools are at.
pub fn set_pools(db: &Database) {
    for pool in db.pools() {
        let states = [("inUse", pool.in_use), ("idle", pool.idle), ("most", pool.most)];
        for (state, connections) in states {
            metrics::gauge!(POOL_CONNECTIONS, "pool" => pool.name, "state" => state).set(connections as f64);
        }
    }
}

/// Sets what is left to do; not a number, if nobody knows.
pub fn set_backlog(backlog: Option<Backlog>) {
    let number = |count: fn(Backlog) -> i64| backlog.map_or(f64::NAN, |backlog| count(backlog) as f64);
    let behind = [
        ("webhook", number(|backlog| backlog.webhook_events)),
        ("mail", number(|backlog| backlog.mail_events)),
        ("seal", number(|backlog| backlog.unsealed_events)),
    ];
    for (reader, events) in behind {
        metrics::gauge!(EVENTS_BEHIND, "reader" => reader).set(events);
    }
    for channel in Channel::ALL.iter().copied() {
        let deliveries = match channel {
            Channel::Webhook => number(|backlog| backlog.webhook_deliveries),
            Channel::Mail => number(|backlog| backlog.mail_deliveries),
        };
        metrics::gauge!(DELIVERIES_PENDING, "channel" => channel.as_str()).set(deliveries);
    }
}
