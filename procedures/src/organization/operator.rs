//! The same for whoever runs the service, without a session: before there is a provider nobody can have one.
//!
//! Architecture invariant: only the commands `rollbook organization …` call these; no procedure does.

use super::create::insert;
use super::remove_identity_provider::remove;
use super::set_identity_provider::{Registration, register};
use super::{CreateInput, Organization, SetIdentityProviderInput, store};
use crate::App;
use crate::caller::Tenant;
use crate::db::repeated;
use crate::error::{Error, Result};
use crate::values::{Issuer, Slug};

/// Creates an organization, as `organization.create` does.
pub async fn create_as_operator(app: &App, input: &CreateInput) -> Result<Organization> {
    repeated(|| create_once(app, input)).await
}

async fn create_once(app: &App, input: &CreateInput) -> Result<Organization> {
    app.transaction(async |tx| insert(tx, input).await).await
}

/// Sets an identity provider of the organization with this slug, as `organization.setIdentityProvider` does, and whether it
/// is one of the platform's, that global admins sign in with; none if there is no such organization.
pub async fn set_identity_provider_of(
    app: &App,
    organization: &Slug,
    input: &SetIdentityProviderInput,
    platform: bool,
) -> Result<Option<Organization>> {
    let registration = Registration::new(input, app.trusts_loopback)?.for_platform(platform)?;
    repeated(|| set_once(app, organization, &registration)).await
}

async fn set_once(app: &App, slug: &Slug, registration: &Registration) -> Result<Option<Organization>> {
    app.transaction(async |tx| match store::find_by_slug(tx, slug).await? {
        Some(organization) => register(tx, Tenant::of(organization.id), registration).await.map(Some),
        None => Ok(None),
    })
    .await
}

/// Ends signing in with an identity provider, as `organization.removeIdentityProvider` does: NOT_FOUND if the organization
/// with this slug has no such provider, or does not exist.
pub async fn remove_identity_provider_of(
    app: &App,
    organization: &Slug,
    issuer: &Issuer,
) -> Result<Organization> {
    repeated(|| remove_once(app, organization, issuer)).await
}

async fn remove_once(app: &App, slug: &Slug, issuer: &Issuer) -> Result<Organization> {
    app.transaction(async |tx| {
        let organization = store::find_by_slug(tx, slug).await?.ok_or_else(Error::not_found)?;
        remove(tx, Tenant::of(organization.id), issuer).await
    })
    .await
}
