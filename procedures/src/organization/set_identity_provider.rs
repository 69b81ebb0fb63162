use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Organization, providers, store, view};
use crate::caller::{Cx, GlobalAdmin, Tenant};
use crate::db::Transaction;
use crate::error::{Error, Reason, Result};
use crate::outside::{UrlText, callable_url};
use crate::policy::{self, Action};
use crate::router::signature;
use crate::session::{Algorithm, Provider};
use crate::values::{Audience, ClaimName, IdentityProviderId, Issuer};

/// Has people of the organization that the call is in sign in with an OpenID Connect provider: a new one, or that of the
/// same issuer in other ways than before. For global admins.
///
/// CONFLICT `issuerTaken` if it is another organization's. In force everywhere within 5 seconds.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "OrganizationSetIdentityProviderInput", optional_fields = nullable)]
#[schemars(rename = "OrganizationSetIdentityProviderInput")]
pub struct SetIdentityProviderInput {
    /// The `iss` of its tokens, letter by letter: `https` at a public address, without query and fragment, at most 1000
    /// characters.
    pub issuer: Issuer,
    /// What is to be among the `aud` of its tokens.
    pub audience: Audience,
    /// What its tokens are signed by; `RS256` unless told.
    pub algorithm: Option<Algorithm>,
    /// The claim that carries a new member's role: one of `learner`, `author`, `coordinator` and `admin`, or a list, of which
    /// the highest counts. Unless told, or where a token has none, newcomers are learners.
    pub role_claim: Option<ClaimName>,
    /// Where its keys are, at a public `https` address; unless told, its `.well-known/openid-configuration` says so.
    pub jwks_uri: Option<UrlText>,
}

signature!(SetIdentityProvider: Mutation "organization.setIdentityProvider" (SetIdentityProviderInput) -> Organization);

pub async fn set_identity_provider(
    cx: Cx<GlobalAdmin>,
    input: SetIdentityProviderInput,
) -> Result<Organization> {
    policy::require(&cx.caller, Action::WriteOrganizations)?;
    let tenant = cx.caller.tenant;
    let registration = Registration::new(&input, cx.app.trusts_loopback)?;
    cx.write(async |tx| register(tx, tenant, &registration).await).await
}

/// What is told of a provider, as it is kept.
pub(super) struct Registration {
    issuer: String,
    audience: String,
    algorithm: Algorithm,
    role_claim: Option<String>,
    jwks_uri: Option<String>,
    /// Whether global admins sign in there; untold, what it was before.
    platform: Option<bool>,
}

impl Registration {
    pub(super) fn new(input: &SetIdentityProviderInput, trusts_loopback: bool) -> Result<Self> {
        let issuer = input.issuer.as_str();
        check_issuer(issuer, trusts_loopback).map_err(|problem| Error::invalid_input("issuer", problem))?;
        let jwks_uri = input.jwks_uri.as_ref().map(|uri| callable_url(uri.as_str(), trusts_loopback));
        let jwks_uri = jwks_uri.transpose().map_err(|problem| Error::invalid_input("jwksUri", problem))?;
        Ok(Registration {
            issuer: issuer.to_owned(),
            audience: input.audience.as_str().to_owned(),
            algorithm: input.algorithm.unwrap_or(Algorithm::Rs256),
            role_claim: input.role_claim.as_ref().map(|claim| claim.as_str().to_owned()),
            jwks_uri: jwks_uri.map(String::from),
            platform: None,
        })
    }

    /// Says whether global admins sign in there, which only whoever runs the service can: those that the role claim calls
    /// admins.
    pub(super) fn for_platform(self, platform: bool) -> Result<Self> {
        if platform && self.role_claim.is_none() {
            return Err(Error::invalid_input("roleClaim", "needed to know who is a global admin"));
        }
        Ok(Registration { platform: Some(platform), ..self })
    }
}

/// Tokens name an issuer letter by letter, so it is kept as it is told, and nothing is told that is only nearly a URL.
fn check_issuer(text: &str, trusts_loopback: bool) -> Result<(), &'static str> {
    let url = callable_url(text, trusts_loopback)?;
    let authority = text.strip_prefix(url.scheme()).and_then(|rest| rest.strip_prefix("://"));
    if authority.is_none() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("not a URL");
    }
    match url.query().is_some() || url.fragment().is_some() {
        true => Err("with a query or a fragment"),
        false => Ok(()),
    }
}

/// Takes a provider up, or what is told of it in place of what was. One that the organization had removed comes back with
/// the people who are known by it.
pub(super) async fn register(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    registration: &Registration,
) -> Result<Organization> {
    let organization = store::load_locked(tx, tenant).await?.ok_or_else(Error::not_found)?;
    let known = match Provider::registered(tx, &registration.issuer).await? {
        Some(provider) if provider.organization_id != tenant.organization_id() => {
            return Err(Reason::IssuerTaken.into());
        }
        Some(provider) => {
            providers::must_not_be_built_in(tx, &provider).await?;
            Some(provider)
        }
        None => providers::removed(tx, tenant, &registration.issuer).await?,
    };
    let was_platform = known.as_ref().is_some_and(|known| known.platform && known.removed_at.is_none());
    let (id, created_at) =
        known.as_ref().map_or((IdentityProviderId::new(), tx.now), |known| (known.id, known.created_at));
    let provider = Provider {
        id,
        organization_id: tenant.organization_id(),
        issuer: registration.issuer.clone(),
        audience: registration.audience.clone(),
        algorithm: registration.algorithm,
        role_claim: registration.role_claim.clone(),
        jwks_uri: registration.jwks_uri.clone(),
        created_at,
        removed_at: None,
        platform: registration.platform.unwrap_or(was_platform),
    };
    match known {
        Some(_) => providers::save(tx, provider).await?,
        None => providers::insert(tx, provider).await?,
    }
    view::present(tx, organization).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_letter_by_letter() {
        for issuer in ["https://idp.example", "https://idp.example/", "https://idp.example:8443/realms/a"] {
            assert_eq!(check_issuer(issuer, false), Ok(()), "{issuer}");
        }
        for (issuer, problem) in [
            ("idp.example", "not a URL"),
            (" https://idp.example", "not a URL"),
            ("https://idp.example\n", "not a URL"),
            ("https://idp.ex\tample", "not a URL"),
            ("https://bücher.example", "not a URL"),
            ("HTTPS://idp.example", "not a URL"),
            ("https:idp.example", "not a URL"),
            ("https:\\\\idp.example", "not a URL"),
            ("http://idp.example", "not https"),
            ("https://idp.example?", "with a query or a fragment"),
            ("https://idp.example/a?b=c", "with a query or a fragment"),
            ("https://idp.example/#", "with a query or a fragment"),
            ("https://ada@idp.example", "with credentials"),
            ("https://10.0.0.1", "an address that is not public"),
        ] {
            for trusts_loopback in [false, true] {
                assert_eq!(check_issuer(issuer, trusts_loopback), Err(problem), "{issuer}");
            }
        }
        let local = "http://127.0.0.1:3000/oidc";
        assert_eq!([false, true].map(|trusts| check_issuer(local, trusts)), [Err("not https"), Ok(())]);
    }
}
