//! The envelope of JSON-RPC 2.0 (sections 4 and 6), read without touching what it carries.

use std::borrow::Cow;

use jsonrpsee_types::{Id, Params};
use procedures::error::{Code, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::limits::MAX_BATCH;

/// One call, or a notification, which has no id.
#[derive(Debug)]
pub struct Envelope<'a> {
    pub id: Option<Id<'a>>,
    pub method: Cow<'a, str>,
    params: Option<&'a RawValue>,
}

/// What a client sends at once. An entry that is no valid request is answered by itself.
pub enum Message<'a> {
    Single(Result<Envelope<'a>, Error>),
    Batch(Vec<Result<Envelope<'a>, Error>>),
}

#[derive(Deserialize)]
#[serde(expecting = "a request object")]
struct Members<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// A member that is there is not absent, even if it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Message<'a> {
    /// Not JSON is PARSE_ERROR; JSON that is neither an object nor an array of 1 to [`MAX_BATCH`] entries is BAD_REQUEST.
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let json: &RawValue = serde_json::from_slice(message)
            .map_err(|_| Error::new(Code::ParseError, "The message is not valid JSON."))?;
        let json = json.get();
        match json.as_bytes().first() {
            Some(b'{') => Ok(Message::Single(Envelope::parse(json))),
            Some(b'[') => {
                let entries: Vec<&RawValue> = serde_json::from_str(json).map_err(Error::internal)?;
                if !(1..=MAX_BATCH).contains(&entries.len()) {
                    return Err(invalid(&format!("not a batch of 1 to {MAX_BATCH} calls")));
                }
                Ok(Message::Batch(entries.into_iter().map(|entry| Envelope::parse(entry.get())).collect()))
            }
            _ => Err(invalid("neither an object nor an array")),
        }
    }

    /// How many calls it makes.
    pub fn calls(&self) -> usize {
        match self {
            Message::Single(_) => 1,
            Message::Batch(entries) => entries.len(),
        }
    }

    /// The id and the method of a single call, as far as there are any.
    pub fn names(&self) -> (Id<'a>, Option<Cow<'a, str>>) {
        match self {
            Message::Single(Ok(Envelope { id, method, .. })) => {
                (id.clone().unwrap_or(Id::Null), Some(method.clone()))
            }
            Message::Single(Err(_)) | Message::Batch(_) => (Id::Null, None),
        }
    }
}

/// How many calls a message makes; one that will be refused as a whole counts as one.
pub fn calls_in(message: &[u8]) -> usize {
    if message.trim_ascii_start().first() != Some(&b'[') {
        return 1;
    }
    let entries = serde_json::from_slice::<Vec<&RawValue>>(message).map_or(1, |entries| entries.len());
    if (1..=MAX_BATCH).contains(&entries) { entries } else { 1 }
}

impl<'a> Envelope<'a> {
    fn parse(json: &'a str) -> Result<Self, Error> {
        let members: Members<'a> = serde_json::from_str(json).map_err(|error| {
            let problem = error.to_string();
            let problem = problem.rsplit_once(" at line ").map_or(problem.as_str(), |(problem, _)| problem);
            invalid(problem)
        })?;
        if members.jsonrpc != "2.0" {
            return Err(invalid("jsonrpc is not \"2.0\""));
        }
        let id = match members.id {
            None => None,
            Some(id) => Some(
                serde_json::from_str::<Id<'a>>(id.get())
                    .map_err(|_| invalid("the id is neither a string, a whole number from 0 on, nor null"))?,
            ),
        };
        Ok(Envelope { id, method: members.method, params: members.params })
    }

    /// The input of a procedure: `params` itself, or the one element of an array, as positional clients send it.
    pub fn input(&self) -> Result<Params<'static>, Error> {
        let Some(params) = self.params.map(RawValue::get) else { return Ok(Params::new(None)) };
        let input = match params.as_bytes().first() {
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(params).map_err(Error::internal)?;
                match elements.as_slice() {
                    [] => "null",
                    [input] if input.get().starts_with('{') || input.get() == "null" => input.get(),
                    [_] => return Err(invalid("the element of params is no object")),
                    _ => return Err(invalid("params has more than one element")),
                }
            }
            Some(b'{') => params,
            _ => return Err(invalid("params is neither an object nor an array")),
        };
        Ok(Params::new(Some(input)).into_owned())
    }

    /// The parameters as they are: what stops a subscription takes its id, `[id]`.
    pub fn as_sent(&self) -> Params<'static> {
        Params::new(self.params.map(RawValue::get)).into_owned()
    }
}

fn invalid(problem: &str) -> Error {
    Error::invalid_input("", problem.chars().take(300).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{Id, Message, calls_in};
    use procedures::error::Code;

    fn single(json: &str) -> Result<(Option<Id<'_>>, Option<String>), Code> {
        match Message::parse(json.as_bytes()).map_err(|error| error.code())? {
            Message::Single(entry) => {
                let entry = entry.map_err(|error| error.code())?;
                let params = entry.input().map_err(|error| error.code())?;
                Ok((entry.id, params.as_str().map(str::to_owned)))
            }
            Message::Batch(_) => panic!("a batch"),
        }
    }

    #[test]
    fn ids() {
        let with = |id: &str| format!(r#"{{"jsonrpc":"2.0","method":"a.b","id":{id}}}"#);
        assert_eq!(single(&with("7")).unwrap().0, Some(Id::Number(7)));
        assert_eq!(single(&with("\"x\"")).unwrap().0, Some(Id::Str("x".into())));
        assert_eq!(single(&with("null")).unwrap().0, Some(Id::Null));
        assert_eq!(single(r#"{"jsonrpc":"2.0","method":"a.b"}"#).unwrap().0, None);
        for malformed in ["1.5", "-1", "true", "{}", "[1]", "1e3", "99999999999999999999"] {
            assert_eq!(single(&with(malformed)), Err(Code::BadRequest), "{malformed}");
        }
    }

    #[test]
    fn calls() {
        for (message, calls) in [("{}", 1), ("[1, {}, []]", 3), (" [[],[]]", 2), ("[]", 1), ("[1,", 1)] {
            assert_eq!(calls_in(message.as_bytes()), calls, "{message}");
        }
        assert_eq!(calls_in(format!("[{}1]", "1,".repeat(30)).as_bytes()), 1);
    }

    #[test]
    fn params() {
        let with = |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"a.b","id":1,"params":{params}}}"#);
        assert_eq!(single(&with(r#"{"a":1}"#)).unwrap().1.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(single(&with(r#"[{"a":1}]"#)).unwrap().1.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(single(&with("[]")).unwrap().1.as_deref(), Some("null"));
        assert_eq!(single(&with("null")).unwrap().1, None);
        for malformed in ["1", "\"x\"", "[1,2]", "[1]", "[[]]", "[{},{}]"] {
            assert_eq!(single(&with(malformed)), Err(Code::BadRequest), "{malformed}");
        }
    }

    #[test]
    fn what_is_no_request() {
        for not_json in ["", "{", "{\"a\":1}x", "\u{0}"] {
            assert_eq!(single(not_json), Err(Code::ParseError), "{not_json}");
        }
        let others = [
            "1",
            "\"x\"",
            "null",
            "{}",
            r#"{"jsonrpc":"1.0","method":"a","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","method":1,"id":1}"#,
            r#"{"jsonrpc":"2.0","method":"a","id":1,"id":2}"#,
        ];
        for other in others {
            assert_eq!(single(other), Err(Code::BadRequest), "{other}");
        }
    }
}
