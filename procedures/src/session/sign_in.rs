//! From a verified token to the person who may act by it, checked anew on every call.

use super::look_up::look_up;
use super::store;
use crate::App;
use crate::caller::{Actor, Caller, Insider, Person, Tenant};
use crate::error::{Error, Reason, Result};
use crate::member::{MembershipStatus, Role};
use crate::values::{IdentityProviderId, Name, OrganizationId, ProviderSubject};

/// What a provider's token says, once its signature and claims have been verified.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub provider_id: IdentityProviderId,
    /// The provider's organization.
    pub organization_id: OrganizationId,
    pub subject: ProviderSubject,
    /// For a member's first sign-in: the name, and the role if the provider's claim carries one.
    pub name: Option<Name>,
    pub role: Option<Role>,
    /// Whether it makes a global admin of its bearer: the provider is the platform's, and calls them an admin.
    pub global_admin: bool,
}

/// Lets in an active member, or a global admin who chose an organization (`chosen`, the header's value).
///
/// A first sign-in makes the user and the membership. Whoever may not act in the organization, existing or not, is
/// FORBIDDEN `notAMember` (D19).
pub async fn sign_in(app: &App, token: &VerifiedToken, chosen: Option<&str>) -> Result<Caller> {
    let person = match look_up(app, token).await? {
        Some(person) => person,
        None => {
            // In a task of its own: a client that goes away does not cut the transaction short.
            let (db, now, new) = (app.db.clone(), app.clock.now(), token.clone());
            let provisioning = app.mutations.spawn(async move { store::provision(&db, now, &new).await });
            let provisioned = provisioning.await.map_err(Error::internal)?;
            match (look_up(app, token).await?, provisioned) {
                (Some(person), _) => person,
                (None, Err(error)) => return Err(error),
                (None, Ok(())) => return Err(Error::internal("a person just provisioned is not there")),
            }
        }
    };
    // Suspended where the provider is, they are nobody's admin.
    let is_active = matches!(person.membership, Some((_, MembershipStatus::Active)));
    let global_admin = person.global_admin || token.global_admin && is_active;
    let (organization_id, membership) = match chosen {
        None => (token.organization_id, person.membership),
        Some(chosen) => choose(app, token, &person, global_admin, chosen).await?,
    };
    let role = match membership {
        Some((role, MembershipStatus::Active)) => Some(role),
        Some((_, MembershipStatus::Suspended | MembershipStatus::Ended)) | None => None,
    };
    if role.is_none() && !global_admin {
        return Err(Reason::NotAMember.into());
    }
    Ok(Caller::Insider(Insider {
        tenant: Tenant::of(organization_id),
        actor: Actor::Person(Person {
            user_id: person.user_id,
            display_name: person.display_name,
            role,
            global_admin,
        }),
    }))
}

type Membership = (Role, MembershipStatus);

/// The organization that the client named, if this person may act in it.
async fn choose(
    app: &App,
    token: &VerifiedToken,
    person: &store::FoundPerson,
    global_admin: bool,
    chosen: &str,
) -> Result<(OrganizationId, Option<Membership>)> {
    match chosen.parse::<OrganizationId>() {
        Ok(id) if id == token.organization_id => Ok((id, person.membership)),
        Ok(id) if global_admin => {
            let mut conn = app.db.read().await?;
            let membership = store::find_membership(&mut conn, id, person.user_id).await?;
            Ok((id, membership.ok_or(Reason::NotAMember)?))
        }
        Ok(_) | Err(_) => Err(Reason::NotAMember.into()),
    }
}
