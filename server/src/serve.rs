//! The server: routes on one port, until it is told to stop, and then to the end of what it has begun.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use axum::routing::{any, get};
use http::header::{ORIGIN, UPGRADE};
use http::{HeaderMap, StatusCode};
use procedures::App;
use procedures::error::{Code, Error};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;

use crate::answer::{self, json, refuse, request_id};
use crate::auth::{Authenticator, KeySource};
use crate::health::Health;
use crate::limits::{DRAIN_NOTICE, DRAIN_TIMEOUT, PURGE_INTERVAL};
use crate::websocket::Sockets;
use crate::{jsonrpc, listener};

/// Which web pages may open a WebSocket, by their `Origin`. A client that sends none is no browser.
#[derive(Clone, Copy, Debug)]
pub enum AllowedOrigins {
    /// Pages served from this machine.
    Loopback,
}

impl AllowedOrigins {
    fn allow(self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        match self {
            AllowedOrigins::Loopback => {
                let origin = origin.to_str().unwrap_or_default();
                let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
                host.is_some_and(is_loopback)
            }
        }
    }
}

/// Whether a host, with its port or without, is a name of this machine.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// What a server is made of.
pub struct Server {
    pub app: Arc<App>,
    pub keys: Arc<dyn KeySource>,
    pub origins: AllowedOrigins,
    /// Routes beside the wires, such as development mode's.
    pub more: Router,
}

impl Server {
    /// Serves until `stop`, then: `/readyz` says so, calls in flight are answered, mutations run to their end, and
    /// what has not ended within [`DRAIN_TIMEOUT`] is let go.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (connections, closing) = (TaskTracker::new(), CancellationToken::new());
        let health = Arc::new(Health::new(self.app.clone()));
        let sockets = Sockets::new(connections.clone(), closing.clone());
        let app = self.app.clone();
        let routes = self.routes(health.clone(), sockets);

        let accepting = async {
            stop.await;
            tracing::info!("stopping");
            health.drain();
            tokio::time::sleep(DRAIN_NOTICE).await;
            closing.cancel();
        };
        let housekeeping = tokio::spawn(purge(app.clone()));
        tokio::join!(accepting, listener::accept(listener, routes, &connections, closing.clone()));
        housekeeping.abort();

        connections.close();
        app.mutations.close();
        let drained = async {
            connections.wait().await;
            app.mutations.wait().await;
        };
        match tokio::time::timeout(DRAIN_TIMEOUT, drained).await {
            Ok(()) => tracing::info!("stopped"),
            Err(_) => tracing::warn!(connections = connections.len(), "stopped with connections still open"),
        }
    }

    fn routes(self, health: Arc<Health>, sockets: Sockets) -> Router {
        let router = Arc::new(procedures::router());
        let document = procedures::describe::openrpc(&router, env!("CARGO_PKG_VERSION")).to_string();
        let authenticator = Arc::new(Authenticator::new(self.app.clone(), self.keys));
        let endpoint = jsonrpc::Endpoint::new(self.app, authenticator, router);
        let (live, ready, origins) = (health.clone(), health, self.origins);
        Router::new()
            .route("/rpc", any(move |request| rpc(endpoint.clone(), sockets.clone(), origins, request)))
            .route("/openrpc.json", get(async move || json(StatusCode::OK, document.clone())))
            .route("/healthz", get(async move || live.live()))
            .route("/readyz", get(async move || ready.ready().await))
            .merge(self.more)
            .fallback(answer::not_found)
            .method_not_allowed_fallback(async || {
                // axum says which methods are allowed.
                refuse(&Error::new(Code::MethodNotSupported, "Not by this method."), &request_id())
            })
            .layer(CatchPanicLayer::custom(answer::panicked))
    }
}

async fn rpc(
    endpoint: jsonrpc::Endpoint,
    sockets: Sockets,
    origins: AllowedOrigins,
    request: Request,
) -> Response {
    if !request.headers().contains_key(UPGRADE) {
        return jsonrpc::handle(endpoint, request).await;
    }
    if !origins.allow(request.headers()) {
        return refuse(&Error::new(Code::Forbidden, "Not from this origin."), &request_id());
    }
    let (mut head, _) = request.into_parts();
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut head, &()).await;
    let upgraded = match upgrade {
        Ok(upgrade) => jsonrpc::upgrade(endpoint, sockets, upgrade, head.headers).await,
        Err(_) => Err(Error::new(Code::BadRequest, "Not a valid upgrade to a WebSocket.")),
    };
    upgraded.unwrap_or_else(|error| refuse(&error, &request_id()))
}

/// Deletes idempotency records that have outlived their time, now and then.
async fn purge(app: Arc<App>) {
    let mut ticks = tokio::time::interval(PURGE_INTERVAL);
    loop {
        ticks.tick().await;
        let now = app.clock.now();
        match procedures::idempotency::purge(&app.db, now).await {
            Ok(purged) => tracing::debug!(purged, "idempotency records purged"),
            Err(error) => answer::log(&error, None, "housekeeping"),
        }
    }
}
