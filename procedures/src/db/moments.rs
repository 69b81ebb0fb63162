//! Reckoning with moments, which PostgreSQL does with intervals and SQLite with microseconds.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Integer;
use diesel::sqlite::Sqlite;

use super::types::Instant;

/// The moment so many days of 24 hours before another.
pub fn days_before<M, D>(moment: M, days: D) -> DaysBefore<M, D>
where
    M: Expression<SqlType = Instant>,
    D: Expression<SqlType = Integer>,
{
    DaysBefore { moment, days }
}

#[derive(Clone, Copy, Debug, QueryId, ValidGrouping)]
pub struct DaysBefore<M, D> {
    moment: M,
    days: D,
}

impl<M: Expression, D: Expression> Expression for DaysBefore<M, D> {
    type SqlType = Instant;
}
impl<Q, M: AppearsOnTable<Q>, D: AppearsOnTable<Q>> AppearsOnTable<Q> for DaysBefore<M, D> {}
impl<Q, M: SelectableExpression<Q>, D: SelectableExpression<Q>> SelectableExpression<Q> for DaysBefore<M, D> {}

impl<M: QueryFragment<Pg>, D: QueryFragment<Pg>> QueryFragment<Pg> for DaysBefore<M, D> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.written(out, "interval '24 hours'")
    }
}
impl<M: QueryFragment<Sqlite>, D: QueryFragment<Sqlite>> QueryFragment<Sqlite> for DaysBefore<M, D> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.written(out, "86400000000")
    }
}

impl<M, D> DaysBefore<M, D> {
    fn written<'b, B: Backend>(&'b self, mut out: AstPass<'_, 'b, B>, day: &str) -> QueryResult<()>
    where
        M: QueryFragment<B>,
        D: QueryFragment<B>,
    {
        out.push_sql("(");
        self.moment.walk_ast(out.reborrow())?;
        out.push_sql(" - ");
        self.days.walk_ast(out.reborrow())?;
        out.push_sql(" * ");
        out.push_sql(day);
        out.push_sql(")");
        Ok(())
    }
}
