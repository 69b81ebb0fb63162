//! JSON-RPC over HTTP: `POST /rpc`.
//!
//! A call's own error is an answer like any other and has status 200, as JSON-RPC clients expect. A request that is
//! refused as a whole (its body, its envelope, its session) has the status of its error.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use jsonrpsee_types::Id;
use procedures::error::{Code, Error};

use super::{Answer, Endpoint, refusal, text};
use crate::answer::{self, explain, json, read_json_body, request_id, status_of};
use crate::auth::Credentials;

pub async fn handle(endpoint: Endpoint, request: Request) -> Response {
    let request_id = request_id();
    let (head, body) = request.into_parts();
    let address = endpoint.authenticator.address_of(&head);
    let by_post = head.method == Method::POST;
    let body = match by_post {
        true => read_json_body(&head.headers, body).await,
        false => Err(Error::new(Code::MethodNotSupported, "Only POST, or an upgrade to a WebSocket.")),
    };
    let answer = match body {
        Ok(body) => {
            let credentials = Credentials::from_headers(&head.headers);
            endpoint.answer(&body, address, &credentials, None, &request_id).await
        }
        Err(error) => refusal(Id::Null, endpoint.authenticator.counted(address, error), None, &request_id),
    };
    let mut response = respond(answer);
    if !by_post {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    answer::name(&request_id, &mut response);
    response
}

fn respond(answer: Answer) -> Response {
    let status = answer.refusal.as_ref().map_or(StatusCode::OK, status_of);
    let Some(body) = answer.json else { return StatusCode::NO_CONTENT.into_response() };
    let mut response = json(status, text(body));
    if let Some(refusal) = &answer.refusal {
        explain(refusal, &mut response);
    }
    response
}
