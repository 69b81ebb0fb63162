//! Keyset pages: a list is in the order of its rows' immutable keys, and a cursor is the last key seen, so a walk
//! neither skips nor repeats a row, whatever is inserted or changed meanwhile.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::limits::{DEFAULT_PAGE, MAX_PAGE, MAX_PAGE_TEXT};

/// How many rows a page has: 1 to 200, 50 unless told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(type = "number")]
pub struct Limit(u32);

impl Limit {
    pub const MAX: u32 = MAX_PAGE;

    /// One row more than the page has, which tells whether another page follows.
    pub(crate) fn with_lookahead(self) -> i64 {
        i64::from(self.0) + 1
    }
}
impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_PAGE)
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
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX, "default": DEFAULT_PAGE })
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
    pub(crate) fn of<K: fmt::Display>(items: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> Self {
        Self::within(items, limit, key, |_| 0)
    }

    /// The same of rows with free text, of which `text` says how many bytes: the page ends before it has more than
    /// [`MAX_PAGE_TEXT`], but has one row at the least.
    pub(crate) fn within<K: fmt::Display>(
        mut items: Vec<T>,
        limit: Limit,
        key: impl Fn(&T) -> K,
        text: impl Fn(&T) -> usize,
    ) -> Self {
        let mut room = MAX_PAGE_TEXT;
        let fits = |item: &&T| {
            let left = room.checked_sub(text(item));
            room = left.unwrap_or(0);
            left.is_some()
        };
        let fitting = items.iter().take_while(fits).count().max(1);
        let size = fitting.min(limit.0 as usize);
        let more = items.len() > size;
        items.truncate(size);
        let next_cursor = if more { items.last().map(|item| key(item).to_string()) } else { None };
        Page { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, MAX_PAGE_TEXT, Page};

    fn page(items: &[usize], text: impl Fn(&usize) -> usize) -> (Vec<usize>, Option<String>) {
        let Page { items, next_cursor } = Page::within(items.to_vec(), Limit(3), |item| *item, text);
        (items, next_cursor)
    }

    #[test]
    fn a_page_ends_at_its_limit() {
        assert_eq!(page(&[], |_| 0), (vec![], None));
        assert_eq!(page(&[1, 2, 3], |_| 0), (vec![1, 2, 3], None));
        assert_eq!(page(&[1, 2, 3, 4], |_| 0), (vec![1, 2, 3], Some("3".into())));
    }

    #[test]
    fn a_page_ends_before_it_has_too_much_text_but_has_a_row() {
        assert_eq!(page(&[1, 2, 3], |_| MAX_PAGE_TEXT / 2), (vec![1, 2], Some("2".into())));
        assert_eq!(page(&[1, 2, 3], |_| MAX_PAGE_TEXT * 2), (vec![1], Some("1".into())));
        assert_eq!(page(&[1], |_| MAX_PAGE_TEXT * 2), (vec![1], None));
    }
}
