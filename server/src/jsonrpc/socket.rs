//! JSON-RPC over WebSocket: `GET /rpc` with an upgrade. Each message is answered as a request over HTTP would be, its
//! session checked anew.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use http::HeaderMap;
use jsonrpsee_types::Id;
use procedures::error::{Code, Error};

use super::{Endpoint, calls_in, refusal, text};
use crate::answer::request_id;
use crate::auth::Credentials;
use crate::websocket::{Conversation, Outbox, Sockets};

/// Upgrades the connection, if the session it presents is valid (or it presents none).
pub async fn upgrade(
    endpoint: Endpoint,
    sockets: Sockets,
    upgrade: WebSocketUpgrade,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let credentials = Credentials::from_headers(&headers);
    endpoint.authenticator.authenticate(&credentials).await?;
    Ok(sockets.accept(upgrade, Talk { endpoint, credentials }))
}

struct Talk {
    endpoint: Endpoint,
    credentials: Credentials,
}

impl Conversation for Talk {
    fn calls_in(&self, message: &[u8]) -> usize {
        calls_in(message)
    }

    async fn hear(self: Arc<Self>, message: Bytes, outbox: Outbox) {
        let answer = self.endpoint.answer(&message, &self.credentials, &request_id()).await;
        if let Some(json) = answer.json {
            outbox.send(text(json)).await;
        }
        if answer.session_over {
            outbox.end_session();
        }
    }

    fn too_large(&self) -> String {
        let error = Error::new(Code::PayloadTooLarge, "The message is larger than 256 KiB.");
        refusal(Id::Null, error, None, &request_id()).json.map(text).unwrap_or_default()
    }
}
