//! The procedures as jsonrpsee's methods.

use std::sync::Arc;

use jsonrpsee::{ConnectionId, Methods, RpcModule};
use jsonrpsee_types::ErrorObjectOwned;
use procedures::error::{Code, Error, Result};
use procedures::{Call, Router, describe};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error_object;
use crate::answer;
use crate::limits::MAX_ANSWER;

/// Methods do not keep state by connection.
pub const NO_CONNECTION: ConnectionId = ConnectionId(0);

/// One method a procedure, and `rpc.discover` (OpenRPC, section "Service Discovery Method").
pub fn table(router: Arc<Router>) -> Methods {
    let document = describe::openrpc(&router, env!("CARGO_PKG_VERSION"));
    let mut module = RpcModule::new((router.clone(), document));
    for procedure in router.iter() {
        // jsonrpsee keeps names for the life of the process, and so does the table.
        let path: &'static str = String::leak(procedure.path.clone());
        module
            .register_async_method(path, move |params, table, extensions| async move {
                let (router, _) = &*table;
                let called = router.find(path).zip(extensions.get::<Call>().cloned());
                let request_id =
                    called.as_ref().map_or_else(answer::request_id, |(_, call)| call.request_id.to_string());
                let reply = match called {
                    Some((procedure, call)) => {
                        let reply = procedure.call(call, params.as_str().unwrap_or("null")).await;
                        reply.and_then(small_enough)
                    }
                    None => Err(Error::internal("a method was called without its call")),
                };
                reply.map_err(|error| -> ErrorObjectOwned {
                    answer::log(&error, Some(path), &request_id);
                    error_object(&error, Some(path), &request_id)
                })
            })
            .expect("the router has each path once");
    }
    module
        .register_method("rpc.discover", |_, table, _| -> Result<Value, ErrorObjectOwned> {
            Ok(table.1.clone())
        })
        .expect("no procedure is called rpc.discover");
    module.into()
}

/// Pages are cut so that answers stay small; what is larger all the same is not sent.
fn small_enough(answer: Box<RawValue>) -> Result<Box<RawValue>> {
    match answer.get().len() {
        0..=MAX_ANSWER => Ok(answer),
        _ => {
            Err(Error::new(Code::PayloadTooLarge, "The answer is larger than 1 MiB; ask for a smaller page."))
        }
    }
}
