//! The schema's versions, embedded in the binary.

use diesel::backend::Backend;
use diesel_async::AsyncMigrationHarness;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::Connection;
use super::pool::{Database, Lease};
use crate::error::{Error, Result};
use crate::limits::{FATE_ATTEMPTS, FATE_INTERVAL};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// Held while migrating PostgreSQL, so that processes that start together do it one after another.
const MIGRATION_LOCK: i64 = 0x726f_6c6c_626f_6f6b;

impl Database {
    /// Brings the schema up to date; answers with the versions applied. Needs tokio's multi-thread runtime.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        let mut lease = self.write().await?;
        let lock = matches!(&*lease, Connection::Postgres(_));
        if lock {
            // Migrations may take longer than a call's statements, and the others wait for them.
            let sql = format!(
                "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})"
            );
            lease.batch(&sql).await?;
        }
        // The connection goes out of the pool: the harness owns it, and its settings are not a call's.
        let done = match Lease::take(lease) {
            Connection::Postgres(conn) => run(&mut AsyncMigrationHarness::new(conn), POSTGRES),
            Connection::Sqlite(conn) => run(&mut AsyncMigrationHarness::new(conn), SQLITE),
        };
        match done {
            // SQLite has no lock to take beforehand: another process may have been at it at the same time.
            Err(_) if !lock && self.becomes_current().await => Ok(Vec::new()),
            done => done.map_err(Error::internal),
        }
    }

    /// Whether another process brings the schema up to date, if it is given a little time.
    async fn becomes_current(&self) -> bool {
        for _ in 0..FATE_ATTEMPTS {
            if self.is_current().await.unwrap_or(false) {
                return true;
            }
            tokio::time::sleep(FATE_INTERVAL).await;
        }
        false
    }

    /// Whether the schema is the one this binary was built with.
    pub async fn is_current(&self) -> Result<bool> {
        let lease = self.read().await?;
        let pending = match Lease::take(lease) {
            Connection::Postgres(conn) => AsyncMigrationHarness::new(conn).has_pending_migration(POSTGRES),
            Connection::Sqlite(conn) => AsyncMigrationHarness::new(conn).has_pending_migration(SQLITE),
        };
        pending.map(|pending| !pending).map_err(Error::internal)
    }
}

fn run<DB: Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> diesel::migration::Result<Vec<String>> {
    let applied = harness.run_pending_migrations(migrations)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}
