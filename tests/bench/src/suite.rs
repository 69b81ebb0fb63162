//! The measurements, in turn: in each round everything that is compared is measured once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::check::Counts;
use crate::cluster::WORKED_ON;
use crate::contender::{Contender, DatabaseKind, Server};
use crate::load::{self, Load, Outcome, Window};
use crate::measure::{Cell, Measurement, cpu_within};
use crate::operation::Calls;
use crate::pgbench::{self, Extent};
use crate::plan::{Plan, Who};
use crate::prepare::Workshop;
use crate::progress::Progress;
use crate::sample::{Memory, Watched};
use crate::sqlite;

/// The data to be copied.
pub struct Loaded {
    pub postgres: String,
    pub sqlite: Option<PathBuf>,
}

pub struct Suite<'a> {
    pub workshop: &'a Workshop<'a>,
    loaded: Loaded,
    /// By user.
    pub tokens: Arc<Vec<String>>,
    extent: Extent,
    /// Whether the copies are as they were made, so that reading can go on with them.
    postgres_is_fresh: bool,
    sqlite_is_fresh: bool,
}

/// A copy to work on.
enum Copy {
    Postgres,
    Sqlite(PathBuf),
}

impl<'a> Suite<'a> {
    pub fn new(workshop: &'a Workshop<'a>, loaded: Loaded, tokens: Arc<Vec<String>>, extent: Extent) -> Self {
        Suite { workshop, loaded, tokens, extent, postgres_is_fresh: false, sqlite_is_fresh: false }
    }
}

impl Suite<'_> {
    /// Measures all of them; what is not as it has to be ends it.
    pub async fn run(&mut self, plan: &Plan, progress: &Progress) -> Result<Vec<Measurement>> {
        let mut measurements = Vec::new();
        for (cell, who) in plan.cells() {
            let Cell { operation, connections, round, .. } = cell;
            let what = format!("round {round}, {operation}, connections: {connections}, {}", cell.who);
            progress.say(what.clone());
            let measurement = self.measure(cell, who).await.context(what)?;
            progress.tell(&measurement.summary());
            progress.step();
            measurements.push(measurement);
        }
        Ok(measurements)
    }

    async fn measure(&mut self, cell: Cell, who: Who) -> Result<Measurement> {
        let copy = self.copy(who.database(), cell.operation.writes()).await?;
        let (before, writes) = (self.counts(&copy).await?, cell.operation.writes());
        let Workshop { cluster, directory, .. } = *self.workshop;
        let (measurement, enrolled) = match (&who, &copy) {
            (Who::Contender(contender), copy) => self.contender(cell, contender, &self.url(copy)).await?,
            (Who::Script(script), _) => {
                let (measurement, transactions) =
                    pgbench::run(cluster, WORKED_ON, *script, cell, self.extent, directory).await?;
                (measurement, if writes { transactions } else { 0 })
            }
            (Who::Sqlite(per_transaction), Copy::Sqlite(path)) => {
                self.sqlite(cell, *per_transaction, path).await?
            }
            (Who::Sqlite(_), Copy::Postgres) => bail!("SQLite works on a file"),
        };
        // The scripts do not.
        let courses_are_counted = !matches!(who, Who::Script(_));
        before.check(self.counts(&copy).await?, enrolled, courses_are_counted)?;
        if measurement.calls == 0 {
            bail!("nothing was done within the window");
        }
        Ok(measurement)
    }

    /// A copy of the loaded data: a new one to write to; one that was only read from is read from again.
    async fn copy(&mut self, database: DatabaseKind, to_write: bool) -> Result<Copy> {
        match database {
            DatabaseKind::Postgres => {
                if to_write || !self.postgres_is_fresh {
                    self.workshop.cluster.copy(&self.loaded.postgres).await?;
                }
                self.postgres_is_fresh = !to_write;
                Ok(Copy::Postgres)
            }
            DatabaseKind::Sqlite => {
                let loaded = self.loaded.sqlite.as_deref().context("SQLite was not loaded")?;
                let path = self.workshop.directory.join("bench.db");
                if to_write || !self.sqlite_is_fresh {
                    copy_file(loaded, &path)?;
                }
                self.sqlite_is_fresh = !to_write;
                Ok(Copy::Sqlite(path))
            }
        }
    }

    fn url(&self, copy: &Copy) -> String {
        match copy {
            Copy::Postgres => self.workshop.cluster.url(WORKED_ON),
            Copy::Sqlite(path) => format!("sqlite:{}", path.display()),
        }
    }

    async fn counts(&self, copy: &Copy) -> Result<Counts> {
        match copy {
            Copy::Postgres => Counts::of_postgres(self.workshop.cluster, WORKED_ON).await,
            Copy::Sqlite(path) => Counts::of_sqlite(path),
        }
    }

    /// The address of a copy to be written to.
    pub async fn fresh(&mut self, database: DatabaseKind) -> Result<String> {
        let copy = self.copy(database, true).await?;
        Ok(self.url(&copy))
    }

    /// Starts a contender, measures it, and stops it; answers also how many it has enrolled in all.
    pub async fn contender(
        &self,
        cell: Cell,
        contender: &Contender,
        url: &str,
    ) -> Result<(Measurement, u64)> {
        let Workshop { cluster, rollbook, directory, .. } = *self.workshop;
        let server = Server::start(contender, rollbook, url, &directory.join("server.log")).await?;
        let Extent { warm_up, length, enrollments } = self.extent;
        let window = Window::after(warm_up, length);
        let load = Load {
            port: server.port,
            wire: contender.wire,
            connections: cell.connections,
            tokens: self.tokens.clone(),
            window,
        };
        let calls = Calls::new(cell.operation, enrollments);
        let loading = tokio::task::spawn_blocking(move || load::run(&load, calls));
        let postgres = match contender.database {
            DatabaseKind::Postgres => Some(cluster.postmaster()?),
            DatabaseKind::Sqlite => None,
        };
        let watched = Watched { server: Some(server.id), postgres, load: std::process::id() };
        let cpu = cpu_within(&window, watched).await?;
        let Outcome { latencies, enrolled, wrong, shown } = loading.await??;
        let peak = Memory::of_tree(server.id)?.peak;
        server.stop().await?;
        if wrong > 0 {
            bail!("wrong answers: {wrong}\n{}", shown.join("\n"));
        }
        Ok((Measurement::new(cell, &window, &latencies, cpu, Some(peak)), enrolled))
    }

    async fn sqlite(&self, cell: Cell, per_transaction: u64, path: &Path) -> Result<(Measurement, u64)> {
        let window = Window::after(self.extent.warm_up, self.extent.length);
        let file = path.to_owned();
        let enrolling = tokio::task::spawn_blocking(move || sqlite::enroll(&file, per_transaction, window));
        let watched = Watched { server: None, postgres: None, load: std::process::id() };
        let cpu = cpu_within(&window, watched).await?;
        let (latencies, enrolled) = enrolling.await??;
        Ok((Measurement::new(cell, &window, &latencies, cpu, None), enrolled))
    }
}

/// Copies a database of SQLite's, down to the disk.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm"] {
        let mut beside = to.as_os_str().to_owned();
        beside.push(suffix);
        let _ = std::fs::remove_file(beside);
    }
    std::fs::copy(from, to)?;
    std::fs::File::open(to)?.sync_all()?;
    Ok(())
}
