//! `users`, as far as it is theirs alone.

use diesel::prelude::*;

use crate::caller::Tenant;
use crate::db::schema::{memberships, users};
use crate::db::{Connection, Transaction};
use crate::error::Result;
use crate::values::{Email, OrganizationId, UserId};

/// Whether the user has a membership, in whatever status, in another organization.
pub(super) async fn is_member_elsewhere(conn: &mut Connection, tenant: Tenant, user: UserId) -> Result<bool> {
    let query = memberships::table
        .filter(memberships::user_id.eq(user))
        .filter(memberships::organization_id.ne(tenant.organization_id()))
        .limit(1)
        .select(memberships::organization_id);
    let found: Option<OrganizationId> = conn.first(query).await?;
    Ok(found.is_some())
}

/// Takes away what names the person.
pub(super) async fn strip(tx: &mut Transaction<'_>, user: UserId) -> Result<()> {
    let stripped = diesel::update(users::table.filter(users::id.eq(user)))
        .set((users::display_name.eq(None::<String>), users::email.eq(None::<Email>)));
    tx.execute(stripped).await?;
    Ok(())
}
