//! JSON-RPC over WebSocket: `GET /rpc` with an upgrade. Each message is answered as a request over HTTP would be, its
//! session checked anew.

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::Response;
use http::HeaderMap;
use jsonrpsee_types::Id;
use procedures::error::{Code, Error};

use super::{Endpoint, refusal};
use crate::answer::request_id;
use crate::auth::Credentials;
use crate::websocket::{Reply, Sockets};

/// Upgrades the connection, if the session it presents is valid (or it presents none).
pub async fn upgrade(
    endpoint: Endpoint,
    sockets: Sockets,
    upgrade: WebSocketUpgrade,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let credentials = Credentials::from_headers(&headers);
    endpoint.authenticator.authenticate(&credentials).await?;
    Ok(sockets.accept(upgrade, move |message| {
        let (endpoint, credentials) = (endpoint.clone(), credentials.clone());
        async move {
            let request_id = request_id();
            let answer = match &message {
                Message::Text(text) => endpoint.answer(text.as_bytes(), &credentials, &request_id).await,
                Message::Binary(bytes) => endpoint.answer(bytes, &credentials, &request_id).await,
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Reply::default(),
            };
            Reply {
                text: answer.json.map(|json| String::from(Box::<str>::from(json))),
                ends_session: answer.session_over,
            }
        }
    }))
}

/// What is said to a message that is larger than one may be, before its connection is closed.
pub fn too_large() -> String {
    let error = Error::new(Code::PayloadTooLarge, "The message is larger than 256 KiB.");
    let answer = refusal(Id::Null, error, None, &request_id());
    answer.json.map(|json| String::from(Box::<str>::from(json))).unwrap_or_default()
}
