//! What development mode needs of the database: organizations with an issuer of their own, people and tokens on
//! demand, and a clock that can be moved.
//!
//! Architecture invariant: only `rollbook dev` and the tests call these; no procedure does.

mod store;

pub use store::{IssuerKey, clock_offset, issuer_key, issuer_key_of, set_clock_offset};

use crate::db::{Database, repeated};
use crate::error::Result;
use crate::member::Role;
use crate::organization::{self, OrganizationRow};
use crate::session::{Algorithm, NewPerson, Provider, insert_person};
use crate::values::{
    IdentityProviderId, Moment, Name, OrganizationId, ProviderSubject, Secret, Slug, UserId,
};

/// An organization to be there.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    pub slug: Slug,
    pub name: Name,
    pub issuer: String,
    pub audience: String,
    pub key_id: String,
    /// PKCS #8 in PEM.
    pub private_key: Secret,
}

/// The organization with this slug, made with its issuer if there is none.
pub async fn ensure_organization(db: &Database, now: Moment, new: NewOrganization) -> Result<OrganizationId> {
    repeated(|| ensure_organization_once(db, now, new.clone())).await
}

async fn ensure_organization_once(
    db: &Database,
    now: Moment,
    new: NewOrganization,
) -> Result<OrganizationId> {
    db.transaction(now, async |tx| {
        let known = organization::store::find_by_slug(tx, &new.slug).await?;
        let organization_id = match known {
            Some(organization) => organization.id,
            None => {
                let organization = OrganizationRow {
                    id: OrganizationId::new(),
                    slug: new.slug,
                    name: new.name,
                    created_at: now,
                };
                organization::store::insert(tx, organization.clone()).await?;
                organization.id
            }
        };
        if store::find_issuer_key(tx, organization_id).await?.is_none() {
            let provider = Provider {
                id: IdentityProviderId::new(),
                organization_id,
                issuer: new.issuer,
                audience: new.audience,
                algorithm: Algorithm::Es256,
                role_claim: Some("role".into()),
                jwks_uri: None,
                created_at: now,
                removed_at: None,
                platform: false,
            };
            store::insert_issuer(tx, provider, new.key_id, new.private_key).await?;
        }
        Ok(organization_id)
    })
    .await
}

/// Who is to be there, and as what.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub subject: ProviderSubject,
    pub role: Role,
    pub name: Option<Name>,
    pub global_admin: bool,
}

/// The user that an organization's issuer knows by a subject, made with a membership if there is none; the role and
/// the global admin's flag are set in any case.
pub async fn ensure_user(db: &Database, now: Moment, issuer: &IssuerKey, new: NewUser) -> Result<UserId> {
    repeated(|| ensure_user_once(db, now, issuer, new.clone())).await
}

async fn ensure_user_once(db: &Database, now: Moment, issuer: &IssuerKey, new: NewUser) -> Result<UserId> {
    db.transaction(now, async |tx| {
        let user_id = match store::find_user(tx, issuer, &new.subject).await? {
            Some(user_id) => user_id,
            None => {
                let person = NewPerson {
                    organization_id: issuer.organization_id,
                    provider_id: issuer.provider_id,
                    subject: new.subject,
                    display_name: new.name.map(Name::into_string),
                    email: None,
                    role: new.role,
                };
                insert_person(tx, now, person).await?
            }
        };
        store::set_standing(tx, issuer.organization_id, user_id, new.role, new.global_admin).await?;
        Ok(user_id)
    })
    .await
}
