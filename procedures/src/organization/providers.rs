//! `identity_providers`, as they are set and removed. Whoever does so has locked their organization.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::caller::Tenant;
use crate::db::schema::{development_keys, identity_providers};
use crate::db::{Connection, Transaction};
use crate::error::{Error, Result};
use crate::session::Provider;

/// The provider of an organization that was registered under this issuer, if it was removed.
pub(super) async fn removed(conn: &mut Connection, tenant: Tenant, issuer: &str) -> Result<Option<Provider>> {
    let query = identity_providers::table
        .filter(identity_providers::organization_id.eq(tenant.organization_id()))
        .filter(identity_providers::issuer.eq(issuer.to_owned()))
        .filter(identity_providers::removed_at.is_not_null())
        .select(identity_providers::all_columns);
    Ok(conn.first(query).await?)
}

/// Refuses if the provider is development mode's own.
pub(super) async fn must_not_be_built_in(conn: &mut Connection, provider: &Provider) -> Result<()> {
    let query = development_keys::table
        .filter(development_keys::identity_provider_id.eq(provider.id))
        .select(development_keys::key_id);
    let key: Option<String> = conn.first(query).await?;
    match key {
        None => Ok(()),
        Some(_) => Err(Error::invalid_input("issuer", "the built-in issuer of development mode")),
    }
}

/// Writes a provider whose issuer was free: should another organization have taken it meanwhile, this can be repeated.
pub(super) async fn insert(tx: &mut Transaction<'_>, provider: Provider) -> Result<()> {
    tx.insert_new(&[provider]).await
}

/// The same for one that is there.
pub(super) async fn save(tx: &mut Transaction<'_>, provider: Provider) -> Result<()> {
    tx.update_all(&[provider]).await.map_err(|error| match error {
        Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Error::retryable(error),
        other => other.into(),
    })
}
