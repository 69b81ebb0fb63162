//! Whether a database is fit to be served from to the world.
//!
//! Architecture invariant: only the command `rollbook serve` calls this; no procedure does.

use diesel::prelude::*;

use crate::Database;
use crate::db::schema::{development_keys, identity_providers, organizations};
use crate::error::Result;
use crate::values::Slug;

/// Why a database is not fit: nobody could call, or somebody as anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The schema is not the one this binary was built with.
    SchemaNotCurrent,
    /// The private keys of these organizations' issuers are in the database: development mode has put them there.
    BuiltInIssuers(Vec<Slug>),
    /// No organization has an identity provider.
    NoIdentityProvider,
    /// An organization's issuer, or where its keys are, is no https address.
    Unencrypted { organization: Slug, url: String },
}

/// What there is to mend first; none if the database is fit.
pub async fn unfit(db: &Database) -> Result<Option<Unfit>> {
    if !db.is_current().await? {
        return Ok(Some(Unfit::SchemaNotCurrent));
    }
    let mut conn = db.read().await?;
    let built_in = development_keys::table
        .inner_join(organizations::table.on(organizations::id.eq(development_keys::organization_id)))
        .order(organizations::slug)
        .select(organizations::slug);
    let built_in: Vec<Slug> = conn.load(built_in).await?;
    if !built_in.is_empty() {
        return Ok(Some(Unfit::BuiltInIssuers(built_in)));
    }
    let providers = identity_providers::table
        .inner_join(organizations::table.on(organizations::id.eq(identity_providers::organization_id)))
        .filter(identity_providers::removed_at.is_null())
        .order((organizations::slug, identity_providers::issuer))
        .select((organizations::slug, identity_providers::issuer, identity_providers::jwks_uri));
    let providers: Vec<(Slug, String, Option<String>)> = conn.load(providers).await?;
    if providers.is_empty() {
        return Ok(Some(Unfit::NoIdentityProvider));
    }
    let mut urls = providers.into_iter().flat_map(|(organization, issuer, jwks_uri)| {
        [Some(issuer), jwks_uri].into_iter().flatten().map(move |url| (organization.clone(), url))
    });
    let unencrypted = urls.find(|(_, url)| !url.starts_with("https://"));
    Ok(unencrypted.map(|(organization, url)| Unfit::Unencrypted { organization, url }))
}
