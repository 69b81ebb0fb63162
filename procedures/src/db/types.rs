//! The column types of both databases, declared once.
//!
//! `schema.rs` uses these where diesel's own types differ between PostgreSQL and SQLite, so that one
//! `table!` per table serves both. The fixed OIDs spare diesel-async a look-up in `pg_type`.

use diesel::query_builder::QueryId;
use diesel::sql_types::SqlType;

/// `uuid` in PostgreSQL, a 16-byte `BLOB` in SQLite.
#[derive(Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct UuidKey;

/// `timestamptz` in PostgreSQL, microseconds since 1970 as an `INTEGER` in SQLite.
#[derive(Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Instant;

/// `numeric` in PostgreSQL, hundredths as an `INTEGER` in SQLite.
#[derive(Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1700, array_oid = 1231), sqlite_type(name = "Long"))]
pub struct Hundredths;
