//! Everything over one WebSocket, as `wsLink` speaks it: queries, mutations, subscriptions and their end, one frame an
//! answer, `PING` and `PONG` as texts. A message may have any number of calls, of which [`MAX_BATCH`] are made at a time.

use std::future::{Future, ready};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use futures_util::{FutureExt, StreamExt, stream};
use http::request::Parts;
use procedures::Call;
use procedures::error::{Code, Error, Result};
use procedures::router::{Begun, Items};
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::events::resumed;
use super::http::text;
use super::messages::{self, Entry, Wanted, What};
use super::request::Query;
use super::subscriptions::{Place, Subscriptions};
use super::{Endpoint, shape};
use crate::addresses::ClientAddress;
use crate::answer::{request_id, small_enough};
use crate::auth::{Credentials, is_end_of_session};
use crate::limits::{HEAD_TIMEOUT, MAX_BATCH, REFUSAL_GRACE};
use crate::websocket::{Conversation, Outbox, Sockets};

struct Talk {
    endpoint: Endpoint,
    address: ClientAddress,
    /// None until they come, if the address says that the first message brings them; calls wait for them, and they come
    /// once.
    credentials: watch::Sender<Option<Credentials>>,
    live: Subscriptions,
}

/// Upgrades the connection. A session in the headers must be valid; one in the first message is checked with it.
pub async fn upgrade(
    endpoint: Endpoint,
    sockets: Sockets,
    upgrade: WebSocketUpgrade,
    head: &Parts,
) -> Result<Response> {
    let address = endpoint.authenticator.address_of(head);
    let credentials = match Query::of(&head.uri).get("connectionParams").as_deref() {
        Some("1") => {
            // Until then it is nobody's.
            endpoint.authenticator.admit(address, &Credentials::default(), 1).await?;
            None
        }
        Some(_) | None => {
            let credentials = Credentials::from_headers(&head.headers);
            endpoint.authenticator.admit(address, &credentials, 1).await?;
            Some(credentials)
        }
    };
    let credentials = watch::Sender::new(credentials);
    Ok(sockets.accept(upgrade, Talk { endpoint, address, credentials, live: Subscriptions::default() }))
}

impl Conversation for Talk {
    fn calls_in(&self, message: &[u8]) -> usize {
        messages::count(message).min(MAX_BATCH)
    }

    /// What was said is taken note of in the order in which it was said, and done side by side.
    fn hear(self: Arc<Self>, message: Bytes, outbox: Outbox) -> impl Future<Output = ()> + Send {
        let message = String::from_utf8_lossy(&message);
        let entries = match message.as_ref() {
            "PING" => return async move { outbox.send("PONG".into()).map(|_| ()).await }.boxed(),
            "PONG" => return ready(()).boxed(),
            message => messages::read(message, &self.live),
        };
        async move {
            match entries {
                // The link sends all calls of a moment at once, and would wait for ever for those that a refusal does
                // not name.
                Ok(mut entries) => {
                    let later = entries.split_off(entries.len().min(MAX_BATCH));
                    let later = stream::iter(later).take_until(outbox.ended());
                    let all = stream::iter(entries).chain(later);
                    all.for_each_concurrent(MAX_BATCH, |entry| self.one(entry, &outbox)).await;
                }
                Err(error) => {
                    let error = self.endpoint.authenticator.counted(self.address, error);
                    self.fail(&outbox, None, &error, None, &request_id()).await;
                }
            }
        }
        .boxed()
    }

    async fn session_over(self: Arc<Self>) {
        let mut presented = self.credentials.subscribe();
        let credentials = presented.wait_for(Option::is_some).await.ok().and_then(|found| found.clone());
        self.endpoint.authenticator.outlived(&credentials.unwrap_or_default()).await;
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

    async fn one(&self, entry: Entry, outbox: &Outbox) {
        let request_id: Arc<str> = request_id().into();
        let Entry { id, path, what } = entry;
        let done = match what {
            Ok(What::Done) => Ok(()),
            Ok(What::Introduction(data)) => {
                return self.introduce(data.as_deref(), outbox, &request_id).await;
            }
            Ok(What::Call(wanted)) => self.call(id.as_deref(), wanted, outbox, &request_id).await,
            Ok(What::Subscription(wanted, place)) => {
                self.subscribe(id.as_deref(), wanted, place, outbox, &request_id).await
            }
            Err(error) => Err(self.endpoint.authenticator.counted(self.address, error)),
        };
        if let Err(error) = done {
            self.fail(outbox, id.as_deref(), &error, path.as_deref(), &request_id).await;
        }
    }

    /// Takes the session that the client presents in its first message.
    async fn introduce(&self, data: Option<&RawValue>, outbox: &Outbox, request_id: &Arc<str>) {
        if self.credentials.borrow().is_some() {
            let error =
                Error::invalid_input("method", "connectionParams come once, where the address says so");
            let error = self.endpoint.authenticator.counted(self.address, error);
            return self.fail(outbox, None, &error, None, request_id).await;
        }
        let presented = Credentials::from_connection_params(data.map_or("null", RawValue::get));
        let (credentials, refused) = match presented {
            Ok(credentials) => {
                let refused = self.endpoint.authenticator.admit(self.address, &credentials, 1).await.err();
                (credentials, refused)
            }
            Err(error) => (Credentials::unreadable(), Some(error)),
        };
        // A session that is refused here is refused to calls too, by their ids.
        self.credentials.send_replace(Some(credentials));
        if let Some(error) = refused {
            self.fail(outbox, None, &error, None, request_id).await;
            // Who is only too fast has a session all the same, and may call a little later.
            if error.cause().is_none() && error.code() != Code::TooManyRequests {
                tokio::time::sleep(REFUSAL_GRACE).await;
                outbox.end_session();
            }
        }
    }

    async fn call(
        &self,
        id: Option<&str>,
        wanted: Wanted,
        outbox: &Outbox,
        request_id: &Arc<str>,
    ) -> Result<()> {
        let (call, _) = self.authorized(outbox, request_id).await?;
        let procedure = self.endpoint.find_kind(&wanted.path, wanted.kind)?;
        let data = procedure.call(call, wanted.input()).await?;
        let data = small_enough(procedure.kind, data)?;
        let (id, data) = (id.unwrap_or("null"), data.get());
        outbox.send(format!("{{\"id\":{id},\"result\":{{\"type\":\"data\",\"data\":{data}}}}}")).await;
        Ok(())
    }

    async fn subscribe(
        &self,
        id: Option<&str>,
        wanted: Wanted,
        place: Place,
        outbox: &Outbox,
        request_id: &Arc<str>,
    ) -> Result<()> {
        let (call, credentials) = self.authorized(outbox, request_id).await?;
        let procedure = self.endpoint.find_kind(&wanted.path, wanted.kind)?;
        let session = self.endpoint.authenticator.hold(&credentials);
        let input = resumed(wanted.input(), wanted.last_event_id.clone())?;
        let Begun { items, .. } = procedure.subscribe(call, session, &input).await?;
        let id = id.unwrap_or("null").to_owned();
        outbox.send(format!("{{\"id\":{id},\"result\":{{\"type\":\"started\"}}}}")).await;
        outbox.spawn(follow(id, wanted.path, items, place, outbox.clone(), request_id.clone()));
        Ok(())
    }

    /// A call of whoever this connection is of, verified anew.
    async fn authorized(&self, outbox: &Outbox, request_id: &Arc<str>) -> Result<(Call, Credentials)> {
        let credentials = self.credentials().await?;
        match self.endpoint.authenticator.admit(self.address, &credentials, 1).await {
            Ok(caller) => Ok((self.endpoint.call(&caller, request_id), credentials)),
            Err(error) => {
                if is_end_of_session(&error) {
                    outbox.end_session();
                }
                Err(error)
            }
        }
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
}

/// Sends a subscription's items until it is stopped, fails, or the connection ends.
async fn follow(
    id: String,
    path: String,
    mut items: Items,
    place: Place,
    outbox: Outbox,
    request_id: Arc<str>,
) {
    let mut session_over = false;
    loop {
        let told = async {
            match items.next().await? {
                Ok(item) => {
                    let (event, data) = (text(&item.id), item.data.get());
                    let tracked = format!("{{\"id\":{event},\"data\":{data}}}");
                    let result = format!("{{\"type\":\"data\",\"id\":{event},\"data\":{tracked}}}");
                    outbox.tell(format!("{{\"id\":{id},\"result\":{result}}}")).await.then_some(Ok(()))
                }
                Err(error) => Some(Err(error)),
            }
        };
        let told = tokio::select! {
            () = outbox.ended() => return,
            () = place.stopped() => break,
            told = told => told,
        };
        match told {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                session_over = is_end_of_session(&error);
                let shape = text(&shape(&error, Some(&path), &request_id));
                outbox.send(format!("{{\"id\":{id},\"error\":{shape}}}")).await;
                break;
            }
            None => break,
        }
    }
    drop(place);
    outbox.send(format!("{{\"id\":{id},\"result\":{{\"type\":\"stopped\"}}}}")).await;
    if session_over {
        outbox.end_session();
    }
}
