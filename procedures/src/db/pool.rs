//! Connections, set up once and handed out.

use std::sync::Arc;

use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use diesel::IntoSql;
use diesel::sql_types::{Integer, Text};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::{Connection, LiteConn};
use super::functions;
use super::transaction::in_place;
use super::types::Instant;
use crate::error::{Error, Outcome, Result};
use crate::limits::{
    ACQUIRE_TIMEOUT, CONNECT_TIMEOUT, IDLE_TRANSACTION_TIMEOUT, LOCK_TIMEOUT, NETWORK_TIMEOUT,
    POSTGRES_CONNECTIONS, SQLITE_READERS, STATEMENT_TIMEOUT,
};
use crate::values::Moment;

/// What every PostgreSQL connection begins with. A generic plan is kept for statements with array parameters, which
/// are otherwise planned anew at every call (0.2 to 0.3 ms each). Timeouts are in milliseconds.
fn postgres_setup() -> String {
    format!(
        "SET plan_cache_mode = force_generic_plan; SET TimeZone = 'UTC'; SET statement_timeout = {}; \
         SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}",
        STATEMENT_TIMEOUT.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_TRANSACTION_TIMEOUT.as_millis(),
    )
}

/// What every SQLite connection begins with: a reader never waits for the writer (WAL), a commit is on disk before
/// it is acknowledged (FULL), a second process waits for the first (milliseconds), and a REPLACE is a delete to triggers too.
fn sqlite_setup() -> String {
    format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY",
        LOCK_TIMEOUT.as_millis(),
    )
}

/// How many connections there are at the most.
#[derive(Clone, Copy, Debug)]
pub struct PoolSizes {
    /// PostgreSQL connections, for reading and writing.
    pub postgres: usize,
    /// SQLite connections that read; one more writes.
    pub sqlite_readers: usize,
}
impl Default for PoolSizes {
    fn default() -> Self {
        PoolSizes { postgres: POSTGRES_CONNECTIONS, sqlite_readers: SQLITE_READERS }
    }
}

/// What a pool is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolFigures {
    pub name: &'static str,
    /// Connections on loan.
    pub in_use: usize,
    /// Connections that wait for someone to want them.
    pub idle: usize,
    /// Connections that there may be.
    pub most: usize,
}

/// A connection on loan from the pool.
pub type Lease = Object<Connector>;

/// The database's connections. SQLite has one that writes, PostgreSQL's do both.
#[derive(Clone)]
pub struct Database {
    readers: Pool<Connector>,
    writers: Pool<Connector>,
}

impl Database {
    /// `postgres://…` or `sqlite:PATH`. Connects when first used.
    pub fn open(url: &str, sizes: PoolSizes) -> Result<Self, InvalidUrl> {
        let connector = Connector::parse(url)?;
        let pool = |size| {
            let wait = Some(ACQUIRE_TIMEOUT);
            let timeouts = Timeouts { wait, create: Some(CONNECT_TIMEOUT), recycle: None };
            let builder = Pool::builder(connector.clone()).max_size(size).timeouts(timeouts);
            // The one that was used last has its statements prepared, and its memory at hand.
            let builder = builder.queue_mode(QueueMode::Lifo);
            builder.runtime(deadpool::Runtime::Tokio1).build().map_err(|error| InvalidUrl(error.to_string()))
        };
        Ok(match connector {
            Connector::Postgres { .. } => {
                let shared = pool(sizes.postgres)?;
                Database { readers: shared.clone(), writers: shared }
            }
            Connector::Sqlite { .. } => Database { readers: pool(sizes.sqlite_readers)?, writers: pool(1)? },
        })
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Lease> {
        lease(&self.readers).await
    }

    /// Whether other processes can be told of things, and tell of them.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.readers.manager(), Connector::Postgres { .. })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let one: i32 = self.read().await?.one(diesel::select(1.into_sql::<Integer>())).await?;
        debug_assert_eq!(one, 1);
        Ok(())
    }

    /// Has SQLite look at a sample of its tables where they have changed much: it chooses its plans by that. PostgreSQL does
    /// so by itself.
    pub async fn keep_statistics(&self) -> Result<()> {
        let Connector::Sqlite { .. } = self.readers.manager() else { return Ok(()) };
        // All tables, whether this connection has used them or not.
        let mut lease = self.write().await?;
        Ok(in_place(lease.batch("PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002"))?)
    }

    /// What the pools are at: SQLite's two, PostgreSQL's one.
    pub fn pools(&self) -> Vec<PoolFigures> {
        let figures = |name, pool: &Pool<Connector>| {
            let status = pool.status();
            let in_use = status.size.saturating_sub(status.available);
            PoolFigures { name, in_use, idle: status.available, most: status.max_size }
        };
        match self.readers.manager() {
            Connector::Postgres { .. } => vec![figures("shared", &self.readers)],
            Connector::Sqlite { .. } => {
                vec![figures("readers", &self.readers), figures("writer", &self.writers)]
            }
        }
    }

    /// A connection to write with; only transactions need one.
    pub(crate) async fn write(&self) -> Result<Lease> {
        lease(&self.writers).await
    }
}

/// The database's time; none where it has no clock but the system's.
pub(crate) async fn time(connection: &mut Connection) -> Result<Option<Moment>> {
    let Connection::Postgres(conn) = connection else { return Ok(None) };
    let time = diesel::select(diesel::dsl::sql::<Instant>("clock_timestamp()"));
    Ok(Some(diesel_async::RunQueryDsl::get_result(time, conn).await?))
}

async fn lease(pool: &Pool<Connector>) -> Result<Lease> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => Error::unavailable(Outcome::NotApplied, error),
        other => Error::unavailable(Outcome::NotApplied, other.to_string()),
    })
}

/// The address names no database that can be used.
#[derive(Debug, thiserror::Error)]
#[error("not a database address (postgres://… or sqlite:PATH): {0}")]
pub struct InvalidUrl(String);

/// How a connection is made.
#[derive(Clone)]
pub enum Connector {
    Postgres { config: Arc<tokio_postgres::Config>, tls: Arc<ClientConfig> },
    Sqlite { path: Arc<str> },
}

impl Connector {
    fn parse(url: &str) -> Result<Self, InvalidUrl> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err(InvalidUrl("the path is empty".into())),
                ":memory:" => Err(InvalidUrl("each connection would have a database of its own".into())),
                path => Ok(Connector::Sqlite { path: path.into() }),
            };
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(InvalidUrl("unknown scheme".into()));
        }
        // The parser's own message may quote the address, and with it a password.
        let mut config =
            url.parse::<tokio_postgres::Config>().map_err(|_| InvalidUrl("not understood".into()))?;
        // A server that has vanished without a word is noticed soon.
        config.keepalives_idle(NETWORK_TIMEOUT).tcp_user_timeout(NETWORK_TIMEOUT);
        Ok(Connector::Postgres { config: Arc::new(config), tls: Arc::new(tls_config()) })
    }

    async fn connect(&self) -> Result<Connection, ConnectError> {
        let mut connection = match self {
            Connector::Postgres { config, tls } => Connection::Postgres(connect_postgres(config, tls).await?),
            Connector::Sqlite { path } => {
                let mut conn = LiteConn::establish(path).await?;
                conn.spawn_blocking(functions::register).await?;
                Connection::Sqlite(conn)
            }
        };
        let setup = match &connection {
            Connection::Postgres(_) => postgres_setup(),
            Connection::Sqlite(_) => sqlite_setup(),
        };
        connection.batch(&setup).await?;
        check_language(&mut connection).await?;
        Ok(connection)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Connect(#[from] diesel::ConnectionError),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Setup(#[from] diesel::result::Error),
    #[error(
        "the database writes its messages in {0}; set lc_messages to C or English for this role or cluster"
    )]
    Language(String),
}

/// Some of PostgreSQL's faults reach us by their message alone (see `fault`), so it has to be the original one.
async fn check_language(connection: &mut Connection) -> Result<(), ConnectError> {
    let Connection::Postgres(conn) = connection else { return Ok(()) };
    let language = diesel::select(diesel::dsl::sql::<Text>("current_setting('lc_messages')"));
    let language: String = diesel_async::RunQueryDsl::get_result(language, conn).await?;
    match ["C", "POSIX", "en"].iter().any(|known| language.is_empty() || language.starts_with(known)) {
        true => Ok(()),
        false => Err(ConnectError::Language(language)),
    }
}

/// `sslmode=require` encrypts and verifies against the public roots; without it the connection is plain, as on a
/// loopback address or a Unix socket.
async fn connect_postgres(
    config: &tokio_postgres::Config,
    tls: &Arc<ClientConfig>,
) -> Result<AsyncPgConnection, ConnectError> {
    Ok(match config.get_ssl_mode() {
        SslMode::Require => {
            let (client, connection) = config.connect(MakeRustlsConnect::new((**tls).clone())).await?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        }
        _ => {
            let (client, connection) = config.connect(NoTls).await?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        }
    })
}

fn tls_config() -> ClientConfig {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl Manager for Connector {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        self.connect().await
    }

    /// A connection whose transaction was cut short is closed, not handed out again.
    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<ConnectError> {
        let broken = match connection {
            Connection::Postgres(conn) => conn.is_broken(),
            Connection::Sqlite(conn) => conn.is_broken(),
        };
        if broken { Err(RecycleError::message("a transaction was cut short")) } else { Ok(()) }
    }
}
