//! Whether reading costs more once there is a hundred times as much.

use anyhow::{Context, Result};

use crate::contender::{Contender, DatabaseKind};
use crate::measure::{Cell, Measurement};
use crate::operation::Operation;
use crate::progress::Progress;
use crate::statistics::median;
use crate::suite::Suite;

/// Enrollments: a page of 50 is full with either.
const SIZES: [u64; 2] = [10_000, 1_000_000];

/// What is read.
pub const OPERATIONS: [Operation; 2] = [Operation::Roster, Operation::Count];

/// At how many connections.
const CONNECTIONS: usize = 64;

/// An operation at either size, a measurement a round.
#[derive(Clone, Debug)]
pub struct Growth {
    pub operation: Operation,
    pub who: String,
    pub small: Vec<Measurement>,
    pub large: Vec<Measurement>,
}

impl Growth {
    /// How many times as long it takes with more: the middle of the rounds.
    pub fn factor(&self) -> f64 {
        let factors =
            self.small.iter().zip(&self.large).map(|(small, large)| small.per_second() / large.per_second());
        median(factors).unwrap_or(f64::INFINITY)
    }
}

pub fn steps(contenders: &[Contender], rounds: usize) -> usize {
    on_postgres(contenders).count() * OPERATIONS.len() * SIZES.len() * rounds
}

fn on_postgres(contenders: &[Contender]) -> impl Iterator<Item = &Contender> {
    contenders.iter().filter(|contender| contender.database == DatabaseKind::Postgres)
}

/// Loads both sizes, and measures them in turn.
pub async fn run(
    suite: &Suite<'_>,
    contenders: &[Contender],
    rounds: usize,
    progress: &Progress,
) -> Result<Vec<Growth>> {
    let cluster = suite.workshop.cluster;
    let mut databases = Vec::new();
    for size in SIZES {
        databases.push(suite.workshop.postgres(size, progress).await?);
    }
    let mut grown: Vec<Growth> = Vec::new();
    for contender in on_postgres(contenders) {
        for operation in OPERATIONS {
            let who = contender.name.clone();
            grown.push(Growth { operation, who, small: Vec::new(), large: Vec::new() });
        }
    }
    for round in 1..=rounds {
        for growth in &mut grown {
            let contender = contenders.iter().find(|contender| contender.name == growth.who);
            let contender = contender.context("it is one of them")?;
            for (size, database) in SIZES.iter().zip(&databases) {
                let operation = growth.operation;
                progress.say(format!("round {round}, {operation} at {size} enrollments, {}", growth.who));
                cluster.warm(database).await?;
                let cell = Cell { operation, connections: CONNECTIONS, who: growth.who.clone(), round };
                let (measurement, _) = suite.contender(cell, contender, &cluster.url(database)).await?;
                progress.tell(&measurement.summary());
                progress.step();
                if *size == SIZES[0] { &mut growth.small } else { &mut growth.large }.push(measurement);
            }
        }
    }
    Ok(grown)
}
