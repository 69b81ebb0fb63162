//! `idempotency_records`: answers by key.

use std::collections::BTreeSet;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool};
use diesel::sqlite::Sqlite;

use super::Claim;
use crate::caller::Tenant;
use crate::db::schema::idempotency_records as records;
use crate::db::{Connection, Database, Transaction, table_row};
use crate::error::Result;
use crate::limits::KEY_RETENTION;
use crate::values::{Moment, OrganizationId, PrincipalId, UserId};

table_row! {
    pub(super) struct Row: records "idempotency_records" by (organization_id, caller_id, procedure, key) {
        organization_id: OrganizationId,
        caller_id: PrincipalId,
        procedure: String,
        key: String,
        fingerprint: Vec<u8>,
        answer: String,
        created_at: Moment,
    }
}

impl Row {
    pub(super) fn new(claim: &Claim, answer: String, now: Moment) -> Self {
        Row {
            organization_id: claim.organization,
            caller_id: claim.owner,
            procedure: claim.call.procedure.to_string(),
            key: claim.call.key.as_str().to_owned(),
            fingerprint: claim.call.fingerprint.clone(),
            answer,
            created_at: now,
        }
    }
}

/// The records of these keys that are younger than `after` (and possibly others of the same callers).
pub(super) async fn known(conn: &mut Connection, claims: &[&Claim], after: Moment) -> Result<Vec<Row>> {
    let organizations: BTreeSet<_> = claims.iter().map(|claim| claim.organization).collect();
    let owners: BTreeSet<_> = claims.iter().map(|claim| claim.owner).collect();
    let keys: Vec<_> = claims.iter().map(|claim| claim.call.key.as_str().to_owned()).collect();
    let query = records::table
        .filter(records::organization_id.eq_any(Vec::from_iter(organizations)))
        .filter(records::caller_id.eq_any(Vec::from_iter(owners)))
        .filter(records::key.eq_any(keys))
        .filter(records::created_at.gt(after))
        .select(records::all_columns);
    Ok(conn.load(query).await?)
}

/// Deletes an organization's records whose answers speak of this user.
pub async fn forget(tx: &mut Transaction<'_>, tenant: Tenant, user: UserId) -> Result<()> {
    let speaking_of = records::table
        .filter(records::organization_id.eq(tenant.organization_id()))
        .filter(records::answer.like(format!("%{user}%")));
    tx.execute(diesel::delete(speaking_of)).await?;
    Ok(())
}

/// Takes the keys' locks until the transaction ends; answers with those that no other transaction holds.
pub(super) async fn try_lock(conn: &mut Connection, claims: &[&Claim]) -> Result<BTreeSet<i64>> {
    let locks: BTreeSet<i64> = claims.iter().map(|claim| claim.lock()).collect();
    let locks = Vec::from_iter(locks);
    let taken: Vec<bool> = conn.load(TryLock { locks: locks.clone() }).await?;
    Ok(locks.into_iter().zip(taken).filter_map(|(lock, taken)| taken.then_some(lock)).collect())
}

/// PostgreSQL's advisory locks, tried in order. In SQLite the transaction already has the database to itself.
#[derive(QueryId)]
struct TryLock {
    locks: Vec<i64>,
}
impl Query for TryLock {
    type SqlType = Bool;
}
impl QueryFragment<Pg> for TryLock {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT pg_try_advisory_xact_lock(lock) FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.locks)?;
        out.push_sql(") AS lock");
        Ok(())
    }
}
impl QueryFragment<Sqlite> for TryLock {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("VALUES ");
        for place in 0..self.locks.len() {
            out.push_sql(if place == 0 { "(1)" } else { ", (1)" });
        }
        Ok(())
    }
}

/// Deletes the records that have outlived their time; they are no domain data (D24 keeps that).
pub async fn purge(db: &Database, now: Moment) -> Result<usize> {
    let until = now.minus(KEY_RETENTION);
    db.transaction(now, async |tx| {
        Ok(tx.execute(diesel::delete(records::table.filter(records::created_at.le(until)))).await?)
    })
    .await
}
