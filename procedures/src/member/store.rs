//! `memberships` with their `users`.

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{MembershipStatus, Role};
use crate::caller::Tenant;
use crate::db::schema::{identities, identity_providers, memberships, users};
use crate::db::{Connection, Transaction, coalesce, contains, locked, lower};
use crate::error::Result;
use crate::policy::Subject;
use crate::session::{NewPerson, insert_person};
use crate::values::{
    Email, IdentityProviderId, Limit, Moment, OrganizationId, ProviderSubject, Search, UserId,
};

/// A user's place in an organization.
#[derive(Clone, Debug, PartialEq, Queryable, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    pub display_name: Option<String>,
    pub email: Option<Email>,
    pub role: Role,
    pub status: MembershipStatus,
    pub created_at: Moment,
}

#[diesel::dsl::auto_type]
fn members_of(organization: OrganizationId) -> _ {
    memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::organization_id.eq(organization))
        .select((
            memberships::user_id,
            memberships::organization_id,
            users::display_name,
            users::email,
            memberships::role,
            memberships::status,
            memberships::created_at,
        ))
}

pub(crate) async fn find(conn: &mut Connection, tenant: Tenant, user: UserId) -> Result<Option<Member>> {
    let query = members_of(tenant.organization_id()).filter(memberships::user_id.eq(user));
    Ok(conn.first(query).await?)
}

/// A member, to be changed: nobody else changes them until the transaction ends.
pub(crate) async fn find_locked(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    user: UserId,
) -> Result<Option<Member>> {
    let query = members_of(tenant.organization_id()).filter(memberships::user_id.eq(user));
    Ok(tx.first(locked(query)).await?)
}

/// What a member list is asked for.
pub(super) struct MemberQuery {
    pub roles: Vec<Role>,
    pub statuses: Vec<MembershipStatus>,
    /// A part of the display name or the e-mail address, in either case.
    pub search: Option<Search>,
    pub after: Option<UserId>,
    pub limit: Limit,
}

/// Members after a cursor, in the order of their ids.
pub(super) async fn list(conn: &mut Connection, tenant: Tenant, asked: MemberQuery) -> Result<Vec<Member>> {
    let pattern = contains(asked.search.as_ref());
    let query = members_of(tenant.organization_id())
        .filter(memberships::role.eq_any(asked.roles))
        .filter(memberships::status.eq_any(asked.statuses))
        .filter(memberships::user_id.gt(asked.after.unwrap_or(UserId::NIL)))
        .filter(
            lower(coalesce(users::display_name, String::new()))
                .like(lower(pattern.clone()))
                .escape('\\')
                .or(lower(coalesce(users::email, String::new())).like(lower(pattern)).escape('\\')),
        )
        .order(memberships::user_id)
        .limit(asked.limit.with_lookahead());
    Ok(conn.load(query).await?)
}

/// The membership of a person whom the caller may ask about; none if they have none.
pub(crate) async fn status_of(
    conn: &mut Connection,
    tenant: Tenant,
    subject: Subject,
) -> Result<Option<MembershipStatus>> {
    let query = memberships::table
        .filter(memberships::organization_id.eq(tenant.organization_id()))
        .filter(memberships::user_id.eq(subject.user_id()))
        .select(memberships::status);
    Ok(conn.first(query).await?)
}

/// Sets a member's role; answers whether there is such a member.
pub(super) async fn set_role(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    user: UserId,
    role: Role,
) -> Result<bool> {
    let member = memberships::table
        .filter(memberships::organization_id.eq(tenant.organization_id()))
        .filter(memberships::user_id.eq(user));
    let now = tx.now;
    let set = diesel::update(member).set((memberships::role.eq(role), memberships::updated_at.eq(now)));
    Ok(tx.execute(set).await? > 0)
}

/// Sets the status of a member that this transaction has locked.
pub(super) async fn set_status(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    user: UserId,
    status: MembershipStatus,
) -> Result<()> {
    let member = memberships::table
        .filter(memberships::organization_id.eq(tenant.organization_id()))
        .filter(memberships::user_id.eq(user));
    let now = tx.now;
    tx.execute(diesel::update(member).set((memberships::status.eq(status), memberships::updated_at.eq(now))))
        .await?;
    Ok(())
}

/// The identity provider that the organization's people are known by: the first of those that it has.
pub(super) async fn provider_of(conn: &mut Connection, tenant: Tenant) -> Result<Option<IdentityProviderId>> {
    let query = identity_providers::table
        .filter(identity_providers::organization_id.eq(tenant.organization_id()))
        .filter(identity_providers::removed_at.is_null())
        .order((identity_providers::created_at, identity_providers::id))
        .limit(1)
        .select(identity_providers::id);
    Ok(conn.first(query).await?)
}

/// Who is known by this subject.
pub(super) async fn find_by_subject(
    conn: &mut Connection,
    tenant: Tenant,
    provider: IdentityProviderId,
    subject: &ProviderSubject,
) -> Result<Option<UserId>> {
    let query = identities::table
        .filter(identities::organization_id.eq(tenant.organization_id()))
        .filter(identities::identity_provider_id.eq(provider))
        .filter(identities::subject.eq(subject.clone()))
        .select(identities::user_id);
    Ok(conn.first(query).await?)
}

/// What is told of a person to be provisioned; what is not told stays as it is.
pub(super) struct Told {
    pub display_name: Option<String>,
    pub email: Option<Email>,
    pub role: Option<Role>,
}

/// Makes a new member.
pub(super) async fn insert(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    provider: IdentityProviderId,
    subject: ProviderSubject,
    told: Told,
) -> Result<UserId> {
    let person = NewPerson {
        organization_id: tenant.organization_id(),
        provider_id: provider,
        subject,
        display_name: told.display_name,
        email: told.email,
        role: told.role.unwrap_or(Role::Learner),
    };
    let now = tx.now;
    insert_person(tx, now, person).await
}

/// Writes what is told over what is known; an ended membership is active again.
pub(super) async fn update(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    known: Member,
    told: Told,
) -> Result<()> {
    let person = users::table.filter(users::id.eq(known.user_id));
    let set_person = diesel::update(person).set((
        users::display_name.eq(told.display_name.or(known.display_name)),
        users::email.eq(told.email.or(known.email)),
    ));
    tx.execute(set_person).await?;
    let status = match known.status {
        MembershipStatus::Active | MembershipStatus::Ended => MembershipStatus::Active,
        MembershipStatus::Suspended => MembershipStatus::Suspended,
    };
    let member = memberships::table
        .filter(memberships::organization_id.eq(tenant.organization_id()))
        .filter(memberships::user_id.eq(known.user_id));
    let now = tx.now;
    let set_member = diesel::update(member).set((
        memberships::role.eq(told.role.unwrap_or(known.role)),
        memberships::status.eq(status),
        memberships::updated_at.eq(now),
    ));
    tx.execute(set_member).await?;
    Ok(())
}
