//! What can go wrong with a call.

use http::StatusCode;
use jsonrpsee_client_transport::ws::WsHandshakeError;
use jsonrpsee_core::client::Error;
use procedures::error::{Code, ErrorData, Reason, Rule};
use serde_json::Value;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server's answer is an error.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// No answer, or none that can be read. Whether a mutation was made is not known: repeat it with its idempotency
    /// key.
    #[error("{0}")]
    Transport(Error),
    /// The subscription has ended without an error of its own: the connection was closed (a server that is stopping, a
    /// session that has ended), or its items were not taken fast enough. Go on after the last event seen.
    #[error("the subscription has ended: {0}")]
    Ended(&'static str),
    /// The client cannot be made of this.
    #[error("{0}")]
    Unusable(&'static str),
}

/// The server's error, typed: branch on `code` and `reason`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    /// The procedure, where the server got as far as knowing it.
    pub path: Option<String>,
    /// Names the request in the server's log; none if the request was refused before it was read.
    pub request_id: Option<String>,
    pub rule: Option<Rule>,
    pub reason: Option<Reason>,
}

impl CallError {
    /// Why the call was refused, if a reason was given.
    pub fn reason(&self) -> Option<&Reason> {
        self.refusal()?.reason.as_ref()
    }

    pub fn code(&self) -> Option<Code> {
        Some(self.refusal()?.code)
    }

    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            CallError::Refused(refusal) => Some(refusal),
            CallError::Transport(_) | CallError::Ended(_) | CallError::Unusable(_) => None,
        }
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        let refusal = match &error {
            Error::Call(object) => {
                let data = object.data().and_then(|data| serde_json::from_str(data.get()).ok());
                data.and_then(|data| Refusal::read(data, object.message()))
            }
            // A request that is refused as a whole: jsonrpsee keeps its status alone.
            Error::Transport(transport) => rejected(transport.as_ref()).and_then(Refusal::of_status),
            _ => None,
        };
        match refusal {
            Some(refusal) => CallError::Refused(Box::new(refusal)),
            None => CallError::Transport(error),
        }
    }
}

impl Refusal {
    /// Reads an error's data. A reason or a rule that this version does not know yet is left out.
    fn read(mut data: Value, message: &str) -> Option<Self> {
        let known = |data: &Value| serde_json::from_value::<ErrorData>(data.clone()).ok();
        let data = known(&data).or_else(|| {
            let fields = data.as_object_mut()?;
            fields.remove("reason");
            fields.remove("rule");
            known(&data)
        })?;
        Some(Refusal {
            code: data.code,
            message: message.to_owned(),
            path: data.path,
            request_id: Some(data.request_id),
            rule: data.rule,
            reason: data.reason,
        })
    }

    fn of_status(status: u16) -> Option<Self> {
        let code = Code::of_http_status(status)?;
        let message = StatusCode::from_u16(status).ok()?.canonical_reason()?.to_owned();
        Some(Refusal { code, message, path: None, request_id: None, rule: None, reason: None })
    }
}

/// The status of a refused request, or of a refused upgrade to a WebSocket.
fn rejected(transport: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<u16> {
    use jsonrpsee_http_client::transport::Error as HttpError;

    if let Some(HttpError::Rejected { status_code }) = transport.downcast_ref() {
        return Some(*status_code);
    }
    match transport.downcast_ref() {
        Some(WsHandshakeError::Rejected { status_code }) => Some(*status_code),
        Some(_) | None => None,
    }
}
