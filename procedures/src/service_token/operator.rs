//! The same for whoever runs the service, without a session: an organization may have no admin yet.
//!
//! Architecture invariant: only the command `rollbook service-token create` calls this; no procedure does.

use super::create::issue;
use super::{CreateInput, ServiceToken};
use crate::App;
use crate::caller::Tenant;
use crate::db::repeated;
use crate::error::Result;
use crate::organization;
use crate::values::Slug;

/// Makes a token for the organization with this slug, as `serviceToken.create` does, and tells its secret; none if
/// there is no such organization.
pub async fn create_as_operator(
    app: &App,
    organization: &Slug,
    input: &CreateInput,
) -> Result<Option<(ServiceToken, String)>> {
    repeated(|| create_once(app, organization, input)).await
}

async fn create_once(app: &App, slug: &Slug, input: &CreateInput) -> Result<Option<(ServiceToken, String)>> {
    app.transaction(async |tx| match organization::store::find_by_slug(tx, slug).await? {
        Some(organization) => issue(tx, Tenant::of(organization.id), input).await.map(Some),
        None => Ok(None),
    })
    .await
}
