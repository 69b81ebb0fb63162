//! Everything over one WebSocket, as `wsLink` speaks it: queries, mutations, subscriptions and their end, one frame an
//! answer, `PING` and `PONG` as texts. A message may have any number of calls, of which [`MAX_BATCH`] are made at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Uri};
use procedures::error::{Code, Error, Result};
use procedures::router::{Items, Kind};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::events::resumed;
use super::http::text;
use super::request::Query;
use super::{Endpoint, shape};
use crate::answer::{request_id, small_enough};
use crate::auth::{Credentials, is_end_of_session};
use crate::limits::{HEAD_TIMEOUT, MAX_BATCH, MAX_SUBSCRIPTIONS_PER_CONNECTION, REFUSAL_GRACE};
use crate::websocket::{Conversation, Outbox, Sockets};

/// One message of a client.
#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    method: String,
    #[serde(borrow, default)]
    params: Option<Params<'a>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    path: String,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(default)]
    last_event_id: Option<String>,
}

struct Talk {
    endpoint: Endpoint,
    /// None until they come, if the address says that the first message brings them; calls wait for them, and they come
    /// once.
    credentials: watch::Sender<Option<Credentials>>,
    subscriptions: Mutex<HashMap<String, CancellationToken>>,
}

/// Upgrades the connection. A session in the headers must be valid; one in the first message is checked with it.
pub async fn upgrade(
    endpoint: Endpoint,
    sockets: Sockets,
    upgrade: WebSocketUpgrade,
    headers: HeaderMap,
    uri: &Uri,
) -> Result<Response> {
    let credentials = match Query::of(uri).get("connectionParams").as_deref() {
        Some("1") => None,
        Some(_) | None => {
            let credentials = Credentials::from_headers(&headers);
            endpoint.authenticator.authenticate(&credentials).await?;
            Some(credentials)
        }
    };
    let credentials = watch::Sender::new(credentials);
    Ok(sockets.accept(upgrade, Talk { endpoint, credentials, subscriptions: Mutex::default() }))
}

impl Conversation for Talk {
    fn calls_in(&self, message: &[u8]) -> usize {
        match message.trim_ascii_start().first() {
            Some(b'[') => {
                serde_json::from_slice::<Vec<&RawValue>>(message).map_or(1, |entries| entries.len())
            }
            Some(_) | None => 1,
        }
    }

    async fn hear(self: Arc<Self>, message: Bytes, outbox: Outbox) {
        let message = String::from_utf8_lossy(&message);
        if message == "PING" {
            outbox.send("PONG".into()).await;
            return;
        }
        if message == "PONG" {
            return;
        }
        let entries: serde_json::Result<Vec<&RawValue>> = match message.trim_start().starts_with('[') {
            true => serde_json::from_str(&message),
            false => serde_json::from_str(&message).map(|entry| vec![entry]),
        };
        let entries = match entries {
            Ok(entries) if !entries.is_empty() => entries,
            refused => {
                let error = match refused {
                    Ok(_) => Error::invalid_input("", "no calls"),
                    Err(_) => Error::new(Code::ParseError, "The message is not valid JSON."),
                };
                return self.fail(&outbox, None, &error, None, &request_id()).await;
            }
        };
        // The link sends all calls of a moment at once, and would wait for ever for those that a refusal does not name.
        stream::iter(entries).for_each_concurrent(MAX_BATCH, |entry| self.one(entry.get(), &outbox)).await;
    }

    fn too_large(&self) -> String {
        let error = Error::new(Code::PayloadTooLarge, "The message is larger than 256 KiB.");
        format!("{{\"id\":null,\"error\":{}}}", text(&shape(&error, None, &request_id())))
    }

    /// The client opens another connection, and goes on there.
    fn farewell(&self) -> Option<String> {
        Some(r#"{"id":null,"method":"reconnect"}"#.into())
    }
}

impl Talk {
    async fn fail(
        &self,
        outbox: &Outbox,
        id: Option<&str>,
        error: &Error,
        path: Option<&str>,
        request_id: &str,
    ) {
        let shape = text(&shape(error, path, request_id));
        outbox.send(format!("{{\"id\":{},\"error\":{shape}}}", id.unwrap_or("null"))).await;
    }

    async fn one(self: &Arc<Self>, entry: &str, outbox: &Outbox) {
        let request_id: Arc<str> = request_id().into();
        let Ok(Incoming { id, method, params, data }) = serde_json::from_str::<Incoming<'_>>(entry) else {
            let error = Error::invalid_input("", "not a message of tRPC's");
            return self.fail(outbox, None, &error, None, &request_id).await;
        };
        if method == "connectionParams" {
            return self.introduce(data, outbox, &request_id).await;
        }
        let id = id.map(RawValue::get).filter(|id| is_id(id));
        if method == "subscription.stop" {
            if let Some(subscription) = id.and_then(|id| self.subscriptions().remove(id)) {
                subscription.cancel();
            }
            return;
        }
        let kind = match method.as_str() {
            "query" => Kind::Query,
            "mutation" => Kind::Mutation,
            "subscription" => Kind::Subscription,
            _ => {
                let error = Error::invalid_input("method", "not a method of tRPC's");
                return self.fail(outbox, id, &error, None, &request_id).await;
            }
        };
        let (Some(id), Some(params)) = (id, params) else {
            let error = Error::invalid_input("", "id or params missing");
            return self.fail(outbox, id, &error, None, &request_id).await;
        };
        let path = params.path.clone();
        if let Err(error) = self.act(id, kind, params, outbox, &request_id).await {
            self.fail(outbox, Some(id), &error, Some(&path), &request_id).await;
        }
    }

    /// Takes the session that the client presents in its first message.
    async fn introduce(&self, data: Option<&RawValue>, outbox: &Outbox, request_id: &Arc<str>) {
        if self.credentials.borrow().is_some() {
            let error =
                Error::invalid_input("method", "connectionParams come once, where the address says so");
            return self.fail(outbox, None, &error, None, request_id).await;
        }
        let (credentials, refused) =
            match Credentials::from_connection_params(data.map_or("null", RawValue::get)) {
                Ok(credentials) => {
                    let refused = self.endpoint.authenticator.authenticate(&credentials).await.err();
                    (credentials, refused)
                }
                Err(error) => (Credentials::unreadable(), Some(error)),
            };
        // A session that is refused here is refused to calls too, by their ids.
        self.credentials.send_replace(Some(credentials));
        if let Some(error) = refused {
            self.fail(outbox, None, &error, None, request_id).await;
            if error.cause().is_none() {
                tokio::time::sleep(REFUSAL_GRACE).await;
                outbox.end_session();
            }
        }
    }

    /// Answers a call, or begins a subscription.
    async fn act(
        self: &Arc<Self>,
        id: &str,
        kind: Kind,
        params: Params<'_>,
        outbox: &Outbox,
        request_id: &Arc<str>,
    ) -> Result<()> {
        let credentials = self.credentials().await?;
        let caller = match self.endpoint.authenticator.authenticate(&credentials).await {
            Ok(caller) => caller,
            Err(error) => {
                if is_end_of_session(&error) {
                    outbox.end_session();
                }
                return Err(error);
            }
        };
        let procedure = self.endpoint.find(&params.path)?;
        if procedure.kind != kind {
            return Err(Error::new(Code::NotFound, "No such procedure."));
        }
        let input = params.input.map_or("null", RawValue::get);
        let call = self.endpoint.call(&caller, request_id);
        if kind != Kind::Subscription {
            let data = procedure.call(call, input).await.and_then(small_enough)?;
            outbox
                .send(format!("{{\"id\":{id},\"result\":{{\"type\":\"data\",\"data\":{}}}}}", data.get()))
                .await;
            return Ok(());
        }
        let stop = self.register(id)?;
        let begun = async {
            let session = self.endpoint.authenticator.hold(&credentials);
            procedure.subscribe(call, session, &resumed(input, params.last_event_id)?).await
        };
        let items = match begun.await {
            Ok(items) => items,
            Err(error) => {
                self.subscriptions().remove(id);
                return Err(error);
            }
        };
        outbox.send(format!("{{\"id\":{id},\"result\":{{\"type\":\"started\"}}}}")).await;
        let going_on =
            self.clone().follow(id.to_owned(), params.path, items, stop, outbox.clone(), request_id.clone());
        tokio::spawn(going_on);
        Ok(())
    }

    /// Makes a subscription known by its id, which no other live one may have.
    fn register(&self, id: &str) -> Result<CancellationToken> {
        let mut subscriptions = self.subscriptions();
        if subscriptions.contains_key(id) {
            return Err(Error::invalid_input("id", "a subscription with this id is live"));
        }
        if subscriptions.len() >= MAX_SUBSCRIPTIONS_PER_CONNECTION {
            return Err(Error::new(Code::TooManyRequests, "Too many subscriptions on this connection."));
        }
        let stop = CancellationToken::new();
        subscriptions.insert(id.to_owned(), stop.clone());
        Ok(stop)
    }

    /// Sends a subscription's items until it is stopped, fails, or the connection ends.
    async fn follow(
        self: Arc<Self>,
        id: String,
        path: String,
        mut items: Items,
        stop: CancellationToken,
        outbox: Outbox,
        request_id: Arc<str>,
    ) {
        loop {
            let item = tokio::select! {
                () = outbox.ended() => return,
                () = stop.cancelled() => break,
                item = items.next() => item,
            };
            match item {
                Some(Ok(item)) => {
                    let (event, data) = (text(&item.id), item.data.get());
                    let tracked = format!("{{\"id\":{event},\"data\":{data}}}");
                    let result = format!("{{\"type\":\"data\",\"id\":{event},\"data\":{tracked}}}");
                    if !outbox.tell(format!("{{\"id\":{id},\"result\":{result}}}")).await {
                        return;
                    }
                }
                Some(Err(error)) => {
                    self.fail(&outbox, Some(&id), &error, Some(&path), &request_id).await;
                    if is_end_of_session(&error) {
                        outbox.end_session();
                    }
                    break;
                }
                None => break,
            }
        }
        self.subscriptions().remove(&id);
        outbox.send(format!("{{\"id\":{id},\"result\":{{\"type\":\"stopped\"}}}}")).await;
    }

    /// What the client presents, as soon as it has.
    async fn credentials(&self) -> Result<Credentials> {
        let mut presented = self.credentials.subscribe();
        let presented = tokio::time::timeout(HEAD_TIMEOUT, presented.wait_for(Option::is_some)).await;
        match presented {
            Ok(Ok(credentials)) => credentials.clone().ok_or_else(Error::unauthorized),
            Ok(Err(_)) | Err(_) => Err(Error::unauthorized()),
        }
    }

    fn subscriptions(&self) -> std::sync::MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// tRPC's ids are numbers, or strings.
fn is_id(id: &str) -> bool {
    id.starts_with('"') || id.bytes().all(|byte| byte.is_ascii_digit())
}
