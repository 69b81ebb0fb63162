//! Whether the server lives, and whether it should be sent calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::Response;
use http::StatusCode;
use procedures::App;

use crate::answer::json;

/// What decides about readiness.
pub struct Health {
    app: Arc<App>,
    draining: AtomicBool,
    /// A schema, once current, stays so for this process.
    schema_is_current: AtomicBool,
}

impl Health {
    pub fn new(app: Arc<App>) -> Self {
        Health { app, draining: AtomicBool::new(false), schema_is_current: AtomicBool::new(false) }
    }

    /// From now on the server is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// `GET /healthz`: the process answers.
    pub fn live(&self) -> Response {
        json(StatusCode::OK, r#"{"status":"ok"}"#)
    }

    /// `GET /readyz`: the database is reachable, its schema current, and the server not about to stop.
    pub async fn ready(&self) -> Response {
        let unready = |body| json(StatusCode::SERVICE_UNAVAILABLE, body);
        if self.draining.load(Ordering::Relaxed) {
            return unready(r#"{"status":"draining"}"#);
        }
        if self.app.db.ping().await.is_err() {
            return unready(r#"{"status":"databaseUnreachable"}"#);
        }
        if !self.schema_is_current.load(Ordering::Relaxed) {
            match self.app.db.is_current().await {
                Ok(true) => self.schema_is_current.store(true, Ordering::Relaxed),
                Ok(false) => return unready(r#"{"status":"schemaOutdated"}"#),
                Err(_) => return unready(r#"{"status":"databaseUnreachable"}"#),
            }
        }
        json(StatusCode::OK, r#"{"status":"ok"}"#)
    }
}
