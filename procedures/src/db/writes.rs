//! What a transaction writes last of all, when nothing of it is read any more: in one statement where the database can.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::bulk::{BulkRow, Known, Write, statement};
use super::connection::Connection;

/// Part of what is written.
pub(crate) trait Part: Send {
    /// For PostgreSQL, in the order in which one refers to another.
    fn steps(&self) -> Vec<Step>;
    /// For SQLite.
    fn write<'w>(&'w self, conn: &'w mut Connection) -> BoxFuture<'w, QueryResult<()>>;
}

/// A statement of many that are one; others refer to it by its name, if it has one.
pub(crate) struct Step {
    pub name: Option<&'static str>,
    pub sql: Box<dyn QueryFragment<Pg> + Send>,
}

/// Rows of one table.
struct Rows<R> {
    write: Write,
    rows: Vec<R>,
}

impl<R: BulkRow + Send> Part for Rows<R> {
    fn steps(&self) -> Vec<Step> {
        vec![Step { name: None, sql: Box::new(statement(self.write, &self.rows)) }]
    }

    fn write<'w>(&'w self, conn: &'w mut Connection) -> BoxFuture<'w, QueryResult<()>> {
        async { conn.write_all(&self.rows, self.write).await.map(|_| ()) }.boxed()
    }
}

/// Writes that are yet to be made. None of them sees what another has written, but foreign keys do; so no row is written
/// twice.
#[derive(Default)]
pub(crate) struct Writes(Vec<Box<dyn Part>>);

impl Writes {
    /// Inserts all rows.
    pub fn insert<R: BulkRow + Send + 'static>(&mut self, rows: Vec<R>) {
        self.rows(Write::Insert(Known::Refused), rows);
    }

    /// Inserts all rows; one whose key is there already takes the other's place.
    pub fn replace<R: BulkRow + Send + 'static>(&mut self, rows: Vec<R>) {
        self.rows(Write::Insert(Known::Replaced), rows);
    }

    /// Sets the columns of all rows, each found by its key.
    pub fn update<R: BulkRow + Send + 'static>(&mut self, rows: Vec<R>) {
        self.rows(Write::Update, rows);
    }

    fn rows<R: BulkRow + Send + 'static>(&mut self, write: Write, rows: Vec<R>) {
        if !rows.is_empty() {
            self.add(Rows { write, rows });
        }
    }

    pub fn add(&mut self, part: impl Part + 'static) {
        self.0.push(Box::new(part));
    }
}

impl Connection {
    /// Makes all writes; answers PostgreSQL's number of the transaction, if there were any.
    pub(crate) async fn write(&mut self, writes: Writes) -> QueryResult<Option<String>> {
        let Writes(parts) = writes;
        if parts.is_empty() {
            return Ok(None);
        }
        match self {
            Connection::Postgres(conn) => {
                // PostgreSQL carries out the last of them first.
                let all = AsOne(parts.iter().rev().flat_map(|part| part.steps()).collect());
                diesel_async::RunQueryDsl::get_result(all, conn).await.map(Some)
            }
            Connection::Sqlite(_) => {
                for part in parts {
                    part.write(self).await?;
                }
                Ok(None)
            }
        }
    }
}

/// Many writing statements as one. PostgreSQL carries out all of them, and checks foreign keys afterwards.
struct AsOne(Vec<Step>);

impl QueryId for AsOne {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for AsOne {
    type SqlType = Text;
}
impl<C> diesel::RunQueryDsl<C> for AsOne {}
impl QueryFragment<Pg> for AsOne {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut separator = "WITH ";
        for (place, Step { name, sql }) in self.0.iter().enumerate() {
            out.push_sql(separator);
            match name {
                Some(name) => out.push_sql(name),
                None => out.push_sql(&format!("step{place}")),
            }
            out.push_sql(" AS (");
            sql.walk_ast(out.reborrow())?;
            out.push_sql(")");
            separator = ", ";
        }
        out.push_sql(" SELECT pg_current_xact_id()::text");
        Ok(())
    }
}
