//! SQLite: the same data in it, and what it does by itself: one thread that enrolls by statements prepared once.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, pin_mut};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::data::{self, MODULES_PER_COURSE, Place};
use crate::histogram::Histogram;
use crate::load::Window;

/// As the server's connections are set.
const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
    PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY";

/// Copies every row of a loaded PostgreSQL database into a file that has the tables.
pub async fn fill(path: &Path, from: &Client) -> Result<()> {
    let mut file = Connection::open(path)?;
    file.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")?;
    let tables = names(
        &file,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_\\_%' ESCAPE '\\'
         ORDER BY name",
    )?;
    for table in tables {
        let columns = names(&file, &format!("SELECT name FROM pragma_table_info('{table}')"))?;
        let mut wanted = Vec::new();
        for column in &columns {
            wanted.push(as_sqlite_has_it(from, &table, column).await?);
        }
        let rows =
            from.query_raw(&format!("SELECT {} FROM {table}", wanted.join(", ")), no_parameters()).await?;
        pin_mut!(rows);
        let transaction = file.transaction()?;
        let places = vec!["?"; columns.len()].join(", ");
        let mut insert = transaction
            .prepare(&format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", ")))?;
        while let Some(row) = rows.next().await {
            insert.execute(params_from_iter(values(&row?)?)).with_context(|| table.clone())?;
        }
        drop(insert);
        transaction.commit()?;
    }
    file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn names(file: &Connection, query: &str) -> Result<Vec<String>> {
    let mut query = file.prepare(query)?;
    let names = query.query_map([], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

fn no_parameters() -> [&'static (dyn tokio_postgres::types::ToSql + Sync); 0] {
    []
}

/// A column of PostgreSQL's as SQLite's tables have it: ids as bytes, moments in microseconds, scores in hundredths.
async fn as_sqlite_has_it(from: &Client, table: &str, column: &str) -> Result<String> {
    let query = "SELECT udt_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = $1 AND column_name = $2";
    let row = from.query_one(query, &[&table, &column]).await.with_context(|| format!("{table}.{column}"))?;
    Ok(match row.get(0) {
        "uuid" => format!("uuid_send({column})"),
        "timestamptz" => format!("CAST(extract(epoch FROM {column}) * 1000000 AS bigint)"),
        "numeric" => format!("CAST({column} * 100 AS bigint)"),
        "bool" => format!("CAST(CAST({column} AS integer) AS bigint)"),
        "int4" => format!("CAST({column} AS bigint)"),
        "int8" | "text" | "bytea" => column.to_owned(),
        other => bail!("{table}.{column} is of the type {other}"),
    })
}

fn values(row: &Row) -> Result<Vec<Value>> {
    let columns = row.columns().iter().enumerate();
    columns
        .map(|(place, column)| {
            let value = match column.type_().name() {
                "int8" => row.try_get::<_, Option<i64>>(place)?.map(Value::Integer),
                "text" => row.try_get::<_, Option<String>>(place)?.map(Value::Text),
                _ => row.try_get::<_, Option<Vec<u8>>>(place)?.map(Value::Blob),
            };
            Ok(value.unwrap_or(Value::Null))
        })
        .collect()
}

/// Enrolls until the window ends, so many in a transaction; answers how long the transactions within it took, and how
/// many were enrolled in all. Each of its enrollments is counted as having taken as long as its transaction.
pub fn enroll(path: &Path, per_transaction: u64, window: Window) -> Result<(Histogram, u64)> {
    let file = Connection::open(path)?;
    file.execute_batch(SETUP)?;
    let mut statements = Statements::prepare(&file)?;
    let (mut begin, mut commit) = (file.prepare("BEGIN IMMEDIATE")?, file.prepare("COMMIT")?);
    let (mut latencies, mut enrolled) = (Histogram::default(), 0);
    while tokio::time::Instant::now() < window.ends {
        let begun = Instant::now();
        begin.execute([])?;
        for place in (enrolled..enrolled + per_transaction).map(Place::fresh) {
            statements.enroll(place)?;
        }
        commit.execute([])?;
        enrolled += per_transaction;
        if window.has(tokio::time::Instant::now()) {
            let took = begun.elapsed();
            (0..per_transaction).for_each(|_| latencies.record(took));
        }
    }
    Ok((latencies, enrolled))
}

/// What an enrollment is made of.
struct Statements<'a> {
    course: rusqlite::Statement<'a>,
    member: rusqlite::Statement<'a>,
    existing: rusqlite::Statement<'a>,
    modules: rusqlite::Statement<'a>,
    enrollment: rusqlite::Statement<'a>,
    module: rusqlite::Statement<'a>,
    count: rusqlite::Statement<'a>,
    head: rusqlite::Statement<'a>,
    event: rusqlite::Statement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(file: &'a Connection) -> Result<Self> {
        Ok(Statements {
            course: file.prepare(
                "SELECT status, seats_limit, enrolled_count + completed_count, modules_total FROM courses
                 WHERE organization_id = ?1 AND id = ?2",
            )?,
            member: file
                .prepare("SELECT role, status FROM memberships WHERE organization_id = ?1 AND user_id = ?2")?,
            existing: file
                .prepare("SELECT id, status FROM course_enrollments WHERE user_id = ?1 AND course_id = ?2")?,
            modules: file.prepare("SELECT id FROM modules WHERE course_id = ?1 AND retired_at IS NULL")?,
            enrollment: file.prepare(
                "INSERT INTO course_enrollments (id, user_id, course_id, organization_id, status, enrolled_at, created_at,
                     updated_at, source, attempt, version, modules_total, modules_completed)
                 VALUES (?1, ?2, ?3, ?4, 'enrolled', ?5, ?5, ?5, 'self', 1, 1, ?6, 0)",
            )?,
            module: file.prepare(
                "INSERT INTO module_enrollments (id, organization_id, enrollment_id, user_id, module_id, enrolled_at,
                     soft_deleted)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
            )?,
            count: file.prepare(
                "UPDATE courses SET enrolled_count = enrolled_count + 1 WHERE organization_id = ?1 AND id = ?2",
            )?,
            head: file.prepare(
                "UPDATE event_heads SET last_number = last_number + 1 WHERE organization_id = ?1 RETURNING last_number",
            )?,
            event: file.prepare(
                "INSERT INTO events (organization_id, number, at, kind, course_id, enrollment_id, user_id, actor_kind,
                     actor_id, request_id, data)
                 VALUES (?1, ?2, ?3, 'enrolled', ?4, ?5, ?6, 'user', ?6, 'bench',
                     '{\"status\":\"enrolled\",\"attempt\":1,\"source\":\"self\"}')",
            )?,
        })
    }

    fn enroll(&mut self, place: Place) -> Result<()> {
        let organization = data::organization_id(data::organization(place.user)).into_bytes();
        let (user, course) =
            (data::user_id(place.user).into_bytes(), data::course_id(place.course).into_bytes());
        let now = chrono::Utc::now().timestamp_micros();
        type Course = (String, Option<i64>, i64, i64);
        let found: Course = self.course.query_row(params![organization, course], |row| row.try_into())?;
        let (status, limit, taken, modules_total) = found;
        let member: (String, String) =
            self.member.query_row(params![organization, user], |row| row.try_into())?;
        let refused =
            status != "published" || member.1 != "active" || limit.is_some_and(|limit| taken >= limit);
        if refused || self.existing.exists(params![user, course])? {
            bail!("{place:?} is not free");
        }
        let modules = self.modules.query_map(params![course], |row| row.get::<_, Vec<u8>>(0))?;
        let modules = modules.collect::<rusqlite::Result<Vec<_>>>()?;
        if modules.len() as u64 != MODULES_PER_COURSE {
            bail!("a course has {} modules", modules.len());
        }
        let id = Uuid::now_v7().into_bytes();
        self.enrollment.execute(params![id, user, course, organization, now, modules_total])?;
        for module in modules {
            let given = Uuid::now_v7().into_bytes();
            self.module.execute(params![given, organization, id, user, module, now])?;
        }
        self.count.execute(params![organization, course])?;
        let number: i64 = self.head.query_row(params![organization], |row| row.get(0))?;
        self.event.execute(params![organization, number, now, course, id, user])?;
        Ok(())
    }
}
