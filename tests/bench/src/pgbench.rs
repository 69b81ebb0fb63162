//! What PostgreSQL itself does: `pgbench` with statements that do a call's work, on the same data.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::Instant;
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::histogram::Histogram;
use crate::load::Window;
use crate::measure::{Cell, Measurement, cpu_within};
use crate::operation::Operation;
use crate::sample::Watched;

/// What the transactions' log begins with, in the directory for files.
const LOG: &str = "pgbench";

/// A script, by its name in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    pub name: &'static str,
    text: &'static str,
}

const ENROLL: Script = Script { name: "pgbench", text: include_str!("../sql/pgbench/enroll.sql") };
const ENROLL_STEPS: Script =
    Script { name: "pgbench, step by step", text: include_str!("../sql/pgbench/enroll_steps.sql") };
const GET: Script = Script { name: "pgbench", text: include_str!("../sql/pgbench/get.sql") };
const ROSTER: Script = Script { name: "pgbench", text: include_str!("../sql/pgbench/roster.sql") };
const COUNT: Script = Script { name: "pgbench", text: include_str!("../sql/pgbench/count.sql") };

impl Script {
    /// What an operation is compared with; the first one is what ratios are of.
    pub fn of(operation: Operation) -> &'static [Script] {
        match operation {
            Operation::Enroll => &[ENROLL, ENROLL_STEPS],
            Operation::Mixed => &[],
            Operation::Get => &[GET],
            Operation::Roster => &[ROSTER],
            Operation::Count => &[COUNT],
        }
    }
}

/// How long to warm up and to measure, and on how many enrollments.
#[derive(Clone, Copy)]
pub struct Extent {
    pub warm_up: Duration,
    pub length: Duration,
    pub enrollments: u64,
}

/// Runs a script; answers also how many transactions there were in all.
pub async fn run(
    cluster: &Cluster,
    database: &str,
    script: Script,
    cell: Cell,
    extent: Extent,
    directory: &Path,
) -> Result<(Measurement, u64)> {
    let file = directory.join("script.sql");
    fs::write(&file, script.text)?;
    let clients = cell.connections;
    // A second more, so that it has not ended when the window does.
    let seconds = (extent.warm_up + extent.length).as_secs_f64().ceil() as u64 + 1;
    let child = Command::new(cluster.programs.join("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--log"])
        .arg(format!("--log-prefix={}", directory.join(LOG).display()))
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(2)))
        .arg(format!("--time={seconds}"))
        .arg(format!("--define=enrollments={}", extent.enrollments))
        .arg(format!("--define=clients={clients}"))
        .arg("--define=turn=-1")
        .arg(format!("--define=after={}", Uuid::nil()))
        .arg(format!("--file={}", file.display()))
        .arg(database)
        .env("PGHOST", &cluster.directory)
        .env("PGUSER", "postgres")
        // Planned once, as the server has it.
        .env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("pgbench cannot be started")?;
    let window = Window::after(extent.warm_up, extent.length);
    let (instant, epoch) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
    let id = child.id().context("pgbench has ended already")?;
    let watched = Watched { server: None, postgres: Some(cluster.postmaster()?), load: id };
    let cpu = cpu_within(&window, watched).await?;
    let output = child.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || !said.contains("number of failed transactions: 0 ") {
        bail!("pgbench has failed: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let transactions =
        said.lines().find_map(|line| line.strip_prefix("number of transactions actually processed: "));
    let transactions = transactions.and_then(|number| number.parse().ok());

    let mut latencies = Histogram::default();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{LOG}."))) {
            for line in fs::read_to_string(&path)?.lines() {
                let (took, ended) = read(line).with_context(|| format!("pgbench's log says {line}"))?;
                if ended >= epoch && window.has(instant + (ended - epoch)) {
                    latencies.record(took);
                }
            }
            fs::remove_file(path)?;
        }
    }
    let measurement = Measurement::new(cell, &window, &latencies, cpu, None);
    Ok((measurement, transactions.context("pgbench does not say how much it has done")?))
}

/// How long a transaction took, and when it had ended, since 1970.
fn read(line: &str) -> Option<(Duration, Duration)> {
    let fields: Vec<u64> = line.split(' ').filter_map(|field| field.parse().ok()).collect();
    let [_, _, took, _, seconds, micros] = fields[..] else { return None };
    Some((Duration::from_micros(took), Duration::from_secs(seconds) + Duration::from_micros(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_read() {
        let read = read("3 199 2241 0 1175850568 995598").unwrap();
        assert_eq!(read, (Duration::from_micros(2241), Duration::from_micros(1_175_850_568_995_598)));
    }
}
