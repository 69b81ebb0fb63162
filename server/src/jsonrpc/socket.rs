//! JSON-RPC over WebSocket: `GET /rpc` with an upgrade. Each message is answered as a request over HTTP would be, its
//! session checked anew.

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use http::request::Parts;
use jsonrpsee_types::Id;
use procedures::error::{Code, Error};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{Endpoint, Line, calls_in, refusal, text};
use crate::addresses::ClientAddress;
use crate::answer::request_id;
use crate::auth::Credentials;
use crate::websocket::{Conversation, Outbox, Sockets};

/// Upgrades the connection, if the session it presents is valid (or it presents none).
pub async fn upgrade(
    endpoint: Endpoint,
    sockets: Sockets,
    upgrade: WebSocketUpgrade,
    head: &Parts,
) -> Result<Response, Error> {
    let address = endpoint.authenticator.address_of(head);
    let credentials = Credentials::from_headers(&head.headers);
    endpoint.authenticator.admit(address, &credentials, 1).await?;
    Ok(sockets.accept(upgrade, Talk { endpoint, address, credentials, line: OnceLock::new() }))
}

struct Talk {
    endpoint: Endpoint,
    address: ClientAddress,
    credentials: Credentials,
    /// Where subscriptions tell what they have to; the first message opens it.
    line: OnceLock<Line>,
}

/// Sends what subscriptions tell, up to the last of it.
async fn pass_on(mut items: mpsc::Receiver<Box<RawValue>>, outbox: Outbox) {
    loop {
        let item = tokio::select! {
            item = items.recv() => item,
            () = outbox.ended() => {
                // What was said until now is still sent.
                items.close();
                items.recv().await
            }
        };
        let Some(item) = item else { return };
        if !outbox.tell(text(item)).await {
            return;
        }
    }
}

impl Conversation for Talk {
    fn calls_in(&self, message: &[u8]) -> usize {
        calls_in(message)
    }

    async fn hear(self: Arc<Self>, message: Bytes, outbox: Outbox) {
        let line = self.line.get_or_init(|| {
            let (line, items) = Line::new(outbox.clone());
            outbox.spawn(pass_on(items, outbox.clone()));
            line
        });
        let request_id = request_id();
        let answer =
            self.endpoint.answer(&message, self.address, &self.credentials, Some(line), &request_id).await;
        if let Some(json) = answer.json {
            outbox.send(text(json)).await;
        }
        if answer.session_over {
            outbox.end_session();
        }
    }

    async fn session_over(self: Arc<Self>) {
        self.endpoint.authenticator.outlived(&self.credentials).await;
    }

    fn too_large(&self) -> String {
        let error = Error::new(Code::PayloadTooLarge, "The message is larger than 256 KiB.");
        refusal(Id::Null, error, None, &request_id()).json.map(text).unwrap_or_default()
    }

    fn farewell(&self) -> Option<String> {
        None
    }
}
