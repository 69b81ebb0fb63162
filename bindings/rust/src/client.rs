//! Calls over HTTP, or over one WebSocket.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use jsonrpsee_core::client::{ClientT, SubscriptionClientT};
use jsonrpsee_core::traits::ToRpcParams;
use jsonrpsee_http_client::HttpClientBuilder;
use jsonrpsee_ws_client::WsClientBuilder;
use procedures::router::{Mutation, Query, Signature};
use procedures::values::{IdempotencyKey, OrganizationId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use crate::refusal::CallError;
use crate::subscription::Subscription;

/// The header by which a global admin chooses the organization to act in.
const ORGANIZATION: HeaderName = HeaderName::from_static("x-rollbook-organization");

/// What a client presents with every call.
#[derive(Clone)]
pub struct Session {
    token: String,
    organization: Option<OrganizationId>,
}

impl Session {
    /// A service token (`rbs_…`), or a token of the organization's identity provider.
    pub fn bearing(token: impl Into<String>) -> Self {
        Session { token: token.into(), organization: None }
    }

    /// The organization to act in, for a global admin.
    #[must_use]
    pub fn choosing(self, organization: OrganizationId) -> Self {
        Session { organization: Some(organization), ..self }
    }

    fn headers(&self) -> Result<HeaderMap, CallError> {
        let mut token = HeaderValue::try_from(format!("Bearer {}", self.token))
            .map_err(|_| CallError::Unusable("the token cannot be sent in a header"))?;
        token.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, token)]);
        if let Some(organization) = self.organization {
            let organization = HeaderValue::try_from(organization.to_string())
                .map_err(|_| CallError::Unusable("the organization cannot be sent in a header"))?;
            headers.insert(ORGANIZATION, organization);
        }
        Ok(headers)
    }
}

impl fmt::Debug for Session {
    /// A token is its holder's; a log gets none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("organization", &self.organization).finish_non_exhaustive()
    }
}

/// The kinds of procedures that answer once: queries and mutations.
pub trait Callable {}
impl Callable for Query {}
impl Callable for Mutation {}

/// A client over one of jsonrpsee's transports.
#[derive(Debug)]
pub struct Client<T>(T);

/// Calls over HTTP, on connections kept alive. It is cheap to clone and needs no reconnecting.
pub type HttpClient = Client<jsonrpsee_http_client::HttpClient>;

/// Calls and subscriptions over one WebSocket, which the server checks the session of at every call. Once it is closed,
/// connect anew; a subscription then goes on after the last event seen.
pub type WsClient = Client<jsonrpsee_ws_client::WsClient>;

impl HttpClient {
    /// A client of the server at this base URL, such as `https://rollbook.example.com`. Nothing is sent yet.
    pub fn new(base: &str, session: &Session) -> Result<Self, CallError> {
        let builder = HttpClientBuilder::default().set_headers(session.headers()?);
        Ok(Client(builder.build(format!("{}/rpc", base.trim_end_matches('/')))?))
    }
}

impl Clone for HttpClient {
    fn clone(&self) -> Self {
        Client(self.0.clone())
    }
}

impl WsClient {
    /// Connects to the server at this base URL (`https://…` or `wss://…`; `http` or `ws` without encryption).
    pub async fn connect(base: &str, session: &Session) -> Result<Self, CallError> {
        let base = base.trim_end_matches('/');
        let address = match base.strip_prefix("http") {
            Some(rest) => format!("ws{rest}/rpc"),
            None => format!("{base}/rpc"),
        };
        let builder = WsClientBuilder::default().set_headers(session.headers()?);
        Ok(Client(builder.build(address).await?))
    }

    /// Whether calls can still be made.
    pub fn is_connected(&self) -> bool {
        self.0.is_connected()
    }
}

impl<T: ClientT + Sync> Client<T> {
    /// Calls a query or a mutation.
    pub async fn call<P>(&self, input: P::Input) -> Result<P::Output, CallError>
    where
        P: Signature<Kind: Callable, Input: Serialize, Output: DeserializeOwned>,
    {
        self.request(P::PATH, &input).await
    }

    /// Calls a mutation so that it can be repeated: the same key and input give the same answer for 24 hours, and
    /// change things once.
    pub async fn call_once<P>(&self, input: P::Input, key: &IdempotencyKey) -> Result<P::Output, CallError>
    where
        P: Signature<Kind = Mutation, Input: Serialize, Output: DeserializeOwned>,
    {
        #[derive(Serialize)]
        struct Keyed<'a, I> {
            #[serde(flatten)]
            input: I,
            #[serde(rename = "idempotencyKey")]
            key: &'a str,
        }
        self.request(P::PATH, &Keyed { input, key: key.as_str() }).await
    }

    async fn request<O: DeserializeOwned>(&self, path: &str, input: &impl Serialize) -> Result<O, CallError> {
        Ok(self.0.request(path, Params::of(input)?).await?)
    }
}

impl<T: SubscriptionClientT + Sync> Client<T> {
    /// Begins a subscription: what happens from the moment this answers is among its items.
    pub async fn subscribe<P>(&self, input: P::Input) -> Result<Subscription<P::Output>, CallError>
    where
        P: Signature<Kind = procedures::router::Subscription, Input: Serialize, Output: DeserializeOwned>,
    {
        let stop = format!("{}.stop", P::PATH);
        Ok(Subscription::new(self.0.subscribe(P::PATH, Params::of(&input)?, &stop).await?))
    }
}

/// An input as JSON-RPC's named parameters.
struct Params(Box<RawValue>);

impl Params {
    fn of(input: &impl Serialize) -> Result<Self, CallError> {
        Ok(Params(to_raw_value(input).map_err(jsonrpsee_core::client::Error::from)?))
    }
}

impl ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(Some(self.0))
    }
}
