//! Development mode: the real server with demo data, a built-in identity provider and a clock that can be moved.
//!
//! It hands out sessions to whoever asks, so it listens on loopback only, and none of it exists in any other mode.

mod clock;
mod demo;
mod guide;
mod idp;
mod inside;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use procedures::{App, Database};

use crate::cli::cause;
use crate::mail::Mailer;
use crate::origins::{AllowedOrigins, Origin};
use crate::rates::Rates;
use crate::serve::{Server, listen, told_to_stop};

/// Migrates, adds the demo data once, prints how to begin, and serves until interrupted. Pages served from this machine
/// may call it, and those of the origins named. It writes to people if there is a mailer.
pub async fn run(
    db: Database,
    address: SocketAddr,
    origins: Vec<Origin>,
    rates: Rates,
    mailer: Option<Mailer>,
) -> anyhow::Result<()> {
    db.migrate().await.map_err(cause).context("the schema could not be brought up to date")?;
    let (listener, address) = listen(address).await?;
    let app = Arc::new(App::new(db).trusting_loopback());
    app.synchronize().await.map_err(cause)?;
    clock::follow(&app).await.map_err(cause)?;
    let issuers = idp::Issuers { app: app.clone(), base: format!("http://{address}") };
    demo::ensure(&issuers).await.map_err(cause).context("the demo data could not be added")?;
    let stop = told_to_stop()?;
    print!("{}", guide::text(&issuers).await.map_err(cause)?);

    let server = Server {
        app: app.clone(),
        keys: Arc::new(idp::DevelopmentKeys::new(app)),
        origins: AllowedOrigins { loopback: true, named: origins.into() },
        rates,
        mailer,
        more: routes::router(Arc::new(issuers)),
    };
    server.run(listener, stop).await;
    Ok(())
}
