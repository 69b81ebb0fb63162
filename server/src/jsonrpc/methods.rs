//! The procedures as jsonrpsee's methods.

use std::sync::Arc;

use jsonrpsee::{ConnectionId, Methods, RpcModule};
use jsonrpsee_types::ErrorObjectOwned;
use procedures::error::Error;
use procedures::{Call, Router, describe};
use serde_json::Value;

use super::error_object;
use crate::answer;

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
                    Some((procedure, call)) => procedure.call(call, params.as_str().unwrap_or("null")).await,
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
