//! Keyset pages: a list is in the order of its rows' immutable keys, and a cursor is the last key seen, so a walk
//! neither skips nor repeats a row, whatever is inserted or changed meanwhile.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

/// How many rows a page has: 1 to 200, 50 unless told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(type = "number")]
pub struct Limit(u32);

impl Limit {
    pub const MAX: u32 = 200;

    /// One row more than the page has, which tells whether another page follows.
    pub(crate) fn with_lookahead(self) -> i64 {
        i64::from(self.0) + 1
    }
}
impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}
impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            limit @ 1..=Self::MAX => Ok(Self(limit)),
            _ => Err(serde::de::Error::custom(format_args!("not a number from 1 to {}", Self::MAX))),
        }
    }
}
impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX, "default": 50 })
    }
}

/// The place after which the next page begins; opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<K>(pub K);

impl<K: fmt::Display> Serialize for Cursor<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
impl<'de, K: FromStr> Deserialize<'de> for Cursor<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Cursor).map_err(|_| serde::de::Error::custom("not a cursor of this list"))
    }
}
impl<K> TS for Cursor<K> {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;
    fn name(_: &ts_rs::Config) -> String {
        "string".into()
    }
    fn inline(_: &ts_rs::Config) -> String {
        "string".into()
    }
}
impl<K> JsonSchema for Cursor<K> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cursor".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// One page of a list; `nextCursor` is null on the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows that were asked for [with one to spare](Limit::with_lookahead).
    pub(crate) fn of<K: fmt::Display>(mut items: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> Self {
        let size = limit.0 as usize;
        let more = items.len() > size;
        items.truncate(size);
        let next_cursor = if more { items.last().map(|item| key(item).to_string()) } else { None };
        Page { items, next_cursor }
    }
}
