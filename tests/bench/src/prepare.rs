//! The data, made once: in PostgreSQL by `sql/data.sql`, in SQLite by copying all of that.
//!
//! Rollbook itself makes the tables, seals the log, and has to say that every invariant holds: the proof that this is
//! data as it would have written it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::contender::{Contender, Server};
use crate::progress::Progress;
use crate::sqlite;
use crate::tokens::Issuer;

/// How long sealing may take without getting ahead.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where everything is made.
pub struct Workshop<'a> {
    pub cluster: &'a Cluster,
    /// Rollbook's release binary.
    pub rollbook: &'a Path,
    pub issuer: &'a Issuer,
    /// For files.
    pub directory: &'a Path,
}

impl Workshop<'_> {
    /// Has Rollbook prove every invariant of what was loaded.
    pub async fn prove(&self, loaded: &str, progress: &Progress) -> Result<()> {
        progress.say("proving every invariant");
        self.rollbook("verify", &self.cluster.url(loaded)).await
    }

    /// Makes a database in the cluster to be copied, with so many enrollments, if there is none, and answers its name.
    pub async fn postgres(&self, enrollments: u64, progress: &Progress) -> Result<String> {
        let (building, name) = ("building", format!("loaded_{enrollments}"));
        if self.cluster.has(&name).await? {
            return Ok(name);
        }
        progress.say(format!("loading {enrollments} enrollments into PostgreSQL"));
        self.cluster.create(building).await?;
        let url = self.cluster.url(building);
        self.rollbook("migrate", &url).await?;
        let sql = include_str!("../sql/data.sql")
            .replace("{enrollments}", &enrollments.to_string())
            .replace("{private_key}", &self.issuer.pem()?);
        let client = self.cluster.connect(building).await?;
        client.batch_execute(&sql).await.context("sql/data.sql")?;
        client.batch_execute("VACUUM (ANALYZE)").await?;
        progress.say("sealing the log");
        self.seal(building).await?;
        client.batch_execute("VACUUM (ANALYZE, FREEZE)").await?;
        client.batch_execute("CHECKPOINT").await?;
        drop(client);
        self.cluster.rename(building, &name).await?;
        Ok(name)
    }

    /// Makes a file to be copied, with all that a loaded database of the cluster has, and answers where it is.
    pub async fn sqlite(&self, loaded: &str, progress: &Progress) -> Result<PathBuf> {
        progress.say("copying the data into SQLite");
        let path = self.directory.join(format!("{loaded}.db"));
        let url = format!("sqlite:{}", path.display());
        self.rollbook("migrate", &url).await?;
        sqlite::fill(&path, &self.cluster.connect(loaded).await?).await?;
        Ok(path)
    }

    /// Has the server seal what was loaded, so that it does not while it is measured. It also adds what development mode
    /// always has.
    async fn seal(&self, database: &str) -> Result<()> {
        let log = self.directory.join("seal.log");
        let server =
            Server::start(&Contender::rollbook(), self.rollbook, &self.cluster.url(database), &log).await?;
        let client = self.cluster.connect(database).await?;
        let (mut left, mut since) = (i64::MAX, Instant::now());
        while left > 0 {
            sleep(Duration::from_millis(200)).await;
            let row = client
                .query_one(
                    "SELECT CAST(sum(last_number - coalesce((SELECT max(number) FROM event_seals
                         WHERE event_seals.organization_id = event_heads.organization_id), 0)) AS bigint)
                     FROM event_heads",
                    &[],
                )
                .await?;
            let now: i64 = row.get(0);
            if now < left {
                (left, since) = (now, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                bail!("the log is not sealed: {left} events are left");
            }
        }
        server.stop().await
    }

    /// Runs one of Rollbook's commands.
    async fn rollbook(&self, command: &str, url: &str) -> Result<()> {
        let output = Command::new(self.rollbook)
            .args([command, "--database-url", url])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("{} cannot be started", self.rollbook.display()))?;
        if !output.status.success() {
            let (said, complained) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            bail!("rollbook {command}: {complained}{said}");
        }
        Ok(())
    }
}
