//! `rollbook service-token`: tokens for services of an organization.

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use procedures::service_token::{CreateInput, ServiceToken, create_as_operator};
use procedures::session::Scope;
use procedures::values::{Moment, Name, Slug};

use crate::cli::{DatabaseArgs, open};

#[derive(Subcommand)]
pub enum ServiceTokenCommand {
    /// Make a token for a service of an organization. Its secret is printed alone to standard output, and cannot be had
    /// again.
    Create(CreateArgs),
}

#[derive(Args)]
pub struct CreateArgs {
    /// The slug of the organization that the service acts in.
    #[arg(long, value_name = "SLUG")]
    organization: Slug,
    /// What the token is for.
    #[arg(long)]
    name: Name,
    /// What the token allows: one scope or several, each once.
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        required = true,
        num_args = 1..,
        value_delimiter = ',',
        value_parser = scopes()
    )]
    scopes: Vec<Scope>,
    /// From when on it is no longer valid, such as 2027-01-01T00:00:00Z; never unless told.
    #[arg(long, value_name = "RFC3339")]
    expires_at: Option<Moment>,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn scopes() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str()))
        .try_map(|scope: String| scope.parse::<Scope>())
}

pub async fn run(command: ServiceTokenCommand) -> anyhow::Result<()> {
    match command {
        ServiceTokenCommand::Create(args) => create(args).await,
    }
}

async fn create(args: CreateArgs) -> anyhow::Result<()> {
    let CreateArgs { organization, name, scopes, expires_at, database } = args;
    let app = super::app(open(&database)?).await?;
    let input = CreateInput { name, scopes, expires_at };
    let created = create_as_operator(&app, &organization, &input).await.map_err(super::refused)?;
    let (token, secret) = created.with_context(|| format!("there is no organization {organization}"))?;
    eprintln!("{}", told(&organization, &token));
    println!("{secret}");
    Ok(())
}

/// The token in words, without its secret.
fn told(organization: &Slug, token: &ServiceToken) -> String {
    let ServiceToken { id, name, scopes, expires_at, .. } = token;
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let end = match expires_at {
        Some(expires_at) => format!("until {expires_at}"),
        None => "until it is revoked".to_owned(),
    };
    format!("service token {id}, {name}, of {organization}: {}, {end}", scopes.join(" "))
}
