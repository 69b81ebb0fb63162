//! `development_keys`, `development_clock`, and the rows that development mode sets without a procedure.

use diesel::prelude::*;

use crate::db::schema::{
    development_clock as clock, development_keys as keys, identities, identity_providers as providers,
    memberships, organizations, users,
};
use crate::db::{Connection, Database, Transaction, table_row};
use crate::error::Result;
use crate::member::Role;
use crate::session::Provider;
use crate::values::{IdentityProviderId, Moment, OrganizationId, ProviderSubject, Secret, Slug, UserId};

/// An issuer's signing key.
#[derive(Clone, Debug, Queryable)]
pub struct IssuerKey {
    pub organization_id: OrganizationId,
    pub provider_id: IdentityProviderId,
    pub issuer: String,
    pub audience: String,
    pub key_id: String,
    /// PKCS #8 in PEM.
    pub private_key: Secret,
}

table_row! {
    struct KeyRow: keys "development_keys" by (organization_id) {
        organization_id: OrganizationId,
        identity_provider_id: IdentityProviderId,
        key_id: String,
        private_key: Secret,
    }
}

table_row! {
    struct ClockRow: clock "development_clock" by (id) {
        id: i32,
        offset_micros: i64,
    }
}

/// The built-in issuers, each with its organization; an organization may have none.
#[diesel::dsl::auto_type]
fn issuer_keys() -> _ {
    keys::table
        .inner_join(organizations::table.on(organizations::id.eq(keys::organization_id)))
        .inner_join(providers::table.on(providers::id.eq(keys::identity_provider_id)))
        .select((
            keys::organization_id,
            providers::id,
            providers::issuer,
            providers::audience,
            keys::key_id,
            keys::private_key,
        ))
}

/// The key of the built-in issuer of the organization with this slug.
pub async fn issuer_key(db: &Database, slug: &Slug) -> Result<Option<IssuerKey>> {
    let query = issuer_keys().filter(organizations::slug.eq(slug.clone()));
    Ok(db.read().await?.first(query).await?)
}

/// The key of a provider that is a built-in issuer.
pub async fn issuer_key_of(db: &Database, provider: IdentityProviderId) -> Result<Option<IssuerKey>> {
    let query = issuer_keys().filter(providers::id.eq(provider));
    Ok(db.read().await?.first(query).await?)
}

pub(super) async fn find_issuer_key(
    conn: &mut Connection,
    organization: OrganizationId,
) -> Result<Option<String>> {
    let query = keys::table.filter(keys::organization_id.eq(organization)).select(keys::key_id);
    Ok(conn.first(query).await?)
}

pub(super) async fn insert_issuer(
    tx: &mut Transaction<'_>,
    provider: Provider,
    key_id: String,
    private_key: Secret,
) -> Result<()> {
    let (organization_id, identity_provider_id) = (provider.organization_id, provider.id);
    tx.insert_all(&[provider]).await?;
    Ok(tx.insert_all(&[KeyRow { organization_id, identity_provider_id, key_id, private_key }]).await?)
}

pub(super) async fn find_user(
    conn: &mut Connection,
    issuer: &IssuerKey,
    subject: &ProviderSubject,
) -> Result<Option<UserId>> {
    let query = identities::table
        .filter(identities::identity_provider_id.eq(issuer.provider_id))
        .filter(identities::subject.eq(subject.clone()))
        .select(identities::user_id);
    Ok(conn.first(query).await?)
}

pub(super) async fn set_standing(
    tx: &mut Transaction<'_>,
    organization: OrganizationId,
    user: UserId,
    role: Role,
    global_admin: bool,
) -> Result<()> {
    let member = memberships::table
        .filter(memberships::organization_id.eq(organization))
        .filter(memberships::user_id.eq(user));
    tx.execute(diesel::update(member).set(memberships::role.eq(role))).await?;
    let person = users::table.filter(users::id.eq(user));
    tx.execute(diesel::update(person).set(users::global_admin.eq(global_admin))).await?;
    Ok(())
}

/// How far the clock was moved.
pub async fn clock_offset(db: &Database) -> Result<i64> {
    let query = clock::table.filter(clock::id.eq(1)).select(clock::offset_micros);
    Ok(db.read().await?.first(query).await?.unwrap_or(0))
}

pub async fn set_clock_offset(db: &Database, now: Moment, offset_micros: i64) -> Result<()> {
    db.transaction(now, async |tx| Ok(tx.replace_all(&[ClockRow { id: 1, offset_micros }]).await?)).await
}
