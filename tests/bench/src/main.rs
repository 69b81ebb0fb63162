//! The benchmark: what Rollbook does in a second, beside what its databases do by themselves with the same work.
//!
//! Modules in reading order: [`data`] is what there is, [`operation`] what a call is, [`contender`] who is measured;
//! [`prepare`] loads the data; [`suite`] measures what the [`plan`] says, by [`load`], [`pgbench`] and [`sqlite`], and
//! [`check`]s the rows; [`growth`] and [`idle`] are measured on their own; [`statistics`], [`targets`], [`report`] and
//! [`plot`] say what came of it.

mod arguments;
mod check;
mod cluster;
mod conditions;
mod contender;
mod data;
mod growth;
mod histogram;
mod idle;
mod load;
mod measure;
mod operation;
mod pgbench;
mod plan;
mod plot;
mod prepare;
mod progress;
mod report;
mod sample;
mod sqlite;
mod statistics;
mod suite;
mod targets;
mod tokens;

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Arguments, Wanted};
use crate::cluster::Cluster;
use crate::contender::DatabaseKind;
use crate::measure::Measurement;
use crate::prepare::Workshop;
use crate::progress::Progress;
use crate::report::Report;
use crate::statistics::median;
use crate::suite::{Loaded, Suite};
use crate::tokens::Issuer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // A server that runs is killed by being dropped.
    let done = tokio::select! {
        done = run(Arguments::parse()) => done,
        interrupted = interrupted() => interrupted,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn interrupted() -> Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    bail!("interrupted")
}

async fn run(arguments: Arguments) -> Result<()> {
    let cluster = Cluster { directory: arguments.cluster.clone(), programs: arguments.programs.clone() };
    let rollbook = arguments.server.clone();
    let Wanted { plan, extent, growth, idle_sockets, idle, output } = arguments.wanted()?;
    let directory = tempfile::tempdir()?;
    let issuer = Issuer::new();
    let workshop =
        Workshop { cluster: &cluster, rollbook: &rollbook, issuer: &issuer, directory: directory.path() };
    let grown = if growth { growth::steps(&plan.contenders, plan.rounds) } else { 0 };
    let progress = Progress::new((plan.cells().len() + grown + usize::from(idle_sockets > 0)) as u64);

    let signer = issuer.clone();
    let signing = tokio::task::spawn_blocking(move || signer.tokens());
    // SQLite's data comes from PostgreSQL.
    let postgres = workshop.postgres(extent.enrollments, &progress).await?;
    workshop.prove(&postgres, &progress).await?;
    let sqlite = match plan.uses(DatabaseKind::Sqlite) {
        true => Some(workshop.sqlite(&postgres, &progress).await?),
        false => None,
    };
    progress.say("signing tokens");
    let tokens = Arc::new(signing.await??);
    let conditions = conditions::conditions(&cluster, &rollbook).await?;

    let mut suite = Suite::new(&workshop, Loaded { postgres, sqlite }, tokens, extent);
    let measurements = suite.run(&plan, &progress).await?;
    let idle = match plan.contenders.first() {
        Some(contender) if idle_sockets > 0 => {
            Some(idle::run(&mut suite, contender, idle_sockets, idle, &progress).await?)
        }
        Some(_) | None => None,
    };
    let growth = match growth {
        true => growth::run(&suite, &plan.contenders, plan.rounds, &progress).await?,
        false => Vec::new(),
    };
    progress.finish();

    let rows = statistics::rows(&measurements, &plan.contenders);
    let targets = targets::targets(&plan.contenders, &rows, &growth, idle.as_ref());
    let report = Report {
        conditions: [conditions, plan.conditions(&extent), vec![disturbance(&measurements)]].concat(),
        rows: &rows,
        targets: &targets,
        growth: &growth,
        idle: idle.as_ref(),
        plot: "results.svg",
    };
    let text = report.markdown();
    fs::create_dir_all(&output)?;
    for (name, text) in [("results.md", &text), ("results.svg", &plot::svg(&rows))] {
        let path = output.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    println!("{text}");
    Ok(())
}

/// What anything else on the machine has taken, which would make the figures worse than they are.
fn disturbance(measurements: &[Measurement]) -> (String, String) {
    let parts = || measurements.iter().map(|measurement| measurement.disturbed() * 100.0);
    let (usual, most) = (median(parts()).unwrap_or_default(), parts().fold(0.0, f64::max));
    ("the machine's time that anything else took".into(), format!("{usual:.1} %, at the most {most:.1} %"))
}
