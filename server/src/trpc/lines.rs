//! A batch whose answers come as they are ready: JSON lines, as `httpBatchStreamLink` reads them.
//!
//! The head says where each call's answer will be; then one line a call, in any order.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use procedures::Caller;
use tokio::task::JoinSet;

use super::Endpoint;
use super::http::{one, text};
use super::request::Asked;

pub fn stream(
    endpoint: &Endpoint,
    asked: Asked,
    method: &Method,
    caller: &Caller,
    request_id: &Arc<str>,
) -> Response {
    let head = head(asked.paths.len());
    let asked = Arc::new(asked);
    // In tasks of their own: calls must not wait, database in hand, for a client that does not read. They end with the
    // response.
    let mut calls = JoinSet::new();
    for place in 0..asked.paths.len() {
        let (endpoint, asked, method) = (endpoint.clone(), asked.clone(), method.clone());
        let (caller, request_id) = (caller.clone(), request_id.clone());
        calls.spawn(async move {
            let (_, envelope, _) = one(&endpoint, &asked, place, &method, &caller, &request_id).await;
            format!("[{place},0,[[{}]]]\n", text(&envelope))
        });
    }
    let answers = stream::unfold(calls, async |mut calls| {
        let line = calls.join_next().await?.unwrap_or_default();
        Some((line, calls))
    });
    let lines = stream::once(std::future::ready(head)).chain(answers).map(Ok::<_, Infallible>);
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    // As the reference server calls it; the client does not look.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// `{"0":[[0],[null,0,0]],…}`: each call's answer is a promise, number so-and-so.
fn head(calls: usize) -> String {
    let mut head = String::from("{");
    for place in 0..calls {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(head, "{comma}\"{place}\":[[0],[null,0,{place}]]");
    }
    head + "}\n"
}
