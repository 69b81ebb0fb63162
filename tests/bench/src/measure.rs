//! One measurement: what was done in a window of time, and what it took.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep_until;

use crate::histogram::Histogram;
use crate::load::Window;
use crate::operation::Operation;
use crate::sample::{Cpu, Watched};

/// What is measured: an operation by one of those compared, at so many connections, in one of the rounds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub operation: Operation,
    pub connections: usize,
    pub who: String,
    pub round: usize,
}

#[derive(Clone, Debug)]
pub struct Measurement {
    pub cell: Cell,
    pub calls: u64,
    /// How long the window was.
    pub seconds: f64,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    /// CPU seconds, within the window.
    pub cpu: Cpu,
    /// The most memory that the server ever had, in KiB.
    pub peak: Option<u64>,
}

impl Measurement {
    pub fn new(cell: Cell, window: &Window, latencies: &Histogram, cpu: Cpu, peak: Option<u64>) -> Self {
        let (p50, p99) = (latencies.quantile(0.5), latencies.quantile(0.99));
        Measurement { cell, calls: latencies.count(), seconds: window.seconds(), p50, p99, cpu, peak }
    }

    pub fn per_second(&self) -> f64 {
        self.calls as f64 / self.seconds
    }

    /// CPU time a call, in microseconds.
    pub fn per_call(&self, cpu_seconds: f64) -> f64 {
        cpu_seconds * 1e6 / self.calls.max(1) as f64
    }

    /// How much of the machine's time anything else has taken.
    pub fn disturbed(&self) -> f64 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.cpu.other / (self.seconds * cores as f64)
    }

    /// In a line.
    pub fn summary(&self) -> String {
        let milliseconds = |took: Option<Duration>| took.map_or(0.0, |took| took.as_secs_f64() * 1e3);
        format!(
            "{:.0} a second, p50 {:.2} ms, p99 {:.2} ms; CPU a call: server {:.0} µs, PostgreSQL {:.0}, load {:.0}; \
             others: {:.1} s",
            self.per_second(),
            milliseconds(self.p50),
            milliseconds(self.p99),
            self.per_call(self.cpu.server.unwrap_or(0.0)),
            self.per_call(self.cpu.postgres.unwrap_or(0.0)),
            self.per_call(self.cpu.load),
            self.cpu.other,
        )
    }
}

/// What processes use within a window that is to come.
pub async fn cpu_within(window: &Window, watched: Watched) -> Result<Cpu> {
    sleep_until(window.begins).await;
    let begun = watched.sample()?;
    sleep_until(window.ends).await;
    Ok(begun.until(&watched.sample()?))
}
