//! Conditions that both databases search by well: `a` is one of a list, `(a, b)` is one of a list of pairs.
//!
//! diesel's `eq_any` takes one column only, and in SQLite is prepared anew each time. Here SQLite gets lists of few lengths,
//! filled up with their last element, so that each is prepared once.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryBuilder, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, Bool, HasSqlType, SqlType};
use diesel::sqlite::{Sqlite, SqliteQueryBuilder};
use diesel::{AppearsOnTable, Column, Expression, QueryResult, SelectableExpression};

/// What diesel has to know of a condition on columns, beside its text. That is another one for each length of a list in
/// SQLite, so it does not know it by its type.
macro_rules! condition {
    ($node:ident<$($column:ident),+; $($value:ident),+>) => {
        impl<$($column: QueryId,)+ $($value),+> QueryId for $node<$($column,)+ $($value),+> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
        impl<$($column: Expression,)+ $($value),+> Expression for $node<$($column,)+ $($value),+> {
            type SqlType = Bool;
        }
        impl<$($column,)+ $($value),+> ValidGrouping<()> for $node<$($column,)+ $($value),+> {
            type IsAggregate = is_aggregate::No;
        }
        impl<QS, $($column: AppearsOnTable<QS>,)+ $($value),+> AppearsOnTable<QS> for $node<$($column,)+ $($value),+>
        where
            Self: Expression
        {
        }
        impl<QS, $($column,)+ $($value),+> SelectableExpression<QS> for $node<$($column,)+ $($value),+>
        where
            Self: AppearsOnTable<QS>
        {
        }
    };
}
condition!(Pairs<A, B; X, Y>);
condition!(OneOf<A; X>);
condition!(Also<A; X>);

pub fn pairs<A, B, X, Y>(a: A, b: B, list: impl IntoIterator<Item = (X, Y)>) -> Pairs<A, B, X, Y> {
    let (first, second) = list.into_iter().unzip();
    Pairs { a, b, first, second }
}

#[derive(Clone)]
pub struct Pairs<A, B, X, Y> {
    a: A,
    b: B,
    first: Vec<X>,
    second: Vec<Y>,
}

impl<A, B, X, Y> QueryFragment<Pg> for Pairs<A, B, X, Y>
where
    A: QueryFragment<Pg> + Expression<SqlType: SqlType>,
    B: QueryFragment<Pg> + Expression<SqlType: SqlType>,
    Pg: HasSqlType<A::SqlType>
        + HasSqlType<B::SqlType>
        + HasSqlType<Array<A::SqlType>>
        + HasSqlType<Array<B::SqlType>>,
    Vec<X>: ToSql<Array<A::SqlType>, Pg>,
    Vec<Y>: ToSql<Array<B::SqlType>, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.a.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.b.walk_ast(out.reborrow())?;
        out.push_sql(") IN (SELECT * FROM unnest(");
        out.push_bind_param(&self.first)?;
        out.push_sql(", ");
        out.push_bind_param(&self.second)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<A, B, X, Y> QueryFragment<Sqlite> for Pairs<A, B, X, Y>
where
    A: Column<Table: Default + QueryFragment<Sqlite>>,
    B: Column<Table = A::Table>,
    Sqlite: HasSqlType<A::SqlType> + HasSqlType<B::SqlType>,
    X: ToSql<A::SqlType, Sqlite>,
    Y: ToSql<B::SqlType, Sqlite>,
{
    /// SQLite searches for no pairs in a list, but each element can be joined with what it names.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let (Some(last_x), Some(last_y)) = (self.first.last(), self.second.last()) else {
            out.push_sql("FALSE");
            return Ok(());
        };
        let table = A::Table::default();
        let mut builder = SqliteQueryBuilder::new();
        table.to_sql(&mut builder, &Sqlite)?;
        let table = builder.finish();
        out.push_sql(&format!("{table}.rowid IN (SELECT named.rowid FROM (VALUES "));
        let listed = self.first.iter().zip(&self.second);
        let padding = std::iter::repeat((last_x, last_y));
        for (place, (x, y)) in listed.chain(padding).take(padded(self.first.len())).enumerate() {
            out.push_sql(if place == 0 { "(" } else { ", (" });
            out.push_bind_param::<A::SqlType, _>(x)?;
            out.push_sql(", ");
            out.push_bind_param::<B::SqlType, _>(y)?;
            out.push_sql(")");
        }
        out.push_sql(&format!(
            ") AS listed CROSS JOIN {table} AS named WHERE named.{} = listed.column1 AND named.{} = listed.column2)",
            A::NAME,
            B::NAME,
        ));
        Ok(())
    }
}

/// The longest list that is filled up in SQLite: it binds 32,766 values (`SQLITE_MAX_VARIABLE_NUMBER`).
const LONGEST_PADDED: usize = 1024;

/// How long a list is in SQLite that has so many elements.
fn padded(elements: usize) -> usize {
    if elements > LONGEST_PADDED {
        return elements;
    }
    let mut length = 1;
    while length < elements {
        length *= 4;
    }
    length
}

/// The type of [`one_of`], by which diesel knows it.
#[expect(non_camel_case_types, reason = "diesel looks for it under the function's name")]
pub type one_of<A, L> = OneOf<A, <L as IntoIterator>::Item>;

pub fn one_of<A, X>(a: A, list: impl IntoIterator<Item = X>) -> OneOf<A, X> {
    OneOf { a, list: list.into_iter().collect() }
}

#[derive(Clone)]
pub struct OneOf<A, X> {
    a: A,
    list: Vec<X>,
}

impl<A, X> QueryFragment<Pg> for OneOf<A, X>
where
    A: QueryFragment<Pg> + Expression<SqlType: SqlType>,
    Pg: HasSqlType<A::SqlType> + HasSqlType<Array<A::SqlType>>,
    Vec<X>: ToSql<Array<A::SqlType>, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.a.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY(");
        out.push_bind_param(&self.list)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<A, X> QueryFragment<Sqlite> for OneOf<A, X>
where
    A: QueryFragment<Sqlite> + Expression,
    Sqlite: HasSqlType<A::SqlType>,
    X: ToSql<A::SqlType, Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let Some(last) = self.list.last() else {
            out.push_sql("FALSE");
            return Ok(());
        };
        self.a.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        let padding = std::iter::repeat(last);
        for (place, x) in self.list.iter().chain(padding).take(padded(self.list.len())).enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<A::SqlType, _>(x)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// `a` equals `value`, which is no reason to search by it: without statistics, SQLite takes an organization for few rows.
pub fn also<A, X>(a: A, value: X) -> Also<A, X> {
    Also { a, value }
}

#[derive(Clone, Copy)]
pub struct Also<A, X> {
    a: A,
    value: X,
}

impl<A, X> QueryFragment<Pg> for Also<A, X>
where
    A: QueryFragment<Pg> + Expression,
    Pg: HasSqlType<A::SqlType>,
    X: ToSql<A::SqlType, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.a.walk_ast(out.reborrow())?;
        out.push_sql(" = ");
        out.push_bind_param::<A::SqlType, _>(&self.value)
    }
}

impl<A, X> QueryFragment<Sqlite> for Also<A, X>
where
    A: QueryFragment<Sqlite> + Expression,
    Sqlite: HasSqlType<A::SqlType>,
    X: ToSql<A::SqlType, Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("+");
        self.a.walk_ast(out.reborrow())?;
        out.push_sql(" = ");
        out.push_bind_param::<A::SqlType, _>(&self.value)
    }
}
