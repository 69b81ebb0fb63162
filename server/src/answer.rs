//! Requests and answers over HTTP that are no procedure's: reading a body within its limits, and refusing in the one
//! error shape.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use procedures::error::{Code, Error, Reason};
use procedures::router::Kind;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::limits::{BODY_TIMEOUT, MAX_ANSWER, MAX_BODY};

/// Names the request in the log; also in each error's `data.requestId`.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Says the request's id along with its answer.
pub fn name(request_id: &str, response: &mut Response) {
    if let Ok(value) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// The name of one request in the log and in its answer.
pub fn request_id() -> String {
    Uuid::now_v7().to_string()
}

/// Reads a JSON body: its type, its size and its time are checked.
pub async fn read_json_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Error> {
    if !is_json(headers) {
        return Err(Error::new(Code::UnsupportedMediaType, "The content type must be application/json."));
    }
    let too_large = || Error::new(Code::PayloadTooLarge, "The body is larger than 256 KiB.");
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Err(_) => Err(Error::new(Code::Timeout, "The body did not arrive in time.")),
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Error::new(Code::BadRequest, "The body ended early.")),
    }
}

/// `application/json`, or a type that JSON-RPC clients send for it, with parameters or without.
fn is_json(headers: &HeaderMap) -> bool {
    let essence = |value: &HeaderValue| {
        let essence = value.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
        matches!(essence.as_str(), "application/json" | "application/json-rpc" | "application/jsonrequest")
            .into()
    };
    headers.get(CONTENT_TYPE).and_then(essence).unwrap_or(false)
}

/// JSON that no cache keeps.
pub fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The status of an error, and the headers that go with it.
pub fn status_of(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Adds what HTTP wants said along with some errors.
pub fn explain(error: &Error, response: &mut Response) {
    let (name, value) = match error.code() {
        Code::Unauthorized => (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Code::TooManyRequests | Code::ServiceUnavailable => (RETRY_AFTER, retry_after(error).into()),
        Code::ParseError
        | Code::BadRequest
        | Code::MethodNotSupported
        | Code::Forbidden
        | Code::NotFound
        | Code::Timeout
        | Code::Conflict
        | Code::PreconditionFailed
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::UnprocessableContent
        | Code::InternalServerError => return,
    };
    response.headers_mut().insert(name, value);
}

/// After how many seconds a call may be made again.
fn retry_after(error: &Error) -> u32 {
    if let Some(Reason::RateLimited { retry_after_seconds }) = error.reason() {
        *retry_after_seconds
    } else {
        1
    }
}

/// A refusal outside of any wire: `{"error": <shape>}`.
pub fn refuse(error: &Error, request_id: &str) -> Response {
    #[derive(Serialize)]
    struct Refusal {
        error: procedures::ErrorShape,
    }
    log(error, None, request_id);
    let body = serde_json::to_string(&Refusal { error: error.shape(None, request_id) }).unwrap_or_default();
    let mut response = json(status_of(error), body);
    explain(error, &mut response);
    response
}

/// Pages are cut so that answers stay small; what is larger all the same is not sent. But what a mutation has done is
/// told, however long that is.
pub fn small_enough(kind: Kind, answer: Box<RawValue>) -> Result<Box<RawValue>, Error> {
    match kind {
        Kind::Query | Kind::Subscription if answer.get().len() > MAX_ANSWER => {
            Err(Error::new(Code::PayloadTooLarge, "The answer is larger than 1 MiB; ask for a smaller page."))
        }
        Kind::Query | Kind::Subscription | Kind::Mutation => Ok(answer),
    }
}

/// What a client is not told: the cause of a fault, under the request's id.
pub fn log(error: &Error, path: Option<&str>, request_id: &str) {
    if let Some(cause) = error.cause() {
        tracing::error!(request_id, path, code = ?error.code(), cause = %cause, "a call failed");
    }
}

/// The answer to an address that does not exist.
pub async fn not_found() -> Response {
    refuse(&Error::new(Code::NotFound, "No such address."), &request_id())
}

/// The answer to a method that an address does not have; axum adds those that it has.
pub async fn method_not_allowed() -> Response {
    refuse(&Error::new(Code::MethodNotSupported, "Not by this method."), &request_id())
}

/// The answer to a request whose handling panicked.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    refuse(&Error::internal("a request's handling panicked"), &request_id()).into_response()
}
