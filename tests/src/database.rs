//! A fresh, migrated database a test: a file in a temporary directory, or a PostgreSQL database cloned from one that
//! was migrated once.

use std::time::{SystemTime, UNIX_EPOCH};

use procedures::Database;
use procedures::db::PoolSizes;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Names the PostgreSQL cluster whose databases the tests may create and drop.
const CLUSTER: &str = "ROLLBOOK_TEST_POSTGRES";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database that goes away with its test.
pub struct Fresh {
    pub url: String,
    place: Place,
}

enum Place {
    Directory(#[expect(dead_code, reason = "it is removed when it is dropped")] TempDir),
    Cluster { name: String },
}

impl Fresh {
    pub async fn create(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let directory = tempfile::tempdir().expect("a temporary directory");
                let url = format!("sqlite:{}", directory.path().join("rollbook.db").display());
                open(&url).migrate().await.expect("a migrated SQLite database");
                Fresh { url, place: Place::Directory(directory) }
            }
            Kind::Postgres => {
                let name = format!("test_{}", Uuid::now_v7().simple());
                let template = template().await;
                administrate(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
                Fresh { url: url_of(&name), place: Place::Cluster { name } }
            }
        }
    }

    /// After a test that passed; what a failed one leaves behind goes with the cluster.
    pub async fn remove(self) {
        match self.place {
            Place::Directory(_) => {}
            Place::Cluster { name } => administrate(&format!("DROP DATABASE {name} WITH (FORCE)")).await,
        }
    }
}

pub(crate) fn open(url: &str) -> Database {
    Database::open(url, PoolSizes::default()).expect("the address of a database")
}

/// The migrated database that every test's is a copy of. PostgreSQL copies it once its last connection has gone.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let made = TEMPLATE.get_or_init(async || {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970");
        let name = format!("template_{}_{}", std::process::id(), started.as_nanos());
        administrate(&format!("CREATE DATABASE {name}")).await;
        open(&url_of(&name)).migrate().await.expect("a migrated PostgreSQL database");
        name
    });
    made.await
}

/// Runs a statement in the cluster's own database.
async fn administrate(sql: &str) {
    let database = open(&cluster());
    let mut connection = database.read().await.expect("the test cluster is running");
    connection.execute(diesel::sql_query(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn cluster() -> String {
    std::env::var(CLUSTER).unwrap_or_else(|_| {
        panic!("{CLUSTER} names no PostgreSQL cluster; ./tests/run starts one and runs all tests with it")
    })
}

/// The address of another database of the cluster.
fn url_of(name: &str) -> String {
    let cluster = cluster();
    let (address, query) = cluster.split_once('?').unwrap_or((&cluster, ""));
    let (server, _) = address.rsplit_once('/').expect("an address that ends with a database's name");
    format!("{server}/{name}?{query}")
}
