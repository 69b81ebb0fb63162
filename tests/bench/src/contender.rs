//! Who is measured: the list, and a server that runs.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::operation::Wire;

/// How long a server may take to listen, and to stop.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);

/// How much of its log is shown of a server that did not start.
const SHOWN_BYTES: usize = 2_000;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    pub name: String,
    pub wire: Wire,
    pub database: DatabaseKind,
    /// For `sh`, with placeholders.
    command: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DatabaseKind {
    Postgres,
    Sqlite,
}

impl Contender {
    /// Rollbook itself, to prepare for others.
    pub fn rollbook() -> Self {
        Contender {
            name: "rollbook".into(),
            wire: Wire::Rpc,
            database: DatabaseKind::Postgres,
            command: "{server} dev --port {port} --database-url {database_url}".into(),
        }
    }
}

/// Reads the list: `name | wire | database | command`, and lines that begin with `#`.
pub fn read(list: &str) -> Result<Vec<Contender>> {
    let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse(line).with_context(|| format!("not a contender: {line}"))).collect()
}

fn parse(line: &str) -> Result<Contender> {
    let fields: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
    let [name, wire, database, command] = fields[..] else { bail!("there are four fields") };
    Ok(Contender {
        name: name.to_owned(),
        wire: Wire::from_str(wire, false).map_err(anyhow::Error::msg)?,
        database: DatabaseKind::from_str(database, false).map_err(anyhow::Error::msg)?,
        command: command.to_owned(),
    })
}

/// A server that listens. It is killed when this is dropped.
pub struct Server {
    pub port: u16,
    pub id: u32,
    group: Pid,
    child: Child,
}

impl Server {
    /// Starts a contender on a free port; `log` is what it writes to standard error.
    pub async fn start(
        contender: &Contender,
        rollbook: &Path,
        database_url: &str,
        log: &Path,
    ) -> Result<Self> {
        let port = free_port()?;
        let command = contender
            .command
            .replace("{server}", &rollbook.to_string_lossy())
            .replace("{port}", &port.to_string())
            .replace("{database_url}", database_url);
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .env("ROLLBOOK_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?)
            // Its children are stopped with it, and a Ctrl-C here is not one there.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", contender.name))?;
        let id = child.id().context("it has ended already")?;
        let group = i32::try_from(id).ok().and_then(Pid::from_raw).context("not an id")?;
        let listening = timeout(START, listening(&mut child, port)).await;
        if !matches!(listening, Ok(Ok(()))) {
            let log = std::fs::read(log).unwrap_or_default();
            let log = String::from_utf8_lossy(&log[log.len().saturating_sub(SHOWN_BYTES)..]).into_owned();
            bail!("{} does not listen on port {port}: {log}", contender.name);
        }
        Ok(Server { port, id, group, child })
    }

    /// Has it do what it has begun, and stop.
    pub async fn stop(mut self) -> Result<()> {
        kill_process(self.group, Signal::TERM)?;
        let stopped = timeout(STOP, self.child.wait()).await;
        // Whatever it has left behind.
        let _ = kill_process_group(self.group, Signal::KILL);
        stopped.context("the server did not stop")??;
        Ok(())
    }
}

async fn listening(child: &mut Child, port: u16) -> Result<()> {
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if child.try_wait()?.is_some() {
            bail!("it has ended");
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// One that nobody listens on, or has for a while.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read() {
        let list = "# a comment\n\n a | trpc | sqlite | server --url {database_url} | tee log\n";
        let expected = Contender {
            name: "a".into(),
            wire: Wire::Trpc,
            database: DatabaseKind::Sqlite,
            command: "server --url {database_url} | tee log".into(),
        };
        assert_eq!(read(list).unwrap(), [expected]);
        assert!(read("a | trpc | sqlite").is_err());
        assert!(read("a | smtp | sqlite | server").is_err());
        assert!(read(include_str!("../contenders")).is_ok_and(|contenders| contenders.len() == 3));
    }
}
