//! `GET /metrics`: what `procedures::metric` counts, in Prometheus' text form.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use metrics::Gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use procedures::App;
use procedures::metric::{self, METRICS, Shape};
use tokio::sync::Mutex;

use crate::answer;
use crate::limits::{SCRAPE_PATIENCE, UPKEEP_INTERVAL};

/// The text form's type (Prometheus, "Exposition formats").
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the process counts, and the answer that tells it.
pub struct Metrics {
    app: Arc<App>,
    recorder: &'static PrometheusHandle,
    /// However many ask, the database is asked by one of them at a time.
    asking: Mutex<()>,
}

impl Metrics {
    /// From now on, the process counts.
    pub fn new(app: Arc<App>) -> Self {
        Metrics { app, recorder: recorder(), asking: Mutex::default() }
    }

    /// All that is known; what the database would have to say is left unknown if it takes too long.
    pub async fn answer(&self) -> Response {
        metric::set_pools(&self.app.db);
        if let Ok(_asking) = self.asking.try_lock() {
            let backlog = tokio::time::timeout(SCRAPE_PATIENCE, metric::backlog(&self.app)).await;
            if let Ok(Err(error)) = &backlog {
                answer::log(error, None, "metrics");
            }
            metric::set_backlog(backlog.ok().and_then(Result::ok));
        }
        let mut response = Response::new(Body::from(self.recorder.render()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Sums up what was measured, now and then: until then each measurement takes memory, whether anyone asks or not.
    pub async fn upkeep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            ticks.tick().await;
            self.recorder.run_upkeep();
        }
    }
}

/// The process's one recorder.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let mut builder = PrometheusBuilder::new();
        for metric in METRICS {
            if let Shape::Histogram(bounds) = metric.shape {
                let whole = Matcher::Full(metric.name.to_owned());
                builder = builder.set_buckets_for_metric(whole, bounds).expect("a histogram has bounds");
            }
        }
        let recorder = builder.install_recorder().expect("nobody else installs a recorder");
        metric::describe();
        recorder
    })
}

/// A socket that a client has open, counted until it is dropped.
pub struct OpenConnection(Gauge);

impl OpenConnection {
    pub fn counted() -> Self {
        let gauge = metrics::gauge!(metric::CONNECTIONS);
        gauge.increment(1.0);
        OpenConnection(gauge)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
