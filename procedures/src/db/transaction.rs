//! The one place where a transaction, or a snapshot to read from, opens and ends.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use diesel::QueryResult;
use diesel::connection::AnsiTransactionManager as LiteTransactions;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AnsiTransactionManager as PgTransactions, AsyncConnection, TransactionManager};

use super::connection::{Connection, LiteConn};
use super::pool::{Database, Lease};
use super::writes::Writes;
use crate::error::{Code, Error, Outcome, Result};
use crate::event::NewEvent;
use crate::limits::{FATE_ATTEMPTS, FATE_INTERVAL};
use crate::metric;
use crate::values::{Moment, OrganizationId};

/// An open transaction: what is written through it is written wholly or not at all.
///
/// In SQLite it holds the write lock from its beginning, so it cannot fail half-way for want of it.
pub struct Transaction<'c> {
    connection: &'c mut Connection,
    /// The moment all of its decisions and changes are of.
    pub now: Moment,
    /// The organization whose rows it changes; no transaction changes those of two.
    pub(crate) events_of: Option<OrganizationId>,
    /// What it will have made happen, each with its moment: written last of all.
    pub(crate) events: Vec<(Moment, NewEvent)>,
    /// What else is written last of all, unless it is flushed before: nothing reads it.
    pub(crate) last: Writes,
    /// PostgreSQL's number of it, if that is known.
    number: Option<String>,
}

impl<'c> Transaction<'c> {
    fn new(connection: &'c mut Connection, now: Moment) -> Self {
        let last = Writes::default();
        Transaction { connection, now, events_of: None, events: Vec::new(), last, number: None }
    }

    /// Writes at once what is to be written last, for who reads it all the same.
    pub(crate) async fn flush(&mut self) -> QueryResult<()> {
        let last = std::mem::take(&mut self.last);
        let number = self.connection.write(last).await?;
        self.number = number.or(self.number.take());
        Ok(())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection
    }
}
impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection
    }
}

impl Database {
    /// Runs `work` in a transaction: commits if it succeeds, rolls back if it fails.
    ///
    /// If the answer to COMMIT is lost, the transaction's fate is looked up before anything is said of it.
    pub async fn transaction<T>(
        &self,
        now: Moment,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.transaction_on(self.write().await?, None, now, work).await
    }

    /// The same on a connection that [`Database::write`] has given; `lock_timeout` is how long it waits for a lock, if not as
    /// long as others.
    pub(crate) async fn transaction_on<T>(
        &self,
        lease: Lease,
        lock_timeout: Option<Duration>,
        now: Moment,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        match &*lease {
            Connection::Postgres(_) => self.carry_out(lease, lock_timeout, now, work).await,
            Connection::Sqlite(_) => in_place(self.carry_out(lease, lock_timeout, now, work)),
        }
    }

    async fn carry_out<T>(
        &self,
        mut lease: Lease,
        lock_timeout: Option<Duration>,
        now: Moment,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let connection = &mut *lease;
        begin(connection, lock_timeout).await?;
        let counted = metric::Counted::begun();
        let mut transaction = Transaction::new(&mut *connection, now);
        let worked = async {
            let done = work(&mut transaction).await?;
            transaction.flush().await?;
            Ok((done, transaction.number.take()))
        };
        let (done, number) = match worked.await {
            Ok(done) => done,
            Err(error) => {
                roll_back(connection).await;
                return Err(error);
            }
        };
        let number = match number {
            Some(number) => Some(number),
            None => transaction_number(connection).await?,
        };
        let committed = match commit(connection).await {
            Ok(()) => Ok(()),
            Err(error) => match number {
                Some(number) if error.code() == Code::ServiceUnavailable => {
                    drop(lease);
                    self.fate(&number, error).await
                }
                _ => Err(error),
            },
        };
        counted.ended(&committed);
        committed.map(|()| done)
    }

    /// Runs reads that all see the database as it was at the first of them, whatever is committed meanwhile. Nobody
    /// waits for them, and PostgreSQL refuses a write among them. `patience` is how long one of them may take there.
    pub async fn snapshot<T>(
        &self,
        patience: Duration,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        let lease = self.read().await?;
        match &*lease {
            Connection::Postgres(_) => look(lease, patience, work).await,
            Connection::Sqlite(_) => in_place(look(lease, patience, work)),
        }
    }

    /// What became of a transaction whose COMMIT was not answered.
    async fn fate(&self, number: &str, lost: Error) -> Result<()> {
        tracing::warn!(
            number,
            cause = lost.cause().map(ToString::to_string),
            "the answer to a COMMIT was lost"
        );
        for _ in 0..FATE_ATTEMPTS {
            match self.status(number).await {
                Ok(Some(status)) if status == "committed" => return Ok(()),
                Ok(Some(status)) if status == "aborted" => {
                    return Err(Error::retryable("the transaction was aborted while it committed"));
                }
                // Still in progress (or too old to be known), or the database is not back yet.
                Ok(_) | Err(_) => tokio::time::sleep(FATE_INTERVAL).await,
            }
        }
        Err(Error::unavailable(Outcome::Unknown, "the fate of a transaction could not be looked up"))
    }

    async fn status(&self, number: &str) -> Result<Option<String>> {
        let mut lease = self.read().await?;
        let Connection::Postgres(conn) = &mut *lease else { return Ok(None) };
        let status = diesel::dsl::sql::<Nullable<Text>>("SELECT pg_xact_status(")
            .bind::<Text, _>(number)
            .sql("::xid8)");
        Ok(diesel_async::RunQueryDsl::get_result(status, conn).await?)
    }
}

/// What SQLite does, on the thread that asks; the runtime has others meanwhile.
pub(super) fn in_place<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

async fn look<T>(
    mut lease: Lease,
    patience: Duration,
    work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    begin_snapshot(&mut lease).await?;
    if let Connection::Postgres(_) = &*lease {
        lease.batch(&format!("SET LOCAL statement_timeout = {}", patience.as_millis())).await?;
    }
    let done = work(&mut lease).await;
    // Nothing was written, so there is nothing to commit either.
    roll_back(&mut lease).await;
    done
}

async fn begin(connection: &mut Connection, lock_timeout: Option<Duration>) -> QueryResult<()> {
    match connection {
        Connection::Postgres(conn) => match lock_timeout {
            None => PgTransactions::begin_transaction(conn).await,
            Some(timeout) => {
                let begin = format!("BEGIN; SET LOCAL lock_timeout = {}", timeout.as_millis());
                PgTransactions::begin_transaction_sql(conn, &begin).await
            }
        },
        Connection::Sqlite(conn) => {
            conn.spawn_blocking(|conn| LiteTransactions::begin_transaction_sql(conn, "BEGIN IMMEDIATE")).await
        }
    }
}

/// In SQLite, a snapshot is what a transaction sees that never asks for the write lock.
async fn begin_snapshot(connection: &mut Connection) -> QueryResult<()> {
    match connection {
        Connection::Postgres(conn) => {
            PgTransactions::begin_transaction_sql(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
        }
        Connection::Sqlite(conn) => {
            conn.spawn_blocking(|conn| LiteTransactions::begin_transaction_sql(conn, "BEGIN DEFERRED")).await
        }
    }
}

async fn commit(connection: &mut Connection) -> Result<()> {
    match connection {
        Connection::Postgres(conn) => PgTransactions::commit_transaction(conn).await?,
        Connection::Sqlite(conn) => {
            <LiteConn as AsyncConnection>::TransactionManager::commit_transaction(conn).await?;
        }
    }
    Ok(())
}

/// A connection that fails to roll back is broken, which the pool sees; what the caller is told does not depend on it.
async fn roll_back(connection: &mut Connection) {
    let rolled_back = match connection {
        Connection::Postgres(conn) => PgTransactions::rollback_transaction(conn).await,
        Connection::Sqlite(conn) => {
            <LiteConn as AsyncConnection>::TransactionManager::rollback_transaction(conn).await
        }
    };
    if let Err(fault) = rolled_back {
        tracing::warn!(%fault, "a rollback failed; the connection is given up");
    }
}

/// PostgreSQL's number of a transaction that has written something. SQLite answers a COMMIT in the same process, so
/// its answer cannot be lost.
async fn transaction_number(connection: &mut Connection) -> Result<Option<String>> {
    match connection {
        Connection::Postgres(conn) => {
            let number =
                diesel::select(diesel::dsl::sql::<Nullable<Text>>("pg_current_xact_id_if_assigned()::text"));
            Ok(diesel_async::RunQueryDsl::get_result(number, conn).await?)
        }
        Connection::Sqlite(_) => Ok(None),
    }
}
