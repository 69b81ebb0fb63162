//! The procedures as jsonrpsee's methods.

use std::sync::Arc;

use futures_util::StreamExt;
use jsonrpsee::core::{SubscriptionError, to_json_raw_value};
use jsonrpsee::{Extensions, MethodSink, Methods, PendingSubscriptionSink, RpcModule, SubscriptionMessage};
use jsonrpsee_types::response::{SubscriptionError as SubscriptionFailed, SubscriptionPayloadError};
use jsonrpsee_types::{ErrorObjectOwned, Params};
use procedures::caller::Session;
use procedures::error::{Error, Result};
use procedures::router::{Begun, Kind};
use procedures::{Call, Procedure, Router, describe};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error_object;
use crate::answer;
use crate::answer::small_enough;
use crate::auth::is_end_of_session;
use crate::websocket::Outbox;

/// What the methods share: the procedures, and their description.
struct Table {
    router: Arc<Router>,
    document: Value,
}

/// What is behind a subscription.
#[derive(Clone)]
pub struct Behind {
    pub session: Arc<dyn Session>,
    pub sink: MethodSink,
    pub outbox: Outbox,
}

/// One method a procedure, `….stop` for a subscription, and `rpc.discover` (OpenRPC, section "Service Discovery
/// Method").
pub fn table(router: &Arc<Router>) -> Methods {
    let document = describe::openrpc(router, env!("CARGO_PKG_VERSION"));
    let mut module = RpcModule::new(Table { router: router.clone(), document });
    for procedure in router.iter() {
        let path = procedure.path;
        match procedure.kind {
            Kind::Query | Kind::Mutation => {
                let method =
                    module.register_async_method(path, move |params, table, extensions| async move {
                        answer(&table, path, &params, &extensions).await
                    });
                method.expect("the router has each path once");
            }
            Kind::Subscription => {
                // jsonrpsee keeps names for the life of the process.
                let stop: &'static str = String::leak(format!("{path}.stop"));
                let method = module.register_subscription(
                    path,
                    path,
                    stop,
                    move |params, pending, table, extensions| async move {
                        follow(&table, path, &params, pending, &extensions).await
                    },
                );
                method.expect("the router has each path once");
            }
        }
    }
    module
        .register_method("rpc.discover", |_, table, _| -> Result<Value, ErrorObjectOwned> {
            Ok(table.document.clone())
        })
        .expect("no procedure is called rpc.discover");
    module.into()
}

/// A method's procedure, and the call that the endpoint put beside it.
fn called<'t>(table: &'t Table, path: &str, extensions: &Extensions) -> Result<(&'t Procedure, Call)> {
    let called = table.router.find(path).zip(extensions.get::<Call>().cloned());
    called.ok_or_else(|| Error::internal("a method was called without its call"))
}

fn input<'p>(params: &'p Params<'_>) -> &'p str {
    params.as_str().unwrap_or("null")
}

async fn answer(
    table: &Table,
    path: &str,
    params: &Params<'_>,
    extensions: &Extensions,
) -> Result<Box<RawValue>, ErrorObjectOwned> {
    let (procedure, call) = called(table, path, extensions).map_err(|error| told(&error, path, "unknown"))?;
    let request_id = call.request_id.clone();
    let reply =
        procedure.call(call, input(params)).await.and_then(|answer| small_enough(procedure.kind, answer));
    reply.map_err(|error| told(&error, path, &request_id))
}

/// Sends a subscription's items until its client stops it or is gone, or it fails.
async fn follow(
    table: &Table,
    path: &'static str,
    params: &Params<'_>,
    pending: PendingSubscriptionSink,
    extensions: &Extensions,
) -> Result<(), SubscriptionError> {
    let begun = async {
        let (procedure, call) = called(table, path, extensions)?;
        let behind = extensions.get::<Behind>().cloned();
        let behind = behind.ok_or_else(|| Error::internal("a subscription without a session"))?;
        let Begun { items, .. } = procedure.subscribe(call, behind.session.clone(), input(params)).await?;
        Ok::<_, Error>((items, behind))
    };
    let request_id = extensions.get::<Call>().map(|call| call.request_id.clone()).unwrap_or_default();
    let (mut items, behind) = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            pending.reject(told(&error, path, &request_id)).await;
            return Ok(());
        }
    };
    // From here on, an error of ours would go out in jsonrpsee's own shape; there is none but that the client is gone.
    let Ok(sink) = pending.accept().await else { return Ok(()) };
    loop {
        let item = tokio::select! {
            () = sink.closed() => return Ok(()),
            item = items.next() => item,
        };
        match item {
            None => return Ok(()),
            Some(Ok(item)) => {
                let message =
                    SubscriptionMessage::new(sink.method_name(), sink.subscription_id(), &item.data);
                let Ok(message) = message else { return Ok(()) };
                if sink.send(message).await.is_err() {
                    return Ok(());
                }
            }
            Some(Err(error)) => {
                let payload = SubscriptionPayloadError {
                    subscription: sink.subscription_id(),
                    error: told(&error, path, &request_id),
                };
                let failed = SubscriptionFailed::new(path.into(), payload);
                if let Ok(failed) = to_json_raw_value(&failed) {
                    let _ = behind.sink.send(failed).await;
                }
                if is_end_of_session(&error) {
                    behind.outbox.end_session();
                }
                return Ok(());
            }
        }
    }
}

/// What the client is told of an error, whose cause is logged.
fn told(error: &Error, path: &str, request_id: &str) -> ErrorObjectOwned {
    answer::log(error, Some(path), request_id);
    error_object(error, Some(path), request_id)
}
