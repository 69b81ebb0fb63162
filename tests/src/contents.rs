//! All that a database holds, as text: what a refused call must leave as it was.

use std::collections::BTreeMap;

use diesel::sql_types::Text;
use diesel::{QueryResult, QueryableByName};
use procedures::Database;
use procedures::db::Connection;

/// The tables of the domain. A service token's last use is no change of it.
const TABLES: &[&str] = &[
    "certificates",
    "cohort_courses",
    "cohort_members",
    "cohorts",
    "course_authors",
    "course_enrollments",
    "courses",
    "deliveries",
    "event_heads",
    "events",
    "idempotency_records",
    "identities",
    "identity_providers",
    "memberships",
    "module_enrollments",
    "modules",
    "organizations",
    "users",
    "webhooks",
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every row of every table, a line each, in the order of their texts.
pub(crate) async fn contents(db: &Database) -> BTreeMap<&'static str, Vec<String>> {
    let mut connection = db.read().await.expect("a connection");
    let mut tables = BTreeMap::new();
    for table in TABLES {
        tables.insert(*table, rows(&mut connection, table).await.expect("the rows of a table"));
    }
    tables
}

async fn rows(connection: &mut Connection, table: &str) -> QueryResult<Vec<String>> {
    let row = match connection {
        Connection::Postgres(_) => "row_to_json(t)::text".to_owned(),
        Connection::Sqlite(_) => {
            let columns = format!("SELECT name AS line FROM pragma_table_info('{table}')");
            let columns: Vec<Line> = connection.load(diesel::sql_query(columns)).await?;
            let quoted = columns.iter().map(|Line { line }| format!("'{line}=' || quote({line})"));
            quoted.collect::<Vec<_>>().join(" || ' ' || ")
        }
    };
    let lines: Vec<Line> = connection
        .load(diesel::sql_query(format!("SELECT {row} AS line FROM {table} AS t ORDER BY 1")))
        .await?;
    Ok(lines.into_iter().map(|Line { line }| line).collect())
}
