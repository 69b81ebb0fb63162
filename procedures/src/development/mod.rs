//! What development mode needs of the database: organizations with an issuer of their own, people and tokens on
//! demand, a clock that can be moved, and enrollments in statuses that no procedure brings about yet.
//!
//! Architecture invariant: only `rollbook dev` and the tests call these; no procedure does.

mod store;

pub use store::{IssuerKey, clock_offset, issuer_key, issuer_key_of, set_clock_offset};

use crate::caller::Tenant;
use crate::db::{Database, repeated};
use crate::enrollment::EnrollmentStatus;
use crate::error::{Error, Result};
use crate::event::{self, ActorKind, EventActor, EventData, EventKind, NewEvent};
use crate::member::Role;
use crate::organization::{self, Organization};
use crate::session::{Algorithm, NewPerson, Provider, insert_person};
use crate::values::{
    EnrollmentId, IdentityProviderId, Moment, Name, OrganizationId, ProviderSubject, Secret, Slug, UserId,
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
                let organization = Organization {
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

/// Puts an enrolled enrollment into another status, with its event and its course's counters, as if it had come to
/// it in the past; the change is made by the system. One that is there already is left as it is.
pub async fn force_status(
    db: &Database,
    now: Moment,
    organization_id: OrganizationId,
    id: EnrollmentId,
    status: EnrollmentStatus,
) -> Result<()> {
    let kind = match status {
        EnrollmentStatus::Enrolled => EventKind::Enrolled,
        EnrollmentStatus::Waitlisted => EventKind::Waitlisted,
        EnrollmentStatus::Completed => EventKind::Completed,
        EnrollmentStatus::Cancelled => EventKind::Cancelled,
        EnrollmentStatus::Expired => EventKind::Expired,
    };
    let tenant = Tenant::of(organization_id);
    db.transaction(now, async |tx| {
        let from = store::force(tx, tenant, id, status).await?.ok_or_else(Error::not_found)?;
        if from.status == status {
            return Ok(());
        }
        let event = NewEvent {
            kind,
            course_id: from.course_id,
            enrollment_id: id,
            user_id: from.user_id,
            actor: EventActor { kind: ActorKind::System, id: None },
            request_id: "development".into(),
            data: EventData { from: Some(from.status), status: Some(status), ..EventData::default() },
        };
        event::store::append(tx, tenant, vec![event]).await
    })
    .await
}
