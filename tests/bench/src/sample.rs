//! What processes have used: CPU time of whole trees of processes, and memory.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result};

/// The processes whose CPU time is told apart: server and PostgreSQL with all that they have started, the load alone.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    pub server: Option<u32>,
    pub postgres: Option<u32>,
    pub load: u32,
}

/// CPU seconds used between two moments.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    pub server: Option<f64>,
    pub postgres: Option<f64>,
    pub load: f64,
    /// By anything else on this machine.
    pub other: f64,
}

/// What had been used at a moment, in CPU seconds.
pub struct Sample {
    used: Cpu,
    /// By everything on this machine.
    everything: f64,
}

impl Watched {
    pub fn sample(&self) -> Result<Sample> {
        let processes = processes()?;
        let used = Cpu {
            server: self.server.map(|root| tree(&processes, root)),
            postgres: self.postgres.map(|root| tree(&processes, root)),
            load: processes.get(&self.load).map_or(0.0, |process| process.used),
            other: 0.0,
        };
        Ok(Sample { used, everything: everything()? })
    }
}

impl Sample {
    /// What was used from this moment until another.
    pub fn until(&self, end: &Sample) -> Cpu {
        let between = |begun: Option<f64>, ended: Option<f64>| Some(ended? - begun?);
        let server = between(self.used.server, end.used.server);
        let postgres = between(self.used.postgres, end.used.postgres);
        let load = end.used.load - self.used.load;
        let ours = server.unwrap_or(0.0) + postgres.unwrap_or(0.0) + load;
        Cpu { server, postgres, load, other: (end.everything - self.everything - ours).max(0.0) }
    }
}

struct Process {
    parent: u32,
    /// CPU seconds.
    used: f64,
    /// Of its children that have ended.
    used_below: f64,
}

fn processes() -> Result<HashMap<u32, Process>> {
    let directories = fs::read_dir("/proc").context("/proc cannot be read")?;
    let ids = directories.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    // A process may end before it is looked at.
    Ok(ids
        .filter_map(|id| Some((id, process(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?)))
        .collect())
}

/// Reads `/proc/<id>/stat` (proc_pid_stat(5)); the fields are counted from the end of the name.
fn process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let seconds = |fields: &[&str]| {
        let ticks: Option<f64> = fields.iter().map(|field| field.parse::<f64>().ok()).sum();
        Some(ticks? / ticks_per_second())
    };
    let parent = fields.get(1)?.parse().ok()?;
    Some(Process { parent, used: seconds(fields.get(11..13)?)?, used_below: seconds(fields.get(13..15)?)? })
}

fn tree(processes: &HashMap<u32, Process>, root: u32) -> f64 {
    let below = |id: u32| {
        let mut next = Some(id);
        std::iter::from_fn(move || {
            let id = next?;
            next = processes.get(&id).map(|process| process.parent).filter(|parent| *parent > 1);
            Some(id)
        })
        .any(|id| id == root)
    };
    processes.iter().filter(|(id, _)| below(**id)).map(|(_, process)| process.used + process.used_below).sum()
}

/// CPU seconds of everything: user, nice, system, interrupts (proc_stat(5)), and what other machines took.
fn everything() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat").context("/proc/stat cannot be read")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let fields: Vec<f64> =
        line.split_ascii_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let ticks: f64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|field| fields.get(*field)).sum();
    Ok(ticks / ticks_per_second())
}

fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

/// What a process has in memory, and the most it ever had, in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub now: u64,
    pub peak: u64,
}

impl Memory {
    /// Of all processes below one.
    pub fn of_tree(root: u32) -> Result<Memory> {
        let processes = processes()?;
        let mut sum = Memory { now: 0, peak: 0 };
        let mut ids = vec![root];
        while let Some(id) = ids.pop() {
            ids.extend(processes.iter().filter(|(_, process)| process.parent == id).map(|(child, _)| *child));
            let Ok(status) = fs::read_to_string(format!("/proc/{id}/status")) else { continue };
            sum.now += field(&status, "VmRSS:").unwrap_or(0);
            sum.peak += field(&status, "VmHWM:").unwrap_or(0);
        }
        Ok(sum)
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_past_a_name_with_spaces_and_brackets() {
        let line = "42 (a ) b) S 7 42 42 0 -1 4194560 1 2 3 4 100 50 25 25 20 0 1 0 5 6 7";
        let process = process(line).unwrap();
        assert_eq!(process.parent, 7);
        assert_eq!(process.used, 150.0 / ticks_per_second());
        assert_eq!(process.used_below, 50.0 / ticks_per_second());
    }

    #[test]
    fn this_process_has_memory() {
        let memory = Memory::of_tree(std::process::id()).unwrap();
        assert!(memory.now > 0 && memory.peak >= memory.now);
    }
}
