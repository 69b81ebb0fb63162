//! The benchmark: what Rollbook does in a second, beside what its databases do by themselves with the same work.

mod check;
mod cluster;
mod contender;
mod data;
mod histogram;
mod load;
mod measure;
mod operation;
mod pgbench;
mod prepare;
mod progress;
mod sample;
mod sqlite;
mod suite;
mod tokens;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::cluster::Cluster;
use crate::contender::DatabaseKind;
use crate::operation::Operation;
use crate::pgbench::Extent;
use crate::prepare::Workshop;
use crate::progress::Progress;
use crate::suite::{Loaded, Plan, Suite};
use crate::tokens::Issuer;

/// Measures Rollbook, and what PostgreSQL and SQLite do by themselves, in turn.
#[derive(Parser)]
#[command(name = "tests/bench/run")]
struct Arguments {
    /// Where the PostgreSQL that `tests/bench/run` has started has its data and its socket.
    #[arg(long, hide = true)]
    cluster: PathBuf,
    /// Where PostgreSQL's programs are.
    #[arg(long, hide = true)]
    programs: PathBuf,
    /// Rollbook's binary.
    #[arg(long, default_value = "target/release/rollbook")]
    server: PathBuf,
    /// The list of who is measured.
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
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let run = async {
        tokio::select! {
            done = run(Arguments::parse()) => done,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    };
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let list = std::fs::read_to_string(&arguments.list).with_context(|| arguments.list.display().to_string())?;
    let mut contenders = contender::read(&list)?;
    if let Some(unknown) = arguments.contenders.iter().find(|name| !contenders.iter().any(|known| &known.name == *name)) {
        bail!("{unknown} is not in {}", arguments.list.display());
    }
    if !arguments.contenders.is_empty() {
        contenders.retain(|contender| arguments.contenders.contains(&contender.name));
    }
    if arguments.enrollments % 10 != 0 || arguments.enrollments > data::MOST_ENROLLMENTS {
        bail!("--enrollments is to be a multiple of ten, up to {}", data::MOST_ENROLLMENTS);
    }
    if arguments.enrollments < 10_000 && arguments.operations.iter().any(|operation| operation.reads()) {
        bail!("with less than 10000 --enrollments there is no page of 50 to be read");
    }
    let extent = Extent {
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        length: Duration::from_secs_f64(arguments.seconds),
        enrollments: arguments.enrollments,
    };
    let plan = Plan {
        operations: arguments.operations,
        connections: arguments.connections,
        rounds: arguments.rounds,
        contenders,
        extent,
    };
    let cluster = Cluster { directory: arguments.cluster, programs: arguments.programs };
    let directory = tempfile::tempdir()?;
    let issuer = Issuer::new();
    let workshop = Workshop {
        cluster: &cluster,
        rollbook: &arguments.server,
        issuer: &issuer,
        directory: directory.path(),
    };
    let progress = Progress::new(plan.cells().len() as u64);
    let postgres = workshop.postgres(extent.enrollments, &progress).await?;
    let sqlite = match plan.uses(DatabaseKind::Sqlite) {
        true => Some(workshop.sqlite(&postgres, &progress).await?),
        false => None,
    };
    progress.say("signing tokens");
    let tokens = Arc::new(issuer.tokens()?);
    let mut suite = Suite {
        workshop: &workshop,
        loaded: Loaded { postgres: Some(postgres), sqlite },
        tokens,
        extent,
        postgres_is_fresh: false,
        sqlite_is_fresh: false,
    };
    let measurements = suite.run(&plan, &progress).await?;
    progress.finish();
    println!("{} measurements", measurements.len());
    Ok(())
}
