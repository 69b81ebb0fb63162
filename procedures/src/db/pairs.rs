//! `(a, b)` is one of a list of pairs: diesel's `eq_any` takes one column only.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, Bool, HasSqlType, SqlType};
use diesel::sqlite::Sqlite;
use diesel::{AppearsOnTable, Expression, QueryResult, SelectableExpression};

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

impl<A: QueryId, B: QueryId, X, Y> QueryId for Pairs<A, B, X, Y> {
    type QueryId = Pairs<A::QueryId, B::QueryId, (), ()>;
    const HAS_STATIC_QUERY_ID: bool = A::HAS_STATIC_QUERY_ID && B::HAS_STATIC_QUERY_ID;
}
impl<A: Expression, B: Expression, X, Y> Expression for Pairs<A, B, X, Y> {
    type SqlType = Bool;
}
impl<A, B, X, Y> ValidGrouping<()> for Pairs<A, B, X, Y> {
    type IsAggregate = is_aggregate::No;
}
impl<QS, A: AppearsOnTable<QS>, B: AppearsOnTable<QS>, X, Y> AppearsOnTable<QS> for Pairs<A, B, X, Y> where
    Pairs<A, B, X, Y>: Expression
{
}
impl<QS, A, B, X, Y> SelectableExpression<QS> for Pairs<A, B, X, Y> where Self: AppearsOnTable<QS> {}

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
    A: QueryFragment<Sqlite> + Expression,
    B: QueryFragment<Sqlite> + Expression,
    Sqlite: HasSqlType<A::SqlType> + HasSqlType<B::SqlType>,
    X: ToSql<A::SqlType, Sqlite>,
    Y: ToSql<B::SqlType, Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if self.first.len() != 1 {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("(");
        self.a.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.b.walk_ast(out.reborrow())?;
        out.push_sql(") IN (VALUES ");
        for (place, (x, y)) in self.first.iter().zip(&self.second).enumerate() {
            out.push_sql(if place == 0 { "(" } else { ", (" });
            out.push_bind_param::<A::SqlType, _>(x)?;
            out.push_sql(", ");
            out.push_bind_param::<B::SqlType, _>(y)?;
            out.push_sql(")");
        }
        out.push_sql(")");
        Ok(())
    }
}
