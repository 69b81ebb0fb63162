//! `identity_providers`, `identities`, `users` and `service_tokens`, as signing in reads and writes them.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::{Algorithm, Scope, VerifiedToken};
use crate::Database;
use crate::caller::Tenant;
use crate::db::schema::{identities, identity_providers, memberships, organizations, service_tokens, users};
use crate::db::{Connection, Transaction, locked, pairs, table_row};
use crate::error::{Error, Result};
use crate::limits::LAST_USE_RESOLUTION;
use crate::member::{MembershipStatus, Role};
use crate::values::{
    Email, IdentityProviderId, Limit, Moment, OrganizationId, ProviderSubject, ServiceTokenId, UserId,
};

table_row! {
    /// An organization's OpenID Connect issuer.
    pub struct Provider: identity_providers "identity_providers" by (id) {
        id: IdentityProviderId,
        organization_id: OrganizationId,
        issuer: String,
        audience: String,
        algorithm: Algorithm,
        /// The claim that carries a new member's role.
        role_claim: Option<String>,
        /// Where its keys are; unless told, its configuration says so.
        jwks_uri: Option<String>,
        created_at: Moment,
        /// Since when nobody signs in there; the people who did stay known.
        removed_at: Option<Moment>,
        /// Whether it is one of those that global admins sign in with.
        platform: bool,
    }
}

table_row! {
    pub struct UserRow: users "users" by (id) {
        id: UserId,
        display_name: Option<String>,
        email: Option<Email>,
        global_admin: bool,
        created_at: Moment,
    }
}

table_row! {
    pub struct IdentityRow: identities "identities" by (identity_provider_id, subject) {
        organization_id: OrganizationId,
        identity_provider_id: IdentityProviderId,
        subject: ProviderSubject,
        user_id: UserId,
        created_at: Moment,
    }
}

table_row! {
    pub struct MembershipRow: memberships "memberships" by (organization_id, user_id) {
        organization_id: OrganizationId,
        user_id: UserId,
        role: Role,
        status: MembershipStatus,
        created_at: Moment,
        updated_at: Moment,
    }
}

table_row! {
    pub(crate) struct ServiceTokenRow: service_tokens "service_tokens" by (id) {
        id: ServiceTokenId,
        organization_id: OrganizationId,
        name: String,
        /// Separated by spaces.
        scopes: String,
        secret_sha256: Vec<u8>,
        expires_at: Option<Moment>,
        last_used_at: Option<Moment>,
        revoked_at: Option<Moment>,
        created_at: Moment,
    }
}

impl ServiceTokenRow {
    /// What it allows.
    pub(crate) fn scopes(&self) -> Result<Vec<Scope>> {
        let scopes = self.scopes.split_whitespace().map(str::parse).collect::<Result<_, String>>();
        scopes.map_err(Error::internal)
    }
}

impl Provider {
    /// The provider that is registered under this issuer, exactly as it is written.
    pub async fn find(db: &Database, issuer: &str) -> Result<Option<Provider>> {
        Provider::registered(&mut *db.read().await?, issuer).await
    }

    /// The same, on a connection.
    pub(crate) async fn registered(conn: &mut Connection, issuer: &str) -> Result<Option<Provider>> {
        let query = identity_providers::table
            .filter(identity_providers::issuer.eq(issuer.to_owned()))
            .filter(identity_providers::removed_at.is_null())
            .select(identity_providers::all_columns);
        Ok(conn.first(query).await?)
    }
}

/// A person by their identity, with their membership in the provider's organization.
#[derive(Clone, Debug)]
pub(crate) struct FoundPerson {
    pub user_id: UserId,
    pub display_name: Option<String>,
    pub global_admin: bool,
    pub membership: Option<(Role, MembershipStatus)>,
}

/// A person's name at a provider.
pub(crate) type IdentityKey = (IdentityProviderId, ProviderSubject);

/// The people of these identities, with their memberships in the providers' organizations; none at a provider that is
/// removed.
pub(super) async fn find_people(
    conn: &mut Connection,
    keys: &[IdentityKey],
) -> Result<BTreeMap<IdentityKey, FoundPerson>> {
    let query = identities::table
        .inner_join(identity_providers::table.on(identity_providers::id.eq(identities::identity_provider_id)))
        .inner_join(users::table.on(users::id.eq(identities::user_id)))
        .left_join(
            memberships::table.on(memberships::user_id
                .eq(users::id)
                .and(memberships::organization_id.eq(identities::organization_id))),
        )
        .filter(pairs(identities::identity_provider_id, identities::subject, keys.iter().cloned()))
        .filter(identity_providers::removed_at.is_null())
        .select((
            (identities::identity_provider_id, identities::subject),
            users::id,
            users::display_name,
            users::global_admin,
            (memberships::role, memberships::status).nullable(),
        ));
    type Row = (IdentityKey, UserId, Option<String>, bool, Option<(Role, MembershipStatus)>);
    let rows: Vec<Row> = conn.load(query).await?;
    Ok(rows
        .into_iter()
        .map(|(key, user_id, display_name, global_admin, membership)| {
            (key, FoundPerson { user_id, display_name, global_admin, membership })
        })
        .collect())
}

/// A person's membership in an organization; none at all where there is no such organization.
pub(super) async fn find_membership(
    conn: &mut Connection,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<Option<(Role, MembershipStatus)>>> {
    let query = organizations::table
        .left_join(
            memberships::table
                .on(memberships::organization_id.eq(organizations::id).and(memberships::user_id.eq(user))),
        )
        .filter(organizations::id.eq(organization))
        .select((memberships::role, memberships::status).nullable());
    Ok(conn.first(query).await?)
}

/// Makes the user, the identity and the membership of a first sign-in; UNAUTHORIZED at a provider that is removed.
pub(super) async fn provision(db: &Database, now: Moment, token: &VerifiedToken) -> Result<()> {
    let person = NewPerson {
        organization_id: token.organization_id,
        provider_id: token.provider_id,
        subject: token.subject.clone(),
        display_name: token.name.clone().map(|name| name.into_string()),
        email: None,
        role: token.role.unwrap_or(Role::Learner),
    };
    db.transaction(now, async |tx| {
        if !is_registered(tx, token.provider_id).await? {
            return Err(Error::unauthorized());
        }
        insert_person(tx, now, person).await.map(|_| ())
    })
    .await
}

async fn is_registered(conn: &mut Connection, provider: IdentityProviderId) -> Result<bool> {
    let query = identity_providers::table
        .filter(identity_providers::id.eq(provider))
        .filter(identity_providers::removed_at.is_null())
        .select(identity_providers::id);
    let found: Option<IdentityProviderId> = conn.first(query).await?;
    Ok(found.is_some())
}

pub(crate) struct NewPerson {
    pub organization_id: OrganizationId,
    pub provider_id: IdentityProviderId,
    pub subject: ProviderSubject,
    pub display_name: Option<String>,
    pub email: Option<Email>,
    pub role: Role,
}

/// Writes a person who is not known yet. Should another transaction write the same one meanwhile, this one fails as
/// a whole and can be repeated.
pub(crate) async fn insert_person(conn: &mut Connection, now: Moment, person: NewPerson) -> Result<UserId> {
    let user_id = UserId::new();
    let NewPerson { organization_id, provider_id, subject, display_name, email, role } = person;
    conn.insert_all(&[UserRow { id: user_id, display_name, email, global_admin: false, created_at: now }])
        .await?;
    let identity =
        IdentityRow { organization_id, identity_provider_id: provider_id, subject, user_id, created_at: now };
    conn.insert_new(&[identity]).await?;
    let status = MembershipStatus::Active;
    conn.insert_all(&[MembershipRow {
        organization_id,
        user_id,
        role,
        status,
        created_at: now,
        updated_at: now,
    }])
    .await?;
    Ok(user_id)
}

pub(super) async fn find_service_token(
    conn: &mut Connection,
    digest: Vec<u8>,
) -> Result<Option<ServiceTokenRow>> {
    let query = service_tokens::table
        .filter(service_tokens::secret_sha256.eq(digest))
        .select(service_tokens::all_columns);
    Ok(conn.first(query).await?)
}

/// Notes that a token was used, unless that was noted a moment ago.
pub(super) async fn touch_service_token(db: &Database, now: Moment, id: ServiceTokenId) -> Result<()> {
    let stale = service_tokens::last_used_at
        .is_null()
        .or(service_tokens::last_used_at.le(Some(now.minus(LAST_USE_RESOLUTION))));
    let used = diesel::update(service_tokens::table.filter(service_tokens::id.eq(id)).filter(stale))
        .set(service_tokens::last_used_at.eq(Some(now)));
    db.transaction(now, async |tx| Ok(tx.execute(used).await.map(|_| ())?)).await
}

/// An organization's service tokens after a cursor, oldest first.
pub(crate) async fn list_service_tokens(
    conn: &mut Connection,
    tenant: Tenant,
    after: Option<ServiceTokenId>,
    limit: Limit,
) -> Result<Vec<ServiceTokenRow>> {
    let query = service_tokens::table
        .filter(service_tokens::organization_id.eq(tenant.organization_id()))
        .filter(service_tokens::id.gt(after.unwrap_or(ServiceTokenId::NIL)))
        .order(service_tokens::id)
        .limit(limit.with_lookahead())
        .select(service_tokens::all_columns);
    Ok(conn.load(query).await?)
}

/// A service token of an organization, to be changed: nobody else changes it until the transaction ends.
pub(crate) async fn service_token_locked(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    id: ServiceTokenId,
) -> Result<Option<ServiceTokenRow>> {
    let query = service_tokens::table
        .filter(service_tokens::organization_id.eq(tenant.organization_id()))
        .filter(service_tokens::id.eq(id))
        .select(service_tokens::all_columns);
    Ok(tx.first(locked(query)).await?)
}

/// How many service tokens an organization has that are not revoked. Nobody else who counts them goes on until the
/// transaction ends.
pub(crate) async fn count_service_tokens(tx: &mut Transaction<'_>, tenant: Tenant) -> Result<usize> {
    let organization =
        organizations::table.filter(organizations::id.eq(tenant.organization_id())).select(organizations::id);
    let _: OrganizationId = tx.one(locked(organization)).await?;
    let query = service_tokens::table
        .filter(service_tokens::organization_id.eq(tenant.organization_id()))
        .filter(service_tokens::revoked_at.is_null())
        .select(count_star());
    let count: i64 = tx.one(query).await?;
    usize::try_from(count).map_err(Error::internal)
}

pub(super) async fn insert_service_token(tx: &mut Transaction<'_>, token: ServiceTokenRow) -> Result<()> {
    Ok(tx.insert_all(&[token]).await?)
}

/// Saves a service token that this transaction has locked.
pub(crate) async fn save_service_token(tx: &mut Transaction<'_>, token: ServiceTokenRow) -> Result<()> {
    Ok(tx.update_all(&[token]).await?)
}
