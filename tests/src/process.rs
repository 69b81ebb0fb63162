//! The server as its users run it: the `rollbook` binary in a process of its own, in a directory of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long the server may take to be ready.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How the last line begins that `rollbook dev` and `rollbook serve` print before they serve.
const DEV_LINE: &str = "Ctrl-C stops the server.";
const SERVE_LINE: &str = "Rollbook listens on ";

/// How much of the log of a failed test's server is shown.
const SHOWN_LINES: usize = 20;

/// What the server writes its log to, in its directory.
const LOG: &str = "log";

/// A running `rollbook dev` or `serve`; it is killed when it is dropped, and its log is shown if its test failed.
#[derive(Debug)]
pub struct Process {
    pub address: SocketAddr,
    /// What it printed.
    pub guide: String,
    child: Child,
    directory: TempDir,
}

impl Process {
    /// Starts `rollbook dev` on a free port and this database; it serves when this returns.
    pub async fn start(database_url: &str) -> Self {
        Process::start_with(database_url, &[]).await
    }

    /// The same with more arguments.
    pub async fn start_with(database_url: &str, more: &[&str]) -> Self {
        Process::spawn("dev", DEV_LINE, database_url, more).await
    }

    /// Starts `rollbook serve` likewise.
    pub async fn serve(database_url: &str, more: &[&str]) -> Self {
        Process::spawn("serve", SERVE_LINE, database_url, more).await
    }

    async fn spawn(mode: &str, last_line: &str, database_url: &str, more: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let log = std::fs::File::create(directory.path().join(LOG)).expect("a log");
        let mut child = command(&[mode, "--port", "0", "--database-url", database_url])
            .args(more)
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output is piped"));
        let guide = timeout(START_TIMEOUT, read_guide(stdout, last_line)).await;
        let log = || std::fs::read_to_string(directory.path().join(LOG)).unwrap_or_default();
        let guide = guide.ok().flatten().unwrap_or_else(|| panic!("the server did not start: {}", log()));
        let address = address(&guide).unwrap_or_else(|| panic!("no address is printed: {guide}"));
        Process { address, guide, child, directory }
    }

    pub fn id(&self) -> u32 {
        self.child.id().expect("it has not been waited for")
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it was running");
    }

    /// SIGTERM, as a supervisor asks a server to stop.
    pub async fn terminate(&self) {
        let sent = Command::new("kill").arg("-TERM").arg(self.id().to_string()).status().await;
        assert!(sent.expect("kill is installed").success());
    }

    /// How it ended, if it does within this time.
    pub async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        timeout(within, self.child.wait()).await.ok().map(|ended| ended.expect("a child of this process"))
    }

    /// The most memory it has had resident so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it is running");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB") * 1024
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join(LOG)).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let last = log.lines().rev().take(SHOWN_LINES).collect::<Vec<_>>();
            let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
            eprintln!("the log of the server at {} ends with:\n{last}", self.address);
        }
    }
}

/// `rollbook` with these arguments and nothing of this process's configuration.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env_remove("DATABASE_URL").stdin(Stdio::null()).kill_on_drop(true);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("ROLLBOOK_") {
            command.env_remove(variable);
        }
    }
    command
}

/// The binary stands beside the directory of the tests' own.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps");
    let binary = profile.join("rollbook");
    assert!(binary.exists(), "{} is not built; ./tests/run builds it and runs all tests", binary.display());
    binary
}

async fn read_guide(stdout: impl tokio::io::AsyncBufRead + Unpin, last_line: &str) -> Option<String> {
    let (mut lines, mut guide) = (stdout.lines(), String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        guide += &line;
        guide.push('\n');
        if line.starts_with(last_line) {
            return Some(guide);
        }
    }
    None
}

fn address(guide: &str) -> Option<SocketAddr> {
    let (_, rest) = guide.split_once("http://")?;
    rest.split(['/', '\n']).next()?.parse().ok()
}
