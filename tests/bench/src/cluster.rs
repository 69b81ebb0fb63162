//! The benchmark's own PostgreSQL, which `tests/bench/run` has started.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio_postgres::{Client, NoTls};

/// The database that is worked on.
pub const WORKED_ON: &str = "bench";

/// What the report says of how PostgreSQL was set.
const TOLD_SETTINGS: [&str; 12] = [
    "shared_buffers",
    "effective_cache_size",
    "work_mem",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_buffers",
    "max_wal_size",
    "checkpoint_timeout",
    "random_page_cost",
    "jit",
    "autovacuum",
];

pub struct Cluster {
    /// It has its data, and its socket.
    pub directory: PathBuf,
    /// PostgreSQL's programs.
    pub programs: PathBuf,
}

impl Cluster {
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.directory.to_string_lossy().replace('/', "%2F"))
    }

    pub async fn connect(&self, database: &str) -> Result<Client> {
        let connecting = tokio_postgres::connect(&self.url(database), NoTls).await;
        let (client, connection) = connecting.with_context(|| format!("the database {database}"))?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// The process that all of its processes come from.
    pub fn postmaster(&self) -> Result<u32> {
        let path = self.directory.join("data/postmaster.pid");
        let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        text.lines().next().and_then(|line| line.parse().ok()).context("postmaster.pid has no number")
    }

    pub async fn has(&self, database: &str) -> Result<bool> {
        let query = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
        Ok(self.connect("postgres").await?.query_one(query, &[&database]).await?.get(0))
    }

    pub async fn create(&self, database: &str) -> Result<()> {
        self.command(&format!("CREATE DATABASE {database}")).await
    }

    pub async fn rename(&self, database: &str, to: &str) -> Result<()> {
        self.command(&format!("ALTER DATABASE {database} RENAME TO {to}")).await
    }

    /// Makes the database that is worked on anew: a copy in memory, with nothing left to be written.
    pub async fn copy(&self, template: &str) -> Result<()> {
        self.command(&format!("DROP DATABASE IF EXISTS {WORKED_ON} WITH (FORCE)")).await?;
        self.command(&format!("CREATE DATABASE {WORKED_ON} TEMPLATE {template} STRATEGY file_copy")).await?;
        self.warm(WORKED_ON).await?;
        self.command("CHECKPOINT").await
    }

    /// Has a database read into memory, the largest table first: it is the first to be evicted, should there be no room.
    pub async fn warm(&self, database: &str) -> Result<()> {
        let relations = "SELECT pg_prewarm(oid) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
            ORDER BY relname NOT LIKE 'module_enrollments%'";
        self.connect(database).await?.simple_query(relations).await?;
        Ok(())
    }

    /// What PostgreSQL is, and how it is set.
    pub async fn description(&self) -> Result<Vec<(String, String)>> {
        let client = self.connect("postgres").await?;
        let mut told = Vec::new();
        for setting in ["server_version"].into_iter().chain(TOLD_SETTINGS) {
            let row = client.query_one("SELECT current_setting($1)", &[&setting]).await?;
            told.push((setting.to_owned(), row.get(0)));
        }
        Ok(told)
    }

    async fn command(&self, sql: &str) -> Result<()> {
        self.connect("postgres").await?.batch_execute(sql).await.with_context(|| sql.to_owned())
    }
}
