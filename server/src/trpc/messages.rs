//! What a client says over a WebSocket: `{id, method, params}`, or an array of these.

use procedures::error::{Code, Error, Result};
use procedures::router::Kind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::subscriptions::{Place, Subscriptions};

/// One of the things said, with the id to answer it by, as JSON.
pub struct Entry {
    pub id: Option<String>,
    pub path: Option<String>,
    pub what: Result<What>,
}

pub enum What {
    /// The session, as `connectionParams` has it.
    Introduction(Option<Box<RawValue>>),
    Call(Wanted),
    /// A subscription, which has its place already.
    Subscription(Wanted, Place),
    /// Nothing that is still to be done.
    Done,
}

/// What a call, or a subscription, is of.
pub struct Wanted {
    pub kind: Kind,
    pub path: String,
    pub input: Option<Box<RawValue>>,
    pub last_event_id: Option<String>,
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(default)]
    id: Option<Box<RawValue>>,
    method: String,
    #[serde(default)]
    params: Option<Params>,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    path: String,
    #[serde(default)]
    input: Option<Box<RawValue>>,
    #[serde(default)]
    last_event_id: Option<String>,
}

/// How many things a message says.
pub fn count(message: &[u8]) -> usize {
    match message.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice::<Vec<&RawValue>>(message).map_or(1, |entries| entries.len()),
        Some(_) | None => 1,
    }
}

/// Reads a message; subscriptions are begun and stopped in the order in which they are said.
pub fn read(message: &str, live: &Subscriptions) -> Result<Vec<Entry>> {
    let entries: serde_json::Result<Vec<&RawValue>> = match message.trim_start().starts_with('[') {
        true => serde_json::from_str(message),
        false => serde_json::from_str(message).map(|entry| vec![entry]),
    };
    match entries {
        Ok(entries) if !entries.is_empty() => {
            Ok(entries.into_iter().map(|entry| Entry::read(entry.get(), live)).collect())
        }
        Ok(_) => Err(Error::invalid_input("", "no calls")),
        Err(_) => Err(Error::new(Code::ParseError, "The message is not valid JSON.")),
    }
}

impl Entry {
    fn read(entry: &str, live: &Subscriptions) -> Self {
        let Ok(Incoming { id, method, params, data }) = serde_json::from_str::<Incoming>(entry) else {
            let what = Err(Error::invalid_input("", "not a message of tRPC's"));
            return Entry { id: None, path: None, what };
        };
        let id = id.map(|id| id.get().to_owned()).filter(|id| is_id(id));
        let path = params.as_ref().map(|params| params.path.clone());
        let what = What::of(&method, id.as_deref(), params, data, live);
        Entry { id, path, what }
    }
}

impl What {
    fn of(
        method: &str,
        id: Option<&str>,
        params: Option<Params>,
        data: Option<Box<RawValue>>,
        live: &Subscriptions,
    ) -> Result<Self> {
        let kind = match method {
            "query" => Kind::Query,
            "mutation" => Kind::Mutation,
            "subscription" => Kind::Subscription,
            "connectionParams" => return Ok(What::Introduction(data)),
            "subscription.stop" => {
                // Of one that is unknown, nothing is said.
                id.into_iter().for_each(|id| live.stop(id));
                return Ok(What::Done);
            }
            _ => return Err(Error::invalid_input("method", "not a method of tRPC's")),
        };
        let (Some(id), Some(Params { path, input, last_event_id })) = (id, params) else {
            return Err(Error::invalid_input("", "id or params missing"));
        };
        let wanted = Wanted { kind, path, input, last_event_id };
        match kind {
            Kind::Query | Kind::Mutation => Ok(What::Call(wanted)),
            Kind::Subscription => Ok(What::Subscription(wanted, live.begin(id)?)),
        }
    }
}

impl Wanted {
    /// The input as JSON.
    pub fn input(&self) -> &str {
        self.input.as_deref().map_or("null", RawValue::get)
    }
}

/// tRPC's ids are numbers, or strings.
fn is_id(id: &str) -> bool {
    id.starts_with('"') || id.bytes().all(|byte| byte.is_ascii_digit())
}
