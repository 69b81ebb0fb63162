//! How a procedure is declared. Everything else is derived from that declaration: the JSON-RPC method, the
//! tRPC route, the TypeScript and the Rust client's type, the OpenRPC document and the authorization matrix.
//!
//! ```text
//! signature!(Enroll: Mutation "enrollment.enroll" (EnrollInput) -> Enrollment);
//!
//! pub async fn enroll(cx: Cx<Insider>, input: EnrollInput) -> Result<Enrollment> { … }
//! ```
//!
//! in its own file, and `.mutation(enroll::Enroll, enroll::enroll)` in its group's list. The context's type says who may
//! call, the input's doc comment documents the procedure.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use ts_rs::{Config, TS};

use crate::App;
use crate::caller::{Actor, Caller, CallerKind, Cx, Insider, Live, Session};
use crate::db::repeated;
use crate::error::{Code, Error, Result};
use crate::idempotency::{KeyedCall, KeyedInput};
use crate::limits::CALL_DEADLINE;
use crate::metric::Calls;

mod input;
mod signature;
mod typescript;

pub use input::NoInput;
use input::parse;
pub(crate) use input::{each_once, objects};
pub(crate) use signature::signature;
pub use signature::{Mutation, Query, Signature, Subscription};
use typescript::declare;

/// An answer, serialized once.
pub type Reply = Result<Box<RawValue>>;

/// One item of a subscription: a client that reconnects names the last id it saw, and goes on after it.
#[derive(Clone, Debug)]
pub struct Tracked<T> {
    pub id: String,
    pub data: T,
}

/// A subscription's items, serialized once. It ends with an error, or when the wire lets go of it.
pub type Items = BoxStream<'static, Result<Tracked<Box<RawValue>>>>;

/// A subscription that has begun.
pub struct Begun<I = Items> {
    /// What it goes on after: whoever is cut off before the first item names this id.
    pub after: String,
    pub items: I,
}

/// What a call does: reads, changes, or goes on telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Query,
    Mutation,
    Subscription,
}

/// One call, as a wire hands it over.
#[derive(Clone)]
pub struct Call {
    pub app: Arc<App>,
    pub caller: Caller,
    pub request_id: Arc<str>,
}

type Answerer = Arc<dyn Fn(Call, &str) -> BoxFuture<'static, Reply> + Send + Sync>;
type Subscriber =
    Arc<dyn Fn(Call, Arc<dyn Session>, &str) -> BoxFuture<'static, Result<Begun>> + Send + Sync>;

enum Handler {
    Answers(Answerer),
    Streams(Subscriber),
}

/// A declared procedure, its types erased to JSON at the edge.
pub struct Procedure {
    /// `group.name`.
    pub path: &'static str,
    pub kind: Kind,
    /// Who may call at all; the roles among them are decided by [`crate::policy`].
    pub caller: &'static str,
    pub input: Type,
    pub output: Type,
    handler: Handler,
    calls: Calls,
}

impl Procedure {
    /// Runs the procedure with its input as JSON; `null` stands for an absent input.
    ///
    /// A panic is an internal error of this call alone. A subscription is no call: NOT_FOUND.
    pub async fn call(&self, call: Call, input: &str) -> Reply {
        let begun = Instant::now();
        self.note(&call);
        let reply = match &self.handler {
            Handler::Answers(answer) => bounded(async { answer(call, input).await }).await,
            Handler::Streams(_) => Err(Error::not_found()),
        };
        self.calls.ended(begun, &reply);
        reply
    }

    /// Begins a subscription: what happens from the moment this answers is among its items. It goes on for as long as
    /// the session holds. A call is no subscription: NOT_FOUND.
    pub async fn subscribe(&self, call: Call, session: Arc<dyn Session>, input: &str) -> Result<Begun> {
        let asked = Instant::now();
        self.note(&call);
        let begun = match &self.handler {
            Handler::Streams(subscribe) => bounded(async { subscribe(call, session, input).await }).await,
            Handler::Answers(_) => Err(Error::not_found()),
        };
        self.calls.ended(asked, &begun);
        begun
    }

    /// Whatever a global admin does in an organization, reading too, leaves an entry in the log; changes of enrollments
    /// are in the organization's own as well, by the same request.
    fn note(&self, call: &Call) {
        if let Caller::Insider(Insider { tenant, actor: Actor::Person(person) }) = &call.caller
            && person.global_admin
        {
            let (organization, user, request_id) =
                (tenant.organization_id(), person.user_id, &*call.request_id);
            tracing::info!(target: AUDIT, request_id, path = self.path, %organization, %user, "a global admin calls");
        }
    }
}

/// The target of log entries that are kept as evidence.
pub const AUDIT: &str = "audit";

/// What a procedure can take.
pub trait Input: DeserializeOwned + TS + JsonSchema + Send + 'static {}
impl<T: DeserializeOwned + TS + JsonSchema + Send + 'static> Input for T {}

/// What a procedure can answer.
pub trait Output: Serialize + TS + JsonSchema + 'static {}
impl<T: Serialize + TS + JsonSchema + 'static> Output for T {}

/// A list of procedures by path.
#[derive(Default)]
pub struct Router {
    procedures: BTreeMap<&'static str, Procedure>,
}

impl Router {
    pub fn query<S, K, F>(self, _: S, f: impl Fn(Cx<K>, S::Input) -> F + Send + Sync + 'static) -> Self
    where
        S: Signature<Kind = Query>,
        S::Input: Input,
        S::Output: Output,
        K: CallerKind,
        F: Future<Output = Result<S::Output>> + Send + 'static,
    {
        let handler = move |call: Call, json: &str| {
            let started = narrow::<K>(call).and_then(|cx| Ok(f(cx, parse::<S::Input>(json)?)));
            async move { reply(&started?.await?) }.boxed()
        };
        self.add::<S, S::Input, K>(Kind::Query, Handler::Answers(Arc::new(handler)))
    }

    /// A subscription's items go on until its consumer lets go of them, or an error ends them; a panic is one too.
    pub fn subscription<S, K, F, I>(
        self,
        _: S,
        f: impl Fn(Live<K>, S::Input) -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: Signature<Kind = Subscription>,
        S::Input: Input,
        S::Output: Output,
        K: CallerKind,
        F: Future<Output = Result<Begun<I>>> + Send + 'static,
        I: Stream<Item = Result<Tracked<S::Output>>> + Send + 'static,
    {
        let handler = move |call: Call, session: Arc<dyn Session>, json: &str| {
            let started =
                narrow::<K>(call).and_then(|cx| Ok(f(Live::new(cx, session), parse::<S::Input>(json)?)));
            let item = |item: Result<Result<Tracked<S::Output>>, _>| {
                let Tracked { id, data } = item.unwrap_or_else(|panic| Err(panicked(panic)))?;
                Ok(Tracked { id, data: reply(&data)? })
            };
            let begun = async move {
                let Begun { after, items } = started?.await?;
                Ok(Begun { after, items: AssertUnwindSafe(items).catch_unwind().map(item).boxed() })
            };
            begun.boxed()
        };
        self.add::<S, S::Input, K>(Kind::Subscription, Handler::Streams(Arc::new(handler)))
    }

    /// A mutation runs in a task of its own, to its end even if its caller goes away meanwhile, and as a whole
    /// again if its transaction lost against another one. It takes an optional idempotency key beside its input.
    pub fn mutation<S, K, F>(self, _: S, f: impl Fn(Cx<K>, S::Input) -> F + Send + Sync + 'static) -> Self
    where
        S: Signature<Kind = Mutation>,
        S::Input: Input + Serialize + Clone + Sync,
        S::Output: Output + Send,
        K: CallerKind,
        F: Future<Output = Result<S::Output>> + Send + 'static,
    {
        let f = Arc::new(f);
        let handler = move |call: Call, json: &str| {
            let started = narrow::<K>(call).and_then(|mut cx| {
                let KeyedInput { key, input } = parse::<KeyedInput<S::Input>>(json)?;
                cx.key = key.map(|key| KeyedCall::new(S::PATH, key, &input)).transpose()?;
                let app = cx.app.clone();
                let f = f.clone();
                let attempts = async move {
                    let outcome = repeated(|| f(cx.clone(), input.clone())).await;
                    reply(&outcome?)
                };
                Ok(app.mutations.spawn(attempts))
            });
            async move { started?.await.unwrap_or_else(|panic| Err(Error::internal(panic))) }.boxed()
        };
        self.add::<S, KeyedInput<S::Input>, K>(Kind::Mutation, Handler::Answers(Arc::new(handler)))
    }

    fn add<S: Signature, I: Input, K: CallerKind>(mut self, kind: Kind, handler: Handler) -> Self
    where
        S::Output: Output,
    {
        let input = Type { optional: parse::<I>("{}").is_ok(), ..Type::of::<I>() };
        let output = Type::of::<S::Output>();
        let (path, caller, calls) = (S::PATH, K::NAME, Calls::new(S::PATH));
        let procedure = Procedure { path, kind, caller, input, output, handler, calls };
        self.insert(procedure);
        self
    }

    fn insert(&mut self, procedure: Procedure) {
        let path = procedure.path;
        let twice = self.procedures.insert(path, procedure);
        assert!(twice.is_none(), "the procedure {path} is declared twice");
    }

    #[must_use]
    pub fn merge(mut self, other: Router) -> Self {
        for procedure in other.procedures.into_values() {
            self.insert(procedure);
        }
        self
    }

    pub fn find(&self, path: &str) -> Option<&Procedure> {
        self.procedures.get(path)
    }

    /// All procedures, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Procedure> {
        self.procedures.values()
    }
}

/// A type of the API, as TypeScript and as JSON Schema.
#[derive(Clone, Copy)]
pub struct Type {
    pub name: fn(&Config) -> String,
    pub docs: fn() -> Option<String>,
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Whether the input may be left out, because every field of it may.
    pub optional: bool,
    declare: fn(&Config, &mut BTreeMap<String, String>),
}

impl Type {
    fn of<T: TS + JsonSchema + 'static>() -> Self {
        Type {
            name: T::name,
            docs: T::docs,
            schema: |generator| generator.subschema_for::<T>(),
            optional: false,
            declare: declare::<T>,
        }
    }

    /// Adds the TypeScript declaration of this type, and of all the types it uses, by name.
    pub fn declare(&self, config: &Config, into: &mut BTreeMap<String, String>) {
        (self.declare)(config, into);
    }
}

/// Runs a handler until its deadline, and turns its panic into an error.
async fn bounded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(CALL_DEADLINE, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(panicked(panic)),
        Err(_) => Err(Error::new(Code::Timeout, "The deadline of the call has passed.")),
    }
}

fn narrow<K: CallerKind>(call: Call) -> Result<Cx<K>> {
    Ok(Cx { app: call.app, caller: K::narrow(call.caller)?, request_id: call.request_id, key: None })
}

fn reply(value: &impl Serialize) -> Reply {
    to_raw_value(value).map_err(Error::internal)
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Error {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(format!("panic: {}", message.unwrap_or("without a message")))
}

#[cfg(test)]
mod tests;
