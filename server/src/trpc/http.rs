//! Calls and batches over HTTP.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use http::header::{ALLOW, HeaderValue, VARY};
use http::request::Parts;
use http::{Method, StatusCode};
use procedures::Caller;
use procedures::error::{Code, Error, Result};
use procedures::router::Kind;
use serde::Serialize;

use super::request::{Asked, Query};
use super::{Endpoint, Envelope, events, lines, shape};
use crate::answer::{self, explain, json, read_json_body, request_id, status_of};
use crate::auth::Credentials;

/// Which answer a client wants to a batch: JSON lines, each as soon as it is there.
const ACCEPT: &str = "trpc-accept";
const JSON_LINES: &str = "application/jsonl";

/// What the paths of the calls stand behind.
const BASE: &str = "/trpc/";

pub async fn handle(endpoint: Endpoint, request: Request) -> Response {
    let request_id: Arc<str> = request_id().into();
    let (head, body) = request.into_parts();
    let mut response = match head.method {
        Method::HEAD => StatusCode::NO_CONTENT.into_response(),
        _ => respond_to(&endpoint, &head, body, &request_id).await,
    };
    // A cache must not take one form of an answer for another.
    response.headers_mut().append(VARY, HeaderValue::from_static("trpc-accept, accept"));
    answer::name(&request_id, &mut response);
    response
}

async fn respond_to(endpoint: &Endpoint, head: &Parts, body: Body, request_id: &Arc<str>) -> Response {
    let asked = match head.method {
        Method::GET => Asked::read(&head.uri, BASE, None),
        Method::POST => match read_json_body(&head.headers, body).await {
            Ok(body) => Asked::read(&head.uri, BASE, Some(body)),
            Err(error) => Err(error),
        },
        _ => Err(Error::new(Code::MethodNotSupported, "Only GET and POST.")),
    };
    let asked = asked.map_err(|error| counted(endpoint, head, error));
    if let Some(path) = subscription(endpoint, head) {
        return events::subscribe(endpoint, &path, asked, head, request_id).await;
    }
    let path = asked.as_ref().ok().and_then(Asked::only_path).map(str::to_owned);
    let answered = async { calls(endpoint, asked?, head, request_id).await };
    let mut response = match answered.await {
        Ok(response) => response,
        Err(error) => {
            let envelope = Envelope::Error(shape(&error, path.as_deref(), request_id));
            let mut response = json(status_of(&error), text(&envelope));
            explain(&error, &mut response);
            response
        }
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed_methods(endpoint, head)));
    }
    response
}

/// What could have been used instead of the method that could not.
fn allowed_methods(endpoint: &Endpoint, head: &Parts) -> &'static str {
    let (paths, _) = Asked::paths(&head.uri, BASE);
    let kinds = paths.iter().filter_map(|path| Some(endpoint.find(path).ok()?.kind));
    let (mut mutations, mut subscriptions) = (false, false);
    for kind in kinds {
        mutations |= kind == Kind::Mutation;
        subscriptions |= kind == Kind::Subscription;
    }
    match (mutations, subscriptions) {
        (true, _) => "POST",
        (false, true) => "GET",
        (false, false) => "GET, HEAD, POST",
    }
}

/// The path of a single subscription, which is a GET and answered by events whatever becomes of it.
fn subscription(endpoint: &Endpoint, head: &Parts) -> Option<String> {
    let (mut paths, is_batch) = Asked::paths(&head.uri, BASE);
    let path = paths.pop()?;
    let is_one = head.method == Method::GET && !is_batch;
    let procedure = endpoint.find(&path).ok().filter(|_| is_one)?;
    (procedure.kind == Kind::Subscription).then_some(path)
}

async fn calls(endpoint: &Endpoint, asked: Asked, head: &Parts, request_id: &Arc<str>) -> Result<Response> {
    let (caller, _) = admit(endpoint, head, asked.paths.len()).await?;
    mixed(endpoint, &asked)?;
    if head.headers.get(ACCEPT).is_some_and(|accept| accept == JSON_LINES) {
        return Ok(lines::stream(endpoint, asked, &head.method, &caller, request_id));
    }
    let calls =
        (0..asked.paths.len()).map(|place| one(endpoint, &asked, place, &head.method, &caller, request_id));
    Ok(respond(&asked, join_all(calls).await))
}

/// Who makes so many calls by a request, if they may.
pub(super) async fn admit(endpoint: &Endpoint, head: &Parts, calls: usize) -> Result<(Caller, Credentials)> {
    let credentials = credentials(head).map_err(|error| counted(endpoint, head, error))?;
    let address = endpoint.authenticator.address_of(head);
    let caller = endpoint.authenticator.admit(address, &credentials, calls).await?;
    Ok((caller, credentials))
}

/// What to answer to a request that asks for nothing that could be done.
fn counted(endpoint: &Endpoint, head: &Parts, error: Error) -> Error {
    endpoint.authenticator.counted(endpoint.authenticator.address_of(head), error)
}

/// The session, from the headers, or from the address where a client cannot set headers.
fn credentials(head: &Parts) -> Result<Credentials> {
    match Query::of(&head.uri).get("connectionParams") {
        Some(params) => Credentials::from_connection_params(&params),
        None => Ok(Credentials::from_headers(&head.headers)),
    }
}

/// A batch of both queries and mutations is refused as a whole: it could be neither GET nor POST.
fn mixed(endpoint: &Endpoint, asked: &Asked) -> Result<()> {
    let kinds = asked.paths.iter().filter_map(|path| Some(endpoint.find(path).ok()?.kind));
    let (mut queries, mut mutations) = (false, false);
    for kind in kinds {
        queries |= kind == Kind::Query;
        mutations |= kind == Kind::Mutation;
    }
    match queries && mutations {
        true => Err(Error::invalid_input("", "queries and mutations in one batch")),
        false => Ok(()),
    }
}

/// A mutation must not be reachable by a link; a query may come as POST, which clients do for long inputs.
fn allowed(method: &Method) -> impl Fn(Kind) -> Result<()> {
    let is_post = *method == Method::POST;
    move |kind| match kind {
        Kind::Query => Ok(()),
        Kind::Mutation if is_post => Ok(()),
        Kind::Mutation => Err(Error::new(Code::MethodNotSupported, "A mutation is a POST.")),
        Kind::Subscription => {
            Err(Error::new(Code::MethodNotSupported, "A subscription is a GET of its own."))
        }
    }
}

/// One call's answer, with its status and its error.
pub(super) async fn one(
    endpoint: &Endpoint,
    asked: &Asked,
    place: usize,
    method: &Method,
    caller: &Caller,
    request_id: &Arc<str>,
) -> (StatusCode, Envelope, Option<Error>) {
    let path = asked.paths[place].as_str();
    let request_id: Arc<str> =
        if asked.is_batch { format!("{request_id}-{place}").into() } else { request_id.clone() };
    let call = endpoint.call(caller, &request_id);
    match endpoint.answer(path, asked.input(place), allowed(method), call).await {
        Ok(data) => (StatusCode::OK, Envelope::Result { data }, None),
        Err(error) => {
            let shape = shape(&error, Some(path), &request_id);
            (status_of(&error), Envelope::Error(shape), Some(error))
        }
    }
}

/// The answers' common status, or 207 where they differ.
fn respond(asked: &Asked, answers: Vec<(StatusCode, Envelope, Option<Error>)>) -> Response {
    let mut status = StatusCode::OK;
    let mut envelopes = Vec::with_capacity(answers.len());
    let mut errors = Vec::new();
    for (place, (one, envelope, error)) in answers.into_iter().enumerate() {
        status = if place == 0 || one == status { one } else { StatusCode::MULTI_STATUS };
        envelopes.push(envelope);
        errors.extend(error);
    }
    let body = match (asked.is_batch, envelopes.as_slice()) {
        (false, [only]) => text(only),
        (_, all) => text(&all),
    };
    let mut response = json(status, body);
    for error in errors {
        explain(&error, &mut response);
    }
    response
}

pub(super) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
