//! JSON-RPC 2.0 at `/rpc`, over HTTP and WebSocket.
//!
//! jsonrpsee is the method table ([`methods`]): names, parameters, ids, answers. The envelope around it
//! ([`Endpoint::answer`]) and the transports are ours, because jsonrpsee's own answer what they cannot parse in a shape
//! of their own, run batches one after another, drop a call with its connection and read on without bounds.

mod envelope;
mod http;
mod methods;
mod socket;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use jsonrpsee::core::id_providers::RandomIntegerIdProvider;
use jsonrpsee::{
    BoundedSubscriptions, ConnectionId, Extensions, MethodCallback, MethodResponse, MethodSink, Methods,
    SubscriptionState,
};
use jsonrpsee_types::{ErrorObject, Id};
use procedures::error::{Code, Error};
use procedures::{App, Call, Caller};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::addresses::ClientAddress;
use crate::answer;
use crate::auth::{Authenticator, Credentials, is_end_of_session};
use crate::limits::MAX_SUBSCRIPTIONS_PER_CONNECTION;
use crate::websocket::Outbox;
use envelope::{Envelope, Message, calls_in};
pub use http::handle;
use methods::Behind;
pub use socket::upgrade;

/// The JSON-RPC wire.
#[derive(Clone)]
pub struct Endpoint {
    app: Arc<App>,
    pub(crate) authenticator: Arc<Authenticator>,
    methods: Methods,
}

/// What there is to say to a message; a notification is answered with nothing.
pub struct Answer {
    pub json: Option<Box<RawValue>>,
    /// Why the message as a whole was refused: its envelope, its session, the want of one.
    pub refusal: Option<Error>,
    /// Whether the session that was presented is not, or no longer, valid.
    pub session_over: bool,
}

impl Endpoint {
    pub fn new(app: Arc<App>, authenticator: Arc<Authenticator>, router: Arc<procedures::Router>) -> Self {
        Endpoint { methods: methods::table(&router), app, authenticator }
    }

    /// Answers one message: a call, a notification, or a batch of them side by side.
    ///
    /// A call may subscribe where there is a line that items can go by.
    pub async fn answer(
        &self,
        message: &[u8],
        address: ClientAddress,
        credentials: &Credentials,
        line: Option<&Line>,
        request_id: &str,
    ) -> Answer {
        let message = match Message::parse(message) {
            Ok(message) => message,
            Err(error) => {
                let error = self.authenticator.counted(address, error);
                return refusal(Id::Null, error, None, request_id);
            }
        };
        let caller = match self.authenticator.admit(address, credentials, message.calls()).await {
            Ok(caller) => caller,
            Err(error) => {
                if let Message::Batch(entries) = &message
                    && error.code() == Code::TooManyRequests
                    && line.is_some()
                {
                    return refusal_of_each(entries, error, request_id);
                }
                let (id, path) = message.names();
                let session_over = is_end_of_session(&error);
                return Answer { session_over, ..refusal(id, error, path.as_deref(), request_id) };
            }
        };
        match message {
            Message::Single(Err(error)) => refusal(Id::Null, error, None, request_id),
            Message::Single(Ok(envelope)) => {
                let response =
                    self.call(envelope, &caller, line.zip(Some(credentials)), request_id.into()).await;
                let unauthorized = response.as_ref().is_some_and(is_unauthorized);
                let refusal = unauthorized.then(Error::unauthorized);
                Answer { json: response.map(MethodResponse::into_json), refusal, session_over: false }
            }
            Message::Batch(entries) => {
                let calls = entries.into_iter().enumerate();
                let calls = calls.map(async |(place, entry)| {
                    let request_id: Arc<str> = format!("{request_id}-{place}").into();
                    match entry {
                        Ok(envelope) => self.call(envelope, &caller, None, request_id).await,
                        Err(error) => Some(error_response(Id::Null, &error, None, &request_id)),
                    }
                });
                let json = batch(join_all(calls).await.into_iter().flatten());
                Answer { json, refusal: None, session_over: false }
            }
        }
    }

    /// Makes one call; a notification is made too, but not answered. A subscription answers by its line.
    async fn call(
        &self,
        envelope: Envelope<'_>,
        caller: &Caller,
        line: Option<(&Line, &Credentials)>,
        request_id: Arc<str>,
    ) -> Option<MethodResponse> {
        let callback = self.methods.method(&envelope.method);
        let params = match callback {
            Some(MethodCallback::Unsubscription(_)) => Ok(envelope.as_sent()),
            Some(MethodCallback::Async(_) | MethodCallback::Sync(_) | MethodCallback::Subscription(_))
            | None => envelope.input(),
        };
        let Envelope { id, method, .. } = envelope;
        let respond_to = id.clone().unwrap_or(Id::Null);
        let params = match params {
            Ok(params) => params,
            Err(error) => return id.map(|id| error_response(id, &error, Some(&method), &request_id)),
        };
        let mut extensions = Extensions::new();
        let call = Call { app: self.app.clone(), caller: caller.clone(), request_id: request_id.clone() };
        extensions.insert(call);
        // Answers are bounded by the pages and texts that procedures return, not here.
        let response = match (callback, line) {
            (Some(MethodCallback::Async(callback)), line) => {
                let connection = line.map_or(Line::NONE, |(line, _)| line.connection);
                callback(respond_to.into_owned(), params, connection, usize::MAX, extensions).await
            }
            (Some(MethodCallback::Sync(callback)), _) => callback(respond_to, params, usize::MAX, extensions),
            // Nobody would learn the id of one that is not answered.
            (Some(MethodCallback::Subscription(_)), _) if id.is_none() => return None,
            (Some(MethodCallback::Subscription(callback)), Some((line, credentials))) => {
                let Some(subscription_permit) = line.subscriptions.acquire() else {
                    let error =
                        Error::new(Code::TooManyRequests, "Too many subscriptions on this connection.");
                    return Some(error_response(respond_to, &error, Some(&method), &request_id));
                };
                extensions.insert(Behind {
                    session: self.authenticator.hold(credentials),
                    sink: line.sink.clone(),
                    outbox: line.outbox.clone(),
                });
                let id_provider = &RandomIntegerIdProvider;
                let state = SubscriptionState { conn_id: line.connection, id_provider, subscription_permit };
                callback(respond_to, params, line.sink.clone(), state, extensions).await;
                return None;
            }
            (Some(MethodCallback::Unsubscription(callback)), Some((line, _))) => {
                callback(respond_to, params, line.connection, usize::MAX, extensions)
            }
            (Some(MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_)), None) => {
                let error =
                    Error::new(Code::MethodNotSupported, "Only over a WebSocket, in a message of its own.");
                error_response(respond_to, &error, Some(&method), &request_id)
            }
            (None, _) => {
                let error = Error::new(Code::NotFound, "No such procedure.");
                error_response(respond_to, &error, Some(&method), &request_id)
            }
        };
        id.map(|_| response)
    }
}

/// What subscriptions need of a connection.
pub struct Line {
    connection: ConnectionId,
    sink: MethodSink,
    subscriptions: BoundedSubscriptions,
    outbox: Outbox,
}

impl Line {
    /// Calls over HTTP are of no connection.
    const NONE: ConnectionId = ConnectionId(0);

    /// A connection's line, and what comes by it.
    fn new(outbox: Outbox) -> (Self, mpsc::Receiver<Box<RawValue>>) {
        static CONNECTIONS: AtomicUsize = AtomicUsize::new(1);
        let (sender, items) = mpsc::channel(1);
        let connection = ConnectionId(CONNECTIONS.fetch_add(1, Ordering::Relaxed));
        let most = u32::try_from(MAX_SUBSCRIPTIONS_PER_CONNECTION).unwrap_or(u32::MAX);
        let subscriptions = BoundedSubscriptions::new(most);
        (Line { connection, sink: MethodSink::new(sender), subscriptions, outbox }, items)
    }
}

/// JSON as what it is on a wire.
fn text(json: Box<RawValue>) -> String {
    String::from(Box::<str>::from(json))
}

fn is_unauthorized(response: &MethodResponse) -> bool {
    response.as_error_code() == Some(Code::Unauthorized.number())
}

fn refusal(id: Id<'_>, error: Error, path: Option<&str>, request_id: &str) -> Answer {
    let response = error_response(id, &error, path, request_id);
    Answer { json: Some(response.into_json()), refusal: Some(error), session_over: false }
}

/// Refuses each call of a batch by its own id: over a WebSocket there is no status that would tell of all of them.
fn refusal_of_each(entries: &[Result<Envelope<'_>, Error>], error: Error, request_id: &str) -> Answer {
    let refused = entries.iter().enumerate().filter_map(|(place, entry)| {
        let (id, path) = match entry {
            Ok(envelope) => (envelope.id.clone()?, Some(&*envelope.method)),
            Err(_) => (Id::Null, None),
        };
        Some(error_response(id, &error, path, &format!("{request_id}-{place}")))
    });
    Answer { json: batch(refused), refusal: Some(error), session_over: false }
}

/// The answers to a batch; none if all of it were notifications.
fn batch(responses: impl Iterator<Item = MethodResponse>) -> Option<Box<RawValue>> {
    let answers: Vec<Box<RawValue>> = responses.map(MethodResponse::into_json).collect();
    match answers.is_empty() {
        true => None,
        false => serde_json::value::to_raw_value(&answers).ok(),
    }
}

fn error_response(id: Id<'_>, error: &Error, path: Option<&str>, request_id: &str) -> MethodResponse {
    answer::log(error, path, request_id);
    MethodResponse::error(id, error_object(error, path, request_id))
}

/// The contract's error shape is a JSON-RPC error object.
fn error_object(error: &Error, path: Option<&str>, request_id: &str) -> ErrorObject<'static> {
    let shape = error.shape(path, request_id);
    ErrorObject::owned(shape.code, shape.message, Some(shape.data))
}
