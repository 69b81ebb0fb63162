//! Where and when it was measured.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::cluster::Cluster;
use crate::statistics::median;

/// How often a write is forced to the disk, to see how long that takes, and how much is written.
const FORCED: usize = 200;
const FORCED_BYTES: usize = 8 * 1024;

/// Pairs of what and how.
pub async fn conditions(cluster: &Cluster, rollbook: &Path) -> Result<Vec<(String, String)>> {
    let mut conditions = vec![
        ("date", chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()),
        ("commit", commit()),
        ("server", said_by(Command::new(rollbook).arg("--version"))),
        ("CPU", format!("{} × {}", cores(), processor())),
        ("memory", memory()),
        ("kernel", fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()),
        ("a write of 8 KiB forced to the disk", format!("{:.2} ms", forced(&cluster.directory)? * 1e3)),
        ("SQLite", rusqlite::version().to_owned()),
    ]
    .into_iter()
    .map(|(what, how)| (what.to_owned(), how))
    .collect::<Vec<_>>();
    let settings = cluster.description().await?;
    let settings = settings.iter().map(|(setting, value)| format!("{setting} {value}")).collect::<Vec<_>>();
    conditions.push(("PostgreSQL".into(), settings.join(", ")));
    Ok(conditions)
}

/// The last commit, and whether anything has changed since.
fn commit() -> String {
    said_by(Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]))
}

fn said_by(command: &mut Command) -> String {
    let said = command.output().ok().filter(|output| output.status.success());
    said.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn memory() -> String {
    let kib = field("/proc/meminfo", "MemTotal")
        .and_then(|value| value.trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or_else(|| "unknown".to_owned(), |kib| format!("{:.1} GB", kib * 1024.0 / 1e9))
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, value) =
        text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

/// How long it takes to have a write on the disk, in seconds.
fn forced(directory: &Path) -> Result<f64> {
    let path = directory.join("forced");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..FORCED {
        file.seek(SeekFrom::Start(0))?;
        let begun = Instant::now();
        file.write_all(&[1; FORCED_BYTES])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64());
    }
    fs::remove_file(path)?;
    Ok(median(times).unwrap_or_default())
}
