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
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::cause;
use crate::mail::Mailer;
use crate::origins::{AllowedOrigins, Origin};
use crate::serve::Server;

/// Migrates, adds the demo data once, prints how to begin, and serves until interrupted. Pages served from this machine
/// may call it, and those of the origins named. It writes to people if there is a mailer.
pub async fn run(
    db: Database,
    address: SocketAddr,
    origins: Vec<Origin>,
    mailer: Option<Mailer>,
) -> anyhow::Result<()> {
    db.migrate().await.map_err(cause).context("the schema could not be brought up to date")?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let app = Arc::new(App::new(db).with_webhooks_on_loopback());
    app.synchronize().await.map_err(cause)?;
    clock::follow(&app).await.map_err(cause)?;
    let issuers = idp::Issuers { app: app.clone(), base: format!("http://{address}") };
    demo::ensure(&issuers).await.map_err(cause).context("the demo data could not be added")?;
    // Before anyone is told that the server is there, who could stop it.
    let mut terminate = signal(SignalKind::terminate())?;
    print!("{}", guide::text(&issuers).await.map_err(cause)?);

    let server = Server {
        app: app.clone(),
        keys: Arc::new(idp::DevelopmentKeys { app }),
        origins: AllowedOrigins { loopback: true, named: origins.into() },
        mailer,
        more: routes::router(Arc::new(issuers)),
    };
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    server.run(listener, stop).await;
    Ok(())
}
