//! Many rows in one statement, on both databases.
//!
//! diesel's own batch insert is prepared anew for every number of rows in PostgreSQL, and diesel-async refuses it on
//! SQLite (weiznich/diesel_async#277). These statements have a constant text in PostgreSQL (`unnest` of an array
//! a column), so that they are prepared once, and are multi-row `VALUES` of few lengths in SQLite.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::sqlite::Sqlite;

use super::connection::Connection;
use crate::error::{Error, Result};

/// How many rows SQLite gets in one statement: as many as there are, in as few such statements as possible. Each is prepared
/// once.
const SQLITE_ROWS: [usize; 4] = [64, 16, 4, 1];

/// A row that is written many at a time; [`table_row!`] makes them.
pub trait BulkRow: Sized + Sync {
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];
    /// The columns that say which row is meant.
    const KEY: &'static [&'static str];
    type Columns: Columns + 'static;

    fn columns(rows: &[Self]) -> Self::Columns;
}

/// The values of many rows, column by column.
pub trait Columns: Send {
    fn rows(&self) -> usize;
    /// One array a column.
    fn bind_arrays<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
    /// The values of one row.
    fn bind_row<'b>(&'b self, row: usize, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

impl Connection {
    /// Inserts all rows.
    pub async fn insert_all<R: BulkRow>(&mut self, rows: &[R]) -> QueryResult<()> {
        self.write_all(rows, Write::Insert(Known::Refused)).await?;
        Ok(())
    }

    /// Inserts rows that were not there when this transaction looked. Should another one have written the same
    /// meanwhile, this one has lost and can be repeated.
    pub async fn insert_new<R: BulkRow>(&mut self, rows: &[R]) -> Result<()> {
        self.insert_all(rows).await.map_err(|error| match error {
            Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Error::retryable(error),
            other => other.into(),
        })
    }

    /// Inserts all rows; one whose key is there already takes the other's place.
    pub async fn replace_all<R: BulkRow>(&mut self, rows: &[R]) -> QueryResult<()> {
        self.write_all(rows, Write::Insert(Known::Replaced)).await?;
        Ok(())
    }

    /// Inserts the rows whose key is not there yet; says how many they were.
    pub async fn insert_missing<R: BulkRow>(&mut self, rows: &[R]) -> QueryResult<usize> {
        self.write_all(rows, Write::Insert(Known::Kept)).await
    }

    /// Sets the columns of all rows, each found by its key.
    pub async fn update_all<R: BulkRow>(&mut self, rows: &[R]) -> QueryResult<()> {
        self.write_all(rows, Write::Update).await?;
        Ok(())
    }

    /// In one statement on PostgreSQL, in few on SQLite. Says how many rows were written.
    pub(super) async fn write_all<R: BulkRow>(&mut self, rows: &[R], write: Write) -> QueryResult<usize> {
        let mut written = 0;
        let mut rest = rows;
        while !rest.is_empty() {
            let most = match self {
                Connection::Postgres(_) => rest.len(),
                Connection::Sqlite(_) => {
                    SQLITE_ROWS.into_iter().find(|most| *most <= rest.len()).unwrap_or(1)
                }
            };
            let (these, others) = rest.split_at(most);
            written += self.execute(statement(write, these)).await?;
            rest = others;
        }
        Ok(written)
    }
}

pub(super) fn statement<R: BulkRow>(write: Write, rows: &[R]) -> Statement<R::Columns> {
    Statement { write, table: R::TABLE, names: R::COLUMNS, key: R::KEY, columns: R::columns(rows) }
}

/// For PostgreSQL: inserts rows whose `column` counts from the number that another step has returned, as
/// `counter(last_number)`; if it has returned none, there is no number, which the table refuses.
pub(crate) fn append_after<R: BulkRow>(
    counter: &'static str,
    column: &'static str,
    rows: &[R],
) -> impl QueryFragment<Pg> + Send + use<R> {
    Append { names: R::COLUMNS, table: R::TABLE, columns: R::columns(rows), counter, column }
}

struct Append<C> {
    table: &'static str,
    names: &'static [&'static str],
    columns: C,
    counter: &'static str,
    column: &'static str,
}

impl<C: Columns> QueryFragment<Pg> for Append<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Append { table, names, columns, counter, column } = self;
        let value = |name: &&str| match name == column {
            true => format!("(SELECT last_number FROM {counter}) + new.{name}"),
            false => format!("new.{name}"),
        };
        let (names, values) = (names.join(", "), names.iter().map(value).collect::<Vec<_>>().join(", "));
        out.push_sql(&format!("INSERT INTO {table} ({names}) SELECT {values} FROM unnest("));
        columns.bind_arrays(out.reborrow())?;
        out.push_sql(&format!(") AS new ({names})"));
        Ok(())
    }
}

#[derive(Clone, Copy)]
pub(super) enum Write {
    Insert(Known),
    Update,
}

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// It is an error.
    Refused,
    /// It takes the other's place.
    Replaced,
    /// The other stays.
    Kept,
}

pub(super) struct Statement<C> {
    write: Write,
    table: &'static str,
    names: &'static [&'static str],
    key: &'static [&'static str],
    columns: C,
}

impl<C> Statement<C> {
    fn settable(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied().filter(|name| !self.key.contains(name))
    }

    /// `a = source.a, b = source.b`, with the source's column named as `named` says.
    fn assignments(&self, named: impl Fn(&str) -> String) -> String {
        self.settable().map(|name| format!("{name} = {}", named(name))).collect::<Vec<_>>().join(", ")
    }

    fn matches(&self, named: impl Fn(&str) -> String) -> String {
        let table = self.table;
        self.key.iter().map(|key| format!("{table}.{key} = {}", named(key))).collect::<Vec<_>>().join(" AND ")
    }

    fn insert(&self) -> String {
        format!("INSERT INTO {} ({}) ", self.table, self.names.join(", "))
    }

    fn on_conflict(&self, known: Known) -> String {
        let key = self.key.join(", ");
        match known {
            Known::Refused => String::new(),
            Known::Replaced => {
                let assignments = self.assignments(|name| format!("excluded.{name}"));
                format!(" ON CONFLICT ({key}) DO UPDATE SET {assignments}")
            }
            Known::Kept => format!(" ON CONFLICT ({key}) DO NOTHING"),
        }
    }

    /// SQLite calls the columns of `VALUES` column1, column2 and so on.
    fn position(&self, name: &str) -> String {
        let place = self.names.iter().position(|known| *known == name);
        format!("new.column{}", place.map_or(0, |place| place + 1))
    }
}

impl<C> QueryId for Statement<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C: Columns> QueryFragment<Pg> for Statement<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self.write {
            Write::Insert(known) => {
                out.push_sql(&self.insert());
                out.push_sql("SELECT * FROM unnest(");
                self.columns.bind_arrays(out.reborrow())?;
                out.push_sql(")");
                out.push_sql(&self.on_conflict(known));
            }
            Write::Update => {
                let new = |name: &str| format!("new.{name}");
                out.push_sql(&format!("UPDATE {} SET {} FROM unnest(", self.table, self.assignments(new)));
                self.columns.bind_arrays(out.reborrow())?;
                out.push_sql(&format!(") AS new ({}) WHERE {}", self.names.join(", "), self.matches(new)));
            }
        }
        Ok(())
    }
}

impl<C: Columns> QueryFragment<Sqlite> for Statement<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let position = |name: &str| self.position(name);
        match self.write {
            Write::Insert(_) => out.push_sql(&self.insert()),
            Write::Update => {
                out.push_sql(&format!("UPDATE {} SET {} FROM (", self.table, self.assignments(position)));
            }
        }
        out.push_sql("VALUES ");
        for row in 0..self.columns.rows() {
            out.push_sql(if row == 0 { "(" } else { ", (" });
            self.columns.bind_row(row, out.reborrow())?;
            out.push_sql(")");
        }
        match self.write {
            Write::Insert(known) => out.push_sql(&self.on_conflict(known)),
            Write::Update => out.push_sql(&format!(") AS new WHERE {}", self.matches(position))),
        }
        Ok(())
    }
}

/// A row type of a table, or of some of its columns, that can be loaded (fields are in the order they are selected)
/// and written many at a time.
///
/// ```text
/// table_row! {
///     pub struct CourseCounts: courses "courses" by (id) { id: CourseId, enrolled_count: i32 }
/// }
/// ```
macro_rules! table_row {
    (
        $(#[$meta:meta])*
        $vis:vis struct $row:ident: $table:ident $name:literal by ($($key:ident),+) {
            $($(#[$column_meta:meta])* $column:ident: $rust:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, diesel::Queryable)]
        $vis struct $row { $($(#[$column_meta])* pub $column: $rust),+ }

        const _: () = {
            pub struct Many { rows: usize, $($column: Vec<$rust>),+ }

            impl $crate::db::BulkRow for $row {
                const TABLE: &'static str = $name;
                const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];
                const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
                type Columns = Many;

                fn columns(rows: &[Self]) -> Many {
                    Many { rows: rows.len(), $($column: rows.iter().map(|row| row.$column.clone()).collect()),+ }
                }
            }
            impl $crate::db::Columns for Many {
                fn rows(&self) -> usize {
                    self.rows
                }

                fn bind_arrays<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    let mut separator = "";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<
                            diesel::sql_types::Array<<$table::$column as diesel::Expression>::SqlType>, _,
                        >(&self.$column)?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    Ok(())
                }

                fn bind_row<'b>(
                    &'b self,
                    row: usize,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
                ) -> diesel::QueryResult<()> {
                    let mut separator = "";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<<$table::$column as diesel::Expression>::SqlType, _>(
                            &self.$column[row],
                        )?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    Ok(())
                }
            }
        };
    };
}
pub(crate) use table_row;
