//! What is asked of the figures.

use crate::contender::{Contender, DatabaseKind};
use crate::growth::Growth;
use crate::idle::Idle;
use crate::operation::Operation;
use crate::statistics::Row;

/// What a measured figure has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure that something is asked of; one that was not measured is none.
#[derive(Clone, Debug)]
pub struct Target {
    pub what: String,
    pub who: String,
    pub bound: Bound,
    pub unit: &'static str,
    pub measured: Option<f64>,
}

impl Target {
    pub fn is_met(&self) -> Option<bool> {
        let measured = self.measured?;
        Some(match self.bound {
            Bound::AtLeast(least) => measured >= least,
            Bound::AtMost(most) => measured <= most,
        })
    }
}

/// Ratios to what the database does by itself: operation, connections, at least.
const ON_POSTGRES: [(Operation, usize, f64); 4] = [
    (Operation::Enroll, 64, 1.5),
    (Operation::Enroll, 1, 0.7),
    (Operation::Get, 64, 0.5),
    (Operation::Roster, 64, 0.6),
];
const ON_SQLITE: [(Operation, usize, f64); 1] = [(Operation::Enroll, 64, 0.5)];

/// A hundred times as many enrollments make reading slower by this factor at the most.
const GROWTH: f64 = 1.2;

/// Megabytes under load, and with ten thousand idle WebSockets.
const LOADED: f64 = 80.0;
const IDLE: f64 = 300.0;
pub const IDLE_SOCKETS: usize = 10_000;

pub fn targets(
    contenders: &[Contender],
    rows: &[Row],
    growth: &[Growth],
    idle: Option<&Idle>,
) -> Vec<Target> {
    let mut targets = Vec::new();
    for contender in contenders {
        let who = contender.name.clone();
        let (ratios, by_itself) = match contender.database {
            DatabaseKind::Postgres => (&ON_POSTGRES[..], "pgbench's one statement"),
            DatabaseKind::Sqlite => (&ON_SQLITE[..], "SQLite by itself, 32 a transaction"),
        };
        for (operation, connections, least) in ratios {
            let row = rows
                .iter()
                .find(|row| row.who == who && row.operation == *operation && row.connections == *connections);
            targets.push(Target {
                what: format!("{operation} at {connections}, to {by_itself}"),
                who: who.clone(),
                bound: Bound::AtLeast(*least),
                unit: " ×",
                measured: row.and_then(|row| row.ratio),
            });
        }
        if contender.database == DatabaseKind::Postgres {
            for operation in crate::growth::OPERATIONS {
                let grown = growth.iter().find(|growth| growth.who == who && growth.operation == operation);
                targets.push(Target {
                    what: format!("{operation}, time at 1,000,000 enrollments to that at 10,000"),
                    who: who.clone(),
                    bound: Bound::AtMost(GROWTH),
                    unit: " ×",
                    measured: grown.map(Growth::factor),
                });
            }
        }
        targets.push(Target {
            what: "the most memory under load".into(),
            who: who.clone(),
            bound: Bound::AtMost(LOADED),
            unit: " MB",
            measured: rows
                .iter()
                .filter(|row| row.who == who)
                .filter_map(|row| row.peak)
                .max()
                .map(megabytes),
        });
        // Idle sockets are on one of them.
        if contenders.first() == Some(contender) {
            targets.push(Target {
                what: format!("memory with {IDLE_SOCKETS} idle WebSockets"),
                who,
                bound: Bound::AtMost(IDLE),
                unit: " MB",
                measured: idle
                    .filter(|idle| idle.sockets >= IDLE_SOCKETS)
                    .map(|idle| megabytes(idle.with.peak)),
            });
        }
    }
    targets
}

/// Of KiB.
pub fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics;

    #[test]
    fn a_target_is_met_or_missed_or_not_measured() {
        let (measurements, contenders) = statistics::tests::example();
        let rows = statistics::rows(&measurements, &contenders);
        let targets = targets(&contenders, &rows, &[], None);
        let met = |what: &str| targets.iter().find(|target| target.what.starts_with(what)).unwrap().is_met();
        assert_eq!(met("enroll at 64"), Some(true));
        assert_eq!(met("enroll at 1,"), None);
        assert_eq!(met("the most memory under load"), Some(true));
        assert_eq!(met("memory with"), None);
    }
}
