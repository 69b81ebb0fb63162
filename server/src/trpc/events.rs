//! Subscriptions as server-sent events, as `httpSubscriptionLink` reads them.
//!
//! The connection is closed without a `return` event when the server stops: the client then connects anew, and goes on
//! after the last id it saw. So does one that read so slowly that its connection was cut.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use procedures::error::{Code, Error, Result};
use procedures::router::{Begun, Items};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::http::{admit, text};
use super::request::{Asked, Query};
use super::{Endpoint, shape};
use crate::answer::explain;
use crate::limits::{EVENT_PING_INTERVAL, RECONNECT_AFTER_SILENCE};

const LAST_EVENT_ID: &str = "last-event-id";

/// Whatever becomes of the subscription, the answer is 200: an error is an event, the last one. At any other status a
/// browser would give up without a word to its page.
pub async fn subscribe(
    endpoint: &Endpoint,
    path: &str,
    asked: Result<Asked>,
    head: &Parts,
    request_id: &Arc<str>,
) -> Response {
    let begun = async {
        let asked = asked?;
        let (caller, credentials) = admit(endpoint, head, 1).await?;
        let input = resumed(asked.input(0)?, last_event_id(head))?;
        let session = endpoint.authenticator.hold(&credentials);
        endpoint.find(path)?.subscribe(endpoint.call(&caller, request_id), session, &input).await
    };
    let (frames, refusal): (BoxStream<'static, String>, Option<Error>) = match begun.await {
        Err(error) => {
            let frames = stream::iter([connected(None), error_frame(&error, path, request_id)]);
            (frames.boxed(), Some(error))
        }
        Ok(Begun { after, items }) => {
            let frames = frames(items, path.to_owned(), request_id.clone());
            let stopping = endpoint.stopping.clone().cancelled_owned();
            let frames =
                stream::iter([connected(Some(&after))]).chain(with_pings(frames).take_until(stopping));
            (frames.boxed(), None)
        }
    };
    let mut response = Response::new(Body::from_stream(frames.map(Ok::<_, Infallible>)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if let Some(error) = refusal.filter(|error| error.code() == Code::TooManyRequests) {
        explain(&error, &mut response);
    }
    response
}

/// A subscription's items and its end: an error, or, of one that has nothing more to tell, `return`, after which a
/// client does not come back.
fn frames(items: Items, path: String, request_id: Arc<str>) -> impl Stream<Item = String> + Send {
    stream::unfold(Some(items), move |items| {
        let (path, request_id) = (path.clone(), request_id.clone());
        async move {
            let mut items = items?;
            Some(match items.next().await {
                Some(Ok(item)) => (format!("id: {}\ndata: {}\n\n", item.id, item.data.get()), Some(items)),
                Some(Err(error)) => (error_frame(&error, &path, &request_id), None),
                None => ("event: return\ndata: \n\n".to_owned(), None),
            })
        }
    })
}

/// The frames, and pings while there are none, which end with them. An event without data would not be dispatched.
fn with_pings(frames: impl Stream<Item = String> + Send) -> impl Stream<Item = String> + Send {
    stream::unfold(Box::pin(frames), async |mut frames| {
        let frame = match timeout(EVENT_PING_INTERVAL, frames.next()).await {
            Ok(frame) => frame?,
            Err(_) => "event: ping\ndata: \n\n".to_owned(),
        };
        Some((frame, frames))
    })
}

/// The first frame. With the id that the subscription goes on after: a browser that is cut off before the first item
/// names it when it comes back, and misses nothing.
fn connected(after: Option<&str>) -> String {
    let silence = RECONNECT_AFTER_SILENCE.as_millis();
    let id = after.map(|after| format!("id: {after}\n")).unwrap_or_default();
    format!("event: connected\ndata: {{\"reconnectAfterInactivityMs\":{silence}}}\n{id}\n")
}

fn error_frame(error: &Error, path: &str, request_id: &str) -> String {
    format!("event: serialized-error\ndata: {}\n\n", text(&shape(error, Some(path), request_id)))
}

/// Where the client left off: what the browser says, then what the link put into the address.
fn last_event_id(head: &Parts) -> Option<String> {
    let header = head.headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let query = Query::of(&head.uri);
    header
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .or_else(|| Some(query.get("lastEventId").or_else(|| query.get("Last-Event-Id"))?.into_owned()))
}

/// The input with the place to go on from, which overrules the one it may have.
pub(super) fn resumed(input: &str, last_event_id: Option<String>) -> Result<String> {
    let Some(last_event_id) = last_event_id else { return Ok(input.to_owned()) };
    let mut input: Option<Map<String, Value>> =
        serde_json::from_str(input).map_err(|_| Error::invalid_input("", "not an object"))?;
    input.get_or_insert_default().insert("lastEventId".into(), last_event_id.into());
    Ok(text(&input))
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use procedures::error::{Error, Result};
    use procedures::router::Tracked;
    use serde_json::value::{RawValue, to_raw_value};

    async fn frames_of(items: Vec<Result<Tracked<Box<RawValue>>>>) -> Vec<String> {
        super::frames(stream::iter(items).boxed(), "a.b".into(), "request".into()).collect().await
    }

    fn item(number: i32) -> Result<Tracked<Box<RawValue>>> {
        Ok(Tracked { id: number.to_string(), data: to_raw_value(&number).unwrap() })
    }

    #[tokio::test]
    async fn one_that_has_told_all_returns() {
        let frames = frames_of(vec![item(1), item(2)]).await;
        assert_eq!(frames, ["id: 1\ndata: 1\n\n", "id: 2\ndata: 2\n\n", "event: return\ndata: \n\n"]);
    }

    #[tokio::test]
    async fn one_that_fails_does_not() {
        let frames = frames_of(vec![item(1), Err(Error::unauthorized()), item(2)]).await;
        assert_eq!(frames.len(), 2);
        assert!(frames[1].starts_with("event: serialized-error\ndata: {"), "{}", frames[1]);
    }
}
