//! The server: routes on one port, until it is told to stop, and then to the end of what it has begun.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use axum::routing::{any, get};
use http::StatusCode;
use http::header::UPGRADE;
use http::request::Parts;
use procedures::App;
use procedures::error::{Code, Error};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;

use crate::answer::{self, json, refuse, request_id};
use crate::auth::{Authenticator, KeySource};
use crate::health::Health;
use crate::limits::{DRAIN_NOTICE, DRAIN_TIMEOUT, PURGE_INTERVAL};
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::origins::AllowedOrigins;
use crate::rates::Rates;
use crate::webhooks::Webhooks;
use crate::websocket::Sockets;
use crate::{jsonrpc, listener, outbound, scheduler, trpc};

/// What a server is made of.
pub struct Server {
    pub app: Arc<App>,
    pub keys: Arc<dyn KeySource>,
    pub origins: AllowedOrigins,
    /// How many calls there may be.
    pub rates: Rates,
    /// Writes to people, if mail is set up.
    pub mailer: Option<Mailer>,
    /// Routes beside the wires, such as development mode's.
    pub more: Router,
}

impl Server {
    /// Serves until `stop`, then: `/readyz` says so, calls in flight are answered, mutations run to their end, and
    /// what has not ended within [`DRAIN_TIMEOUT`] is let go.
    pub async fn run(mut self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (connections, closing) = (TaskTracker::new(), CancellationToken::new());
        let health = Arc::new(Health::new(self.app.clone()));
        let metrics = Arc::new(Metrics::new(self.app.clone()));
        let sockets = Sockets::new(connections.clone(), closing.clone());
        let app = self.app.clone();
        let outbound = TaskTracker::new();
        let webhooks = Arc::new(Webhooks::new(app.trusts_loopback));
        outbound.spawn(outbound::run(app.clone(), webhooks, closing.clone()));
        let sends_mail = self.mailer.is_some();
        if let Some(mailer) = self.mailer.take() {
            outbound.spawn(outbound::run(app.clone(), Arc::new(mailer), closing.clone()));
        }
        outbound.close();
        let routes = self.routes(health.clone(), metrics.clone(), sockets, closing.clone());
        let upkeep = tokio::spawn(metrics.upkeep());
        let jobs = scheduler::start(&app, sends_mail, &closing);
        let relay = tokio::spawn(procedures::event::relay(app.clone()));

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
        relay.abort();
        upkeep.abort();

        connections.close();
        app.mutations.close();
        let drained = async {
            connections.wait().await;
            app.mutations.wait().await;
            jobs.wait().await;
            outbound.wait().await;
        };
        match tokio::time::timeout(DRAIN_TIMEOUT, drained).await {
            Ok(()) => tracing::info!("stopped"),
            Err(_) => tracing::warn!(connections = connections.len(), "stopped with connections still open"),
        }
    }

    fn routes(
        self,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        sockets: Sockets,
        stopping: CancellationToken,
    ) -> Router {
        let router = Arc::new(procedures::router());
        let document = procedures::describe::openrpc(&router, env!("CARGO_PKG_VERSION")).to_string();
        let authenticator = Arc::new(Authenticator::new(self.app.clone(), self.keys, self.rates));
        let rpc = jsonrpc::Endpoint::new(self.app.clone(), authenticator.clone(), router.clone());
        let trpc = trpc::Endpoint::new(self.app, authenticator, router, stopping);
        let (live, ready, origins) = (health.clone(), health, self.origins);
        let (trpc_sockets, trpc_calls) = (sockets.clone(), trpc.clone());
        let call = move |request| trpc::handle(trpc_calls.clone(), request);
        let (trpc_origins, cors) = (origins.clone(), origins.layer());
        Router::new()
            .route(
                "/rpc",
                any(move |request| self::rpc(rpc.clone(), sockets.clone(), origins.clone(), request)),
            )
            .route(
                "/trpc",
                any(move |request| {
                    self::trpc(trpc.clone(), trpc_sockets.clone(), trpc_origins.clone(), request)
                }),
            )
            .route("/trpc/", any(call.clone()))
            .route("/trpc/{*path}", any(call))
            .route("/openrpc.json", get(async move || json(StatusCode::OK, document.clone())))
            .route("/healthz", get(async move || live.live()))
            .route("/readyz", get(async move || ready.ready().await))
            .route("/metrics", get(async move || metrics.answer().await))
            .method_not_allowed_fallback(answer::method_not_allowed)
            .layer(cors)
            .merge(self.more)
            .fallback(answer::not_found)
            .layer(CatchPanicLayer::custom(answer::panicked))
    }
}

/// A socket to serve on, and its address, whose port was free to choose if none was named.
pub async fn listen(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// When whoever started the server wants it to stop, by SIGTERM or Ctrl-C. It is listened to from now on, whenever the
/// answer is waited for: nobody is told that the server is there before they can stop it.
pub fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
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
    let authenticator = endpoint.authenticator.clone();
    upgraded(request, origins, &authenticator, async |upgrade, head| {
        jsonrpc::upgrade(endpoint, sockets, upgrade, &head).await
    })
    .await
}

/// A WebSocket; calls over HTTP have a path.
async fn trpc(
    endpoint: trpc::Endpoint,
    sockets: Sockets,
    origins: AllowedOrigins,
    request: Request,
) -> Response {
    if !request.headers().contains_key(UPGRADE) {
        return answer::not_found().await;
    }
    let authenticator = endpoint.authenticator.clone();
    upgraded(request, origins, &authenticator, async |upgrade, head| {
        trpc::upgrade(endpoint, sockets, upgrade, &head).await
    })
    .await
}

/// Hands a valid upgrade from an allowed origin over to a wire.
async fn upgraded(
    request: Request,
    origins: AllowedOrigins,
    authenticator: &Authenticator,
    wire: impl AsyncFnOnce(WebSocketUpgrade, Parts) -> Result<Response, Error>,
) -> Response {
    let allowed = origins.allow(request.headers());
    let (mut head, _) = request.into_parts();
    let address = authenticator.address_of(&head);
    if !allowed {
        let error = Error::new(Code::Forbidden, "Not from this origin.");
        return refuse(&authenticator.counted(address, error), &request_id());
    }
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut head, &()).await;
    let upgraded = match upgrade {
        Ok(upgrade) => wire(upgrade, head).await,
        Err(_) => {
            let error = Error::new(Code::BadRequest, "Not a valid upgrade to a WebSocket.");
            Err(authenticator.counted(address, error))
        }
    };
    upgraded.unwrap_or_else(|error| refuse(&error, &request_id()))
}

/// Deletes idempotency records and deliveries that have outlived their time, now and then.
async fn purge(app: Arc<App>) {
    let mut ticks = tokio::time::interval(PURGE_INTERVAL);
    loop {
        ticks.tick().await;
        let now = app.clock.now();
        match procedures::idempotency::purge(&app.db, now).await {
            Ok(purged) => tracing::debug!(purged, "idempotency records purged"),
            Err(error) => answer::log(&error, None, "housekeeping"),
        }
        match procedures::delivery::purge(&app).await {
            Ok(purged) => tracing::debug!(purged, "deliveries purged"),
            Err(error) => answer::log(&error, None, "housekeeping"),
        }
    }
}
