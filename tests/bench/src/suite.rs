//! The measurements, in turn: in each round everything that is compared is measured once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::check::Counts;
use crate::cluster::WORKED_ON;
use crate::contender::{Contender, DatabaseKind, Server};
use crate::load::{self, Load, Outcome, Window};
use crate::measure::{Cell, Measurement, cpu_within};
use crate::operation::{Calls, Operation};
use crate::pgbench::{self, Extent, Script};
use crate::prepare::Workshop;
use crate::progress::Progress;
use crate::sample::{Memory, Watched};
use crate::sqlite;

/// How many SQLite enrolls in one transaction, to be compared with.
const PER_TRANSACTION: [u64; 2] = [1, 32];

/// What is to be measured.
pub struct Plan {
    pub operations: Vec<Operation>,
    pub connections: Vec<usize>,
    pub rounds: usize,
    pub contenders: Vec<Contender>,
}

/// Who does the work of a cell.
#[derive(Clone)]
pub enum Who {
    Contender(Contender),
    Script(Script),
    Sqlite(u64),
}

impl Who {
    pub fn name(&self) -> String {
        match self {
            Who::Contender(contender) => contender.name.clone(),
            Who::Script(script) => script.name.to_owned(),
            Who::Sqlite(1) => "SQLite".to_owned(),
            Who::Sqlite(per_transaction) => sqlite_name(*per_transaction),
        }
    }

    fn database(&self) -> DatabaseKind {
        match self {
            Who::Contender(contender) => contender.database,
            Who::Script(_) => DatabaseKind::Postgres,
            Who::Sqlite(_) => DatabaseKind::Sqlite,
        }
    }
}

fn sqlite_name(per_transaction: u64) -> String {
    format!("SQLite, {per_transaction} a transaction")
}

/// What a contender's figures are compared with, and at how many connections: what its database does by itself.
pub fn limit(operation: Operation, database: DatabaseKind, connections: usize) -> Option<(String, usize)> {
    match database {
        DatabaseKind::Postgres => Some((Script::of(operation).first()?.name.to_owned(), connections)),
        DatabaseKind::Sqlite if operation == Operation::Enroll => Some((sqlite_name(PER_TRANSACTION[1]), 1)),
        DatabaseKind::Sqlite => None,
    }
}

impl Plan {
    pub fn uses(&self, database: DatabaseKind) -> bool {
        self.contenders.iter().any(|contender| contender.database == database)
    }

    /// What the report says of it.
    pub fn conditions(&self, extent: &Extent) -> Vec<(String, String)> {
        let each = format!("{:?} each, after {:?} to warm up", extent.length, extent.warm_up);
        let data = format!(
            "20 organizations, 100,000 users, 2,000 courses of 5 modules, {} enrollments",
            extent.enrollments
        );
        [("rounds", format!("{}, {each}", self.rounds)), ("data", data)]
            .map(|(what, how)| (what.to_owned(), how))
            .into()
    }

    /// Everything to be measured, in this order.
    pub fn cells(&self) -> Vec<(Cell, Who)> {
        let mut cells = Vec::new();
        for round in 1..=self.rounds {
            for operation in self.operations.iter().copied() {
                if operation == Operation::Enroll && self.uses(DatabaseKind::Sqlite) {
                    for who in PER_TRANSACTION.map(Who::Sqlite) {
                        cells.push((Cell { operation, connections: 1, who: who.name(), round }, who));
                    }
                }
                for connections in self.connections.iter().copied() {
                    let scripts = if self.uses(DatabaseKind::Postgres) { Script::of(operation) } else { &[] };
                    let contenders = self.contenders.iter().cloned().map(Who::Contender);
                    for who in scripts.iter().copied().map(Who::Script).chain(contenders) {
                        cells.push((Cell { operation, connections, who: who.name(), round }, who));
                    }
                }
            }
        }
        cells
    }
}

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
struct Copy {
    url: String,
    place: Place,
}

enum Place {
    Postgres(&'static str),
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
        let before = self.counts(&copy.place).await?;
        let directory = self.workshop.directory;
        let (measurement, enrolled) = match (&who, &copy.place) {
            (Who::Contender(contender), _) => self.contender(cell, contender, &copy.url).await?,
            (Who::Script(script), Place::Postgres(database)) => {
                let operation = cell.operation;
                let run =
                    pgbench::run(self.workshop.cluster, database, *script, cell, self.extent, directory)
                        .await?;
                (run.0, if operation.writes() { run.1 } else { 0 })
            }
            (Who::Sqlite(per_transaction), Place::Sqlite(path)) => {
                self.sqlite(cell, *per_transaction, path).await?
            }
            (Who::Script(_), Place::Sqlite(_)) | (Who::Sqlite(_), Place::Postgres(_)) => {
                bail!("another database")
            }
        };
        let counting = !matches!(who, Who::Script(_));
        before.check(self.counts(&copy.place).await?, enrolled, counting)?;
        if measurement.calls == 0 {
            bail!("nothing was done");
        }
        Ok(measurement)
    }

    /// A copy of the loaded data: a new one to write to; one that was only read from is read from again.
    async fn copy(&mut self, database: DatabaseKind, to_write: bool) -> Result<Copy> {
        match database {
            DatabaseKind::Postgres => {
                let cluster = self.workshop.cluster;
                if to_write || !self.postgres_is_fresh {
                    cluster.copy(&self.loaded.postgres).await?;
                }
                self.postgres_is_fresh = !to_write;
                Ok(Copy { url: cluster.url(WORKED_ON), place: Place::Postgres(WORKED_ON) })
            }
            DatabaseKind::Sqlite => {
                let loaded = self.loaded.sqlite.as_deref().context("no SQLite was loaded")?;
                let path = self.workshop.directory.join("bench.db");
                if to_write || !self.sqlite_is_fresh {
                    copy_file(loaded, &path)?;
                }
                self.sqlite_is_fresh = !to_write;
                Ok(Copy { url: format!("sqlite:{}", path.display()), place: Place::Sqlite(path) })
            }
        }
    }

    async fn counts(&self, place: &Place) -> Result<Counts> {
        match place {
            Place::Postgres(database) => Counts::of_postgres(self.workshop.cluster, database).await,
            Place::Sqlite(path) => Counts::of_sqlite(path),
        }
    }

    /// The address of a copy of its own.
    pub async fn fresh(&mut self, database: DatabaseKind) -> Result<String> {
        Ok(self.copy(database, true).await?.url)
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
