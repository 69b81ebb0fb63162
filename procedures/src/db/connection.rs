//! One connection type for both databases: every query is plain diesel, written once, and the compiler checks it
//! against both.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};
use diesel_async::methods::{ExecuteDsl, LoadQuery};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::BoxFuture;

pub(super) type PgConn = AsyncPgConnection;
pub(super) type LiteConn = SyncConnectionWrapper<SqliteConnection, InPlace>;

/// A connection to whichever database the address names.
#[expect(clippy::large_enum_variant, reason = "a connection is made once and then lent by reference")]
pub enum Connection {
    Postgres(PgConn),
    Sqlite(LiteConn),
}

/// A query that both databases can run and that yields rows of `T`.
pub trait Rows<'q, T: Send>: LoadQuery<'q, PgConn, T> + LoadQuery<'q, LiteConn, T> + Send + 'q {}
impl<'q, T: Send, Q> Rows<'q, T> for Q where
    Q: LoadQuery<'q, PgConn, T> + LoadQuery<'q, LiteConn, T> + Send + 'q
{
}

/// A statement that both databases can run.
pub trait Statement: ExecuteDsl<PgConn, Pg> + ExecuteDsl<LiteConn, Sqlite> + Send {}
impl<Q> Statement for Q where Q: ExecuteDsl<PgConn, Pg> + ExecuteDsl<LiteConn, Sqlite> + Send {}

impl Connection {
    pub async fn load<'q, T: Send>(&mut self, query: impl Rows<'q, T>) -> QueryResult<Vec<T>> {
        match self {
            Connection::Postgres(conn) => RunQueryDsl::load(query, conn).await,
            Connection::Sqlite(conn) => RunQueryDsl::load(query, conn).await,
        }
    }

    /// The first row, if there is one.
    pub async fn first<'q, T: Send + 'q>(&mut self, query: impl Rows<'q, T>) -> QueryResult<Option<T>> {
        Ok(self.load(query).await?.into_iter().next())
    }

    /// The row of a query that always has one.
    pub async fn one<'q, T: Send + 'q>(&mut self, query: impl Rows<'q, T>) -> QueryResult<T> {
        self.first(query).await?.ok_or(diesel::NotFound)
    }

    /// Runs a statement; says how many rows it touched.
    pub async fn execute(&mut self, statement: impl Statement) -> QueryResult<usize> {
        match self {
            Connection::Postgres(conn) => RunQueryDsl::execute(statement, conn).await,
            Connection::Sqlite(conn) => RunQueryDsl::execute(statement, conn).await,
        }
    }

    /// Runs statements that have neither parameters nor results.
    pub(super) async fn batch(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            Connection::Postgres(conn) => conn.batch_execute(sql).await,
            Connection::Sqlite(conn) => conn.batch_execute(sql).await,
        }
    }
}

/// Runs a SQLite call on the thread that asks for it: a call takes microseconds, a hop to another thread tens of them, and
/// telling the runtime of it no less. What takes longer, transactions and snapshots, tells it once (see `transaction::in_place`).
pub struct InPlace;

impl SpawnBlocking for InPlace {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(std::future::ready(Ok(task())))
    }

    fn get_runtime() -> Self {
        InPlace
    }
}

/// Holds a query's rows until the transaction ends, against writers and other such readers, but not against foreign
/// keys that point at them.
///
/// SQLite needs no lock of its own: its transaction has the whole database to itself.
pub fn locked<Q>(query: Q) -> Locked<Q> {
    Locked(query)
}

#[derive(Clone, Copy, QueryId)]
pub struct Locked<Q>(Q);

/// Locks a query's rows, but for those that another transaction has locked: they are passed over.
pub fn unclaimed<Q>(query: Q) -> Unclaimed<Q> {
    Unclaimed(query)
}

#[derive(Clone, Copy, QueryId)]
pub struct Unclaimed<Q>(Q);

/// Keeps a query's rows as they are until the transaction ends, together with others who want the same.
pub fn shared<Q>(query: Q) -> Shared<Q> {
    Shared(query)
}

#[derive(Clone, Copy, QueryId)]
pub struct Shared<Q>(Q);

macro_rules! lock {
    ($($node:ident $clause:literal),+) => { $(
        impl<Q: Query> Query for $node<Q> {
            type SqlType = Q::SqlType;
        }
        impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for $node<Q> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                self.0.walk_ast(out.reborrow())?;
                out.push_sql($clause);
                Ok(())
            }
        }
        impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for $node<Q> {
            fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                self.0.walk_ast(out)
            }
        }
    )+ };
}
lock!(
    Locked " FOR NO KEY UPDATE",
    Unclaimed " FOR NO KEY UPDATE SKIP LOCKED",
    Shared " FOR SHARE"
);

/// `together!(connection, a, b, c)`: the rows of several queries, of which none needs another's answer. PostgreSQL gets
/// them in one go.
///
/// They are carried out in their order, each seeing what was committed before it began: so what comes after a lock has
/// waited for it. That rests on diesel-async, which prepares one statement after another and sends each as soon as it is
/// prepared; a test holds it to that. (COMMIT and ROLLBACK are not prepared, and would overtake.)
macro_rules! together {
    ($connection:expr, $($query:expr),+ $(,)?) => {{
        let connection: &mut $crate::db::Connection = &mut *$connection;
        match connection {
            $crate::db::Connection::Postgres(conn) => {
                let conn = &*conn;
                tokio::try_join!(biased; $(diesel_async::RunQueryDsl::load($query, &mut &*conn)),+)
            }
            $crate::db::Connection::Sqlite(conn) => {
                async { diesel::QueryResult::Ok(($(diesel_async::RunQueryDsl::load($query, conn).await?,)+)) }.await
            }
        }
    }};
}
pub(crate) use together;
