//! What the benchmark is told, on the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::contender::{self, Contender};
use crate::data::MOST_ENROLLMENTS;
use crate::operation::Operation;
use crate::pgbench::Extent;
use crate::plan::Plan;
use crate::targets::IDLE_SOCKETS;

/// So many enrollments make a page of 50 in every course that is read.
const LEAST_READ: u64 = 10_000;

/// How long WebSockets are idle: Rollbook pings each of them meanwhile.
const IDLE: Duration = Duration::from_secs(40);
const QUICK_IDLE: Duration = Duration::from_secs(2);

/// What `--quick` decides.
const QUICK_SETS: [&str; 8] =
    ["enrollments", "connections", "rounds", "seconds", "warm_up", "growth", "idle_sockets", "output"];

/// Measures Rollbook, and what PostgreSQL and SQLite do by themselves, in turn.
#[derive(Parser)]
#[command(name = "bench", override_usage = "tests/bench/run [OPTIONS]")]
pub struct Arguments {
    /// Where the PostgreSQL that `tests/bench/run` has started has its data and its socket.
    #[arg(long, hide = true)]
    pub cluster: PathBuf,
    /// Where PostgreSQL's programs are.
    #[arg(long, hide = true)]
    pub programs: PathBuf,
    /// Rollbook's binary.
    #[arg(long, default_value = "target/release/rollbook")]
    pub server: PathBuf,
    /// The list of who can be measured.
    #[arg(long, default_value = "tests/bench/contenders")]
    list: PathBuf,
    /// Who of the list is measured; all, unless told.
    #[arg(long, value_delimiter = ',')]
    contenders: Vec<String>,
    /// What is measured.
    #[arg(long, value_delimiter = ',', default_value = "enroll,mixed,get,roster,count")]
    operations: Vec<Operation>,
    /// At how many connections.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256")]
    connections: Vec<usize>,
    /// How many enrollments are there to begin with: a multiple of ten, up to a million.
    #[arg(long, default_value_t = 100_000)]
    enrollments: u64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each time, in seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// And how long it warms up before.
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// Also whether reading costs more with 1,000,000 enrollments than with 10,000.
    #[arg(long)]
    growth: bool,
    /// How many WebSockets are held open to see what memory they take; 0 for none.
    #[arg(long, default_value_t = IDLE_SOCKETS)]
    idle_sockets: usize,
    /// The directory that results.md and results.svg are written to.
    #[arg(long, default_value = "tests/bench")]
    output: PathBuf,
    /// All of it in about a minute, only to see that it works; written to target/bench.
    #[arg(long, conflicts_with_all = QUICK_SETS)]
    quick: bool,
}

/// The same, understood.
pub struct Wanted {
    pub plan: Plan,
    pub extent: Extent,
    pub growth: bool,
    pub idle_sockets: usize,
    /// How long they are idle.
    pub idle: Duration,
    pub output: PathBuf,
}

impl Arguments {
    pub fn wanted(mut self) -> Result<Wanted> {
        if self.quick {
            (self.enrollments, self.connections, self.rounds) = (LEAST_READ, vec![64], 1);
            (self.seconds, self.warm_up, self.idle_sockets) = (0.5, 0.5, 500);
            self.output = "target/bench".into();
        }
        if !self.enrollments.is_multiple_of(10) || self.enrollments > MOST_ENROLLMENTS {
            bail!("--enrollments is to be a multiple of ten, up to {MOST_ENROLLMENTS}");
        }
        if self.enrollments < LEAST_READ && self.operations.iter().any(|operation| operation.reads()) {
            bail!("with less than {LEAST_READ} --enrollments there is no page of 50 to be read");
        }
        let extent = Extent {
            warm_up: Duration::try_from_secs_f64(self.warm_up)?,
            length: Duration::try_from_secs_f64(self.seconds)?,
            enrollments: self.enrollments,
        };
        let contenders = self.chosen()?;
        let plan = Plan {
            operations: self.operations,
            connections: self.connections,
            rounds: self.rounds,
            contenders,
        };
        let (growth, idle_sockets, output) = (self.growth, self.idle_sockets, self.output);
        let idle = if self.quick { QUICK_IDLE } else { IDLE };
        Ok(Wanted { plan, extent, growth, idle_sockets, idle, output })
    }

    /// Those of the list who are to be measured.
    fn chosen(&self) -> Result<Vec<Contender>> {
        let list = std::fs::read_to_string(&self.list).with_context(|| self.list.display().to_string())?;
        let mut contenders = contender::read(&list)?;
        for name in &self.contenders {
            if !contenders.iter().any(|contender| &contender.name == name) {
                bail!("{name} is not in {}", self.list.display());
            }
        }
        if !self.contenders.is_empty() {
            contenders.retain(|contender| self.contenders.contains(&contender.name));
        }
        Ok(contenders)
    }
}
