//! tRPC v11 at `/trpc`, as the unmodified official client speaks it: single calls, batches, streamed batches (JSON
//! lines), subscriptions by server-sent events, and everything over a WebSocket.

mod events;
mod http;
mod lines;
mod messages;
mod request;
mod socket;
mod subscriptions;

use std::sync::Arc;

use procedures::error::{Code, Error, Result};
use procedures::router::Kind;
use procedures::{App, Call, Caller, ErrorShape, Procedure, Router};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::answer;
use crate::auth::Authenticator;
pub use http::handle;
pub use socket::upgrade;

/// The tRPC wire.
#[derive(Clone)]
pub struct Endpoint {
    app: Arc<App>,
    pub(crate) authenticator: Arc<Authenticator>,
    router: Arc<Router>,
    /// Ends what would go on for ever, when the server is to stop.
    stopping: CancellationToken,
}

/// `{"result":{"data":…}}` or `{"error":…}`.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Envelope {
    Result { data: Box<RawValue> },
    Error(ErrorShape),
}

impl Endpoint {
    pub fn new(
        app: Arc<App>,
        authenticator: Arc<Authenticator>,
        router: Arc<Router>,
        stopping: CancellationToken,
    ) -> Self {
        Endpoint { app, authenticator, router, stopping }
    }

    fn find(&self, path: &str) -> Result<&Procedure> {
        self.router.find(path).ok_or_else(|| Error::new(Code::NotFound, "No such procedure."))
    }

    /// A procedure of this kind; one of another is none.
    fn find_kind(&self, path: &str, kind: Kind) -> Result<&Procedure> {
        let procedure = self.find(path)?;
        match procedure.kind == kind {
            true => Ok(procedure),
            false => Err(Error::new(Code::NotFound, "No such procedure.")),
        }
    }

    fn call(&self, caller: &Caller, request_id: &Arc<str>) -> Call {
        Call { app: self.app.clone(), caller: caller.clone(), request_id: request_id.clone() }
    }

    /// Answers one call of a kind that the request may make.
    async fn answer(
        &self,
        path: &str,
        input: Result<&str>,
        allowed: impl Fn(Kind) -> Result<()>,
        call: Call,
    ) -> Result<Box<RawValue>> {
        let procedure = self.find(path)?;
        allowed(procedure.kind)?;
        answer::small_enough(procedure.kind, procedure.call(call, input?).await?)
    }
}

fn shape(error: &Error, path: Option<&str>, request_id: &str) -> ErrorShape {
    answer::log(error, path, request_id);
    error.shape(path, request_id)
}
