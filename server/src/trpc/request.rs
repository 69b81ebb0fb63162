//! What a request over HTTP asks for: its paths and inputs, taken from the address and the body.

use std::borrow::Cow;
use std::collections::HashMap;

use http::Uri;
use procedures::error::{Code, Error, Result};
use serde_json::value::RawValue;

use crate::limits::MAX_BATCH;

/// One call, or a batch.
pub struct Asked {
    pub paths: Vec<String>,
    pub inputs: Inputs,
    pub is_batch: bool,
}

pub enum Inputs {
    /// One input, as JSON; none if the client's was undefined.
    Single(Option<String>),
    /// By place; a client leaves undefined ones out.
    Batch(HashMap<usize, Box<RawValue>>),
    /// A batch whose inputs are no object: each call is told so.
    Unreadable,
}

impl Asked {
    /// Reads the address, what stands behind `base` in it, and the body of a POST.
    pub fn read(uri: &Uri, base: &str, body: Option<Vec<u8>>) -> Result<Self> {
        let (paths, is_batch) = Asked::paths(uri, base);
        if paths.len() > MAX_BATCH {
            return Err(Error::invalid_input("", format!("not a batch of 1 to {MAX_BATCH} calls")));
        }
        let json = match body {
            Some(body) if body.is_empty() => None,
            Some(body) => Some(String::from_utf8(body).map_err(|_| not_json())?),
            None => Query::of(uri).get("input").map(Cow::into_owned),
        };
        if let Some(json) = &json {
            let _: &RawValue = serde_json::from_str(json).map_err(|_| not_json())?;
        }
        let inputs = match (is_batch, json) {
            (false, json) => Inputs::Single(json),
            (true, None) => Inputs::Batch(HashMap::new()),
            (true, Some(json)) => serde_json::from_str(&json).map_or(Inputs::Unreadable, Inputs::Batch),
        };
        Ok(Asked { paths, inputs, is_batch })
    }

    /// The paths of the calls, and whether they are a batch. No path has a comma in it, and some clients encode those
    /// between them.
    pub fn paths(uri: &Uri, base: &str) -> (Vec<String>, bool) {
        let path = decode(uri.path().strip_prefix(base).unwrap_or_default());
        match Query::of(uri).get("batch").as_deref() {
            Some("1") => (path.split(',').map(str::to_owned).collect(), true),
            Some(_) | None => (vec![path.into_owned()], false),
        }
    }

    /// The path, unless it is a batch.
    pub fn only_path(&self) -> Option<&str> {
        self.paths.first().filter(|_| !self.is_batch).map(String::as_str)
    }

    /// The input of the call at this place, as JSON.
    pub fn input(&self, place: usize) -> Result<&str> {
        match &self.inputs {
            Inputs::Single(json) => Ok(json.as_deref().unwrap_or("null")),
            Inputs::Batch(inputs) => Ok(inputs.get(&place).map_or("null", |json| json.get())),
            Inputs::Unreadable => {
                Err(Error::invalid_input("", "the inputs of a batch are not an object by place"))
            }
        }
    }
}

fn not_json() -> Error {
    Error::new(Code::ParseError, "The input is not valid JSON.")
}

/// The parameters of an address.
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub fn of(uri: &'a Uri) -> Self {
        Query(uri.query().unwrap_or_default())
    }

    /// The first parameter of this name, decoded.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| decode_form(value))
    }
}

fn decode_form(text: &str) -> Cow<'_, str> {
    if text.contains('+') { decode(&text.replace('+', " ")).into_owned().into() } else { decode(text) }
}

/// Percent-decoding (RFC 3986, section 2.1); bytes that are no UTF-8 become U+FFFD.
fn decode(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}
