//! `rollbook serve`: the server for the world. Sessions come from the organizations' own identity providers, and nothing
//! of development mode is there.

use std::sync::Arc;

use anyhow::anyhow;
use axum::Router;
use procedures::admin::{Unfit, unfit};
use procedures::db::PoolSizes;
use procedures::values::Slug;
use procedures::{App, Database};

use crate::auth::PublishedKeys;
use crate::cli::cause;
use crate::config::ServeArgs;
use crate::serve::{Server, listen, told_to_stop};

/// Organizations that are named of those that are in the way.
const NAMED: usize = 5;

/// Refuses to start where it would be unsafe, or of no use to anyone; else prints its address, and serves until
/// interrupted.
pub async fn run(args: ServeArgs) -> anyhow::Result<()> {
    args.check()?;
    let (address, origins, all_as_one) = (args.address(), args.allowed_origins(), args.counts_all_as_one());
    let mailer = args.mail.mailer()?;
    let db = Database::open(&args.database_url, PoolSizes::default())?;
    if let Some(unfit) = unfit(&db).await.map_err(cause)? {
        return Err(advice(unfit));
    }
    let (listener, address) = listen(address).await?;
    let app = Arc::new(App::new(db));
    app.synchronize().await.map_err(cause)?;
    if all_as_one {
        tracing::warn!(
            "no --trusted-proxy: all clients are counted as the one that calls, the proxy, and limited together"
        );
    }
    let stop = told_to_stop()?;
    println!("Rollbook listens on http://{address}");

    let server = Server {
        keys: Arc::new(PublishedKeys::new(app.trusts_loopback)),
        app,
        origins,
        rates: args.rates.rates(),
        mailer,
        more: Router::new(),
    };
    server.run(listener, stop).await;
    Ok(())
}

/// Why a database is not served from, and what to do.
fn advice(unfit: Unfit) -> anyhow::Error {
    match unfit {
        Unfit::SchemaNotCurrent => anyhow!("the database's schema is not current: run `rollbook migrate`"),
        Unfit::BuiltInIssuers(organizations) => anyhow!(
            "the database is one of development mode: the keys that its issuers sign with are in it, so whoever has read \
             it could be anyone ({}); serve from a database that `rollbook dev` has never run on, set up by `rollbook \
             migrate`, `rollbook organization create` and `rollbook organization set-identity-provider`",
            listed(&organizations)
        ),
        Unfit::NoIdentityProvider => anyhow!(
            "no organization has an identity provider, so nobody could sign in: run `rollbook organization \
             set-identity-provider`"
        ),
        Unfit::Unencrypted { organization, url } => anyhow!(
            "the identity provider of {organization} is not reached by https ({url}), so whoever is between could be \
             anyone: run `rollbook organization set-identity-provider` with an address that begins with https://"
        ),
    }
}

fn listed(organizations: &[Slug]) -> String {
    let named: Vec<String> = organizations.iter().take(NAMED).map(Slug::to_string).collect();
    let named = named.join(", ");
    match organizations.len() - organizations.len().min(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use procedures::values::Slug;

    use super::listed;

    #[test]
    fn a_few_are_named() {
        let slugs = |slugs: &[&str]| {
            let slugs: Vec<Slug> = slugs.iter().map(|slug| slug.parse().unwrap()).collect();
            listed(&slugs)
        };
        assert_eq!(slugs(&["acme"]), "acme");
        assert_eq!(slugs(&["a", "b", "c", "d", "e"]), "a, b, c, d, e");
        assert_eq!(slugs(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
