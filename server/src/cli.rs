//! The command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use procedures::Database;
use procedures::db::PoolSizes;
use procedures::router::AUDIT;
use tracing_subscriber::EnvFilter;

use crate::config::ServeArgs;
use crate::dev;
use crate::mail::settings::MailArgs;
use crate::operate::organization::{self, OrganizationCommand};
use crate::operate::service_token::{self, ServiceTokenCommand};
use crate::origins::Origin;
use crate::production;
use crate::rates::RateArgs;

/// Where `rollbook bindings` writes, from the repository's root.
const BINDINGS: &str = "bindings/src/router.ts";

/// Rollbook: who is enrolled in what, and the rules that decide it.
#[derive(Parser)]
#[command(name = "rollbook", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a server to develop against: demo data, a built-in identity provider, a clock that can be moved.
    Dev(DevArgs),
    /// Run the server; sessions come from the organizations' own identity providers.
    Serve(ServeArgs),
    /// Bring the database's schema up to date.
    Migrate(DatabaseArgs),
    /// Prove every invariant of every organization; exit with 1 if one is violated.
    Verify(DatabaseArgs),
    /// Organizations, and the identity providers that their people sign in with.
    #[command(subcommand)]
    Organization(OrganizationCommand),
    /// Tokens that services call with.
    #[command(subcommand)]
    ServiceToken(ServiceTokenCommand),
    /// Write the TypeScript types of the API.
    Bindings {
        /// Only compare; exit with 1 if they differ.
        #[arg(long)]
        check: bool,
    },
}

#[derive(Args)]
pub(crate) struct DatabaseArgs {
    /// `sqlite:PATH`, or `postgres://…` (with `sslmode=require` encrypted and verified).
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, default_value = "sqlite:rollbook-dev.db")]
    database_url: String,
}

#[derive(Args)]
struct DevArgs {
    /// The address to listen on; only a loopback address is accepted.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 4400)]
    port: u16,
    /// A web page's origin that may call too, such as https://learn.example.com; those of this machine may.
    #[arg(
        long = "allow-origin",
        env = "ROLLBOOK_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    origins: Vec<Origin>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    rates: RateArgs,
    #[command(flatten)]
    mail: MailArgs,
}

pub async fn run(cli: Cli) -> ExitCode {
    let filter = EnvFilter::try_from_env("ROLLBOOK_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,server=info,{AUDIT}=info")));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match cli.command {
        Command::Dev(args) => develop(args).await,
        Command::Serve(args) => production::run(args).await,
        Command::Migrate(args) => migrate(args).await,
        Command::Verify(args) => verify(args).await,
        Command::Organization(command) => organization::run(command).await,
        Command::ServiceToken(command) => service_token::run(command).await,
        Command::Bindings { check } => bindings(check),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rollbook: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn develop(args: DevArgs) -> anyhow::Result<()> {
    if !args.host.is_loopback() {
        bail!(
            "development mode hands out sessions to whoever asks, so it listens on a loopback address only"
        );
    }
    let mailer = args.mail.mailer()?;
    let db = open(&args.database)?;
    let rates = args.rates.development_rates();
    dev::run(db, (args.host, args.port).into(), args.origins, rates, mailer).await
}

async fn migrate(args: DatabaseArgs) -> anyhow::Result<()> {
    let applied = open(&args)?.migrate().await.map_err(cause)?;
    match applied.as_slice() {
        [] => println!("the schema is current"),
        versions => println!("applied {}", versions.join(", ")),
    }
    Ok(())
}

async fn verify(args: DatabaseArgs) -> anyhow::Result<()> {
    crate::verify::run(open(&args)?).await
}

pub(crate) fn open(args: &DatabaseArgs) -> anyhow::Result<Database> {
    Ok(Database::open(&args.database_url, PoolSizes::default())?)
}

/// An operator is told what a client is not.
pub(crate) fn cause(error: procedures::Error) -> anyhow::Error {
    match error.cause() {
        Some(cause) => anyhow::anyhow!("{error} {cause}"),
        None => anyhow::anyhow!("{error}"),
    }
}

fn bindings(check: bool) -> anyhow::Result<()> {
    let written = procedures::describe::typescript(&procedures::router());
    if check {
        let found = std::fs::read_to_string(BINDINGS).with_context(|| format!("cannot read {BINDINGS}"))?;
        if found != written {
            bail!("{BINDINGS} is not what the procedures say; run `rollbook bindings`");
        }
        return Ok(());
    }
    let parent = Path::new(BINDINGS).parent().context("the path has a directory")?;
    if !parent.is_dir() {
        bail!("there is no {}; run this in the repository's root", parent.display());
    }
    std::fs::write(BINDINGS, written).with_context(|| format!("cannot write {BINDINGS}"))?;
    println!("wrote {BINDINGS}");
    Ok(())
}
