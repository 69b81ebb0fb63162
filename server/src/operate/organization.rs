//! `rollbook organization`: organizations, and the identity providers that their people sign in with.

use anyhow::{Context, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use procedures::error::Code;
use procedures::organization::{
    CreateInput, SetIdentityProviderInput, create_as_operator, remove_identity_provider_of,
    set_identity_provider_of,
};
use procedures::outside::UrlText;
use procedures::session::Algorithm;
use procedures::values::{Audience, ClaimName, Issuer, Name, Slug};

use crate::cli::{DatabaseArgs, open};

#[derive(Subcommand)]
pub enum OrganizationCommand {
    /// Create an organization. Its id is printed alone to standard output.
    Create(CreateArgs),
    /// Have an organization's people sign in with an OpenID Connect provider; one of the same issuer is replaced.
    SetIdentityProvider(SetIdentityProviderArgs),
    /// End signing in with a provider of an organization, at once.
    RemoveIdentityProvider(RemoveIdentityProviderArgs),
}

#[derive(Args)]
pub struct CreateArgs {
    /// Its short name in addresses: a to z, 0 to 9 and inner hyphens.
    #[arg(long)]
    slug: Slug,
    /// Its name.
    #[arg(long)]
    name: Name,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Args)]
pub struct SetIdentityProviderArgs {
    /// The slug of the organization.
    #[arg(long, value_name = "SLUG")]
    organization: Slug,
    /// The `iss` of the provider's tokens, letter by letter: https, at a public address.
    #[arg(long, value_name = "URL")]
    issuer: Issuer,
    /// What is to be among the `aud` of its tokens.
    #[arg(long)]
    audience: Audience,
    /// What its tokens are signed by; RS256 unless told.
    #[arg(long, value_parser = algorithms())]
    algorithm: Option<Algorithm>,
    /// The claim that carries a new member's role: learner, author, coordinator, admin, or a list of these.
    #[arg(long, value_name = "CLAIM")]
    role_claim: Option<ClaimName>,
    /// Where its keys are; unless told, its `.well-known/openid-configuration` says so.
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<UrlText>,
    /// It is the platform's: whoever the role claim calls an admin is a global admin, who may act in any organization.
    #[arg(long, requires = "role_claim")]
    platform: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Args)]
pub struct RemoveIdentityProviderArgs {
    /// The slug of the organization.
    #[arg(long, value_name = "SLUG")]
    organization: Slug,
    /// The provider's issuer, letter by letter.
    #[arg(long, value_name = "URL")]
    issuer: Issuer,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn algorithms() -> impl TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()))
        .try_map(|algorithm: String| algorithm.parse::<Algorithm>())
}

pub async fn run(command: OrganizationCommand) -> anyhow::Result<()> {
    match command {
        OrganizationCommand::Create(args) => create(args).await,
        OrganizationCommand::SetIdentityProvider(args) => set_identity_provider(args).await,
        OrganizationCommand::RemoveIdentityProvider(args) => remove_identity_provider(args).await,
    }
}

async fn create(args: CreateArgs) -> anyhow::Result<()> {
    let CreateArgs { slug, name, database } = args;
    let app = super::app(open(&database)?).await?;
    let created = create_as_operator(&app, &CreateInput { slug, name }).await.map_err(super::refused)?;
    eprintln!("organization {}, {}", created.slug, created.name);
    println!("{}", created.id);
    Ok(())
}

async fn set_identity_provider(args: SetIdentityProviderArgs) -> anyhow::Result<()> {
    let SetIdentityProviderArgs {
        organization,
        issuer,
        audience,
        algorithm,
        role_claim,
        jwks_uri,
        platform,
        database,
    } = args;
    let app = super::app(open(&database)?).await?;
    let input = SetIdentityProviderInput { issuer, audience, algorithm, role_claim, jwks_uri };
    let set = set_identity_provider_of(&app, &organization, &input, platform).await;
    let set = set.map_err(super::refused)?;
    set.with_context(|| format!("there is no organization {organization}"))?;
    println!("people of {organization} sign in with {}", input.issuer);
    if platform {
        println!("whoever it calls an admin is a global admin");
    }
    Ok(())
}

async fn remove_identity_provider(args: RemoveIdentityProviderArgs) -> anyhow::Result<()> {
    let RemoveIdentityProviderArgs { organization, issuer, database } = args;
    let app = super::app(open(&database)?).await?;
    match remove_identity_provider_of(&app, &organization, &issuer).await {
        Ok(_) => println!("nobody of {organization} signs in with {issuer} any more"),
        Err(error) if error.code() == Code::NotFound => {
            bail!("there is no organization {organization} with the identity provider {issuer}")
        }
        Err(error) => return Err(super::refused(error)),
    }
    Ok(())
}
