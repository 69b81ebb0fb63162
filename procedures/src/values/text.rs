//! Texts with bounds, checked where they are parsed: an input type that holds one holds a valid one.

use std::fmt;
use std::str::FromStr;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;

use crate::limits::MAX_ISSUER;

/// A value that is a string in JSON and in TypeScript: `Display` writes it, `FromStr` reads it.
macro_rules! wire_string {
    (for $type:ty, $(where $($generic:ident : $bound:path),+;)? name: $name:expr, doc: $doc:expr, schema: $schema:tt) => {
        impl $(<$($generic: $bound),+>)? serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de $($(, $generic: $bound)+)?> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl $(<$($generic: $bound),+>)? ts_rs::TS for $type {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;
            fn docs() -> Option<String> {
                Some(format!("/**\n * {}\n */\n", $doc))
            }
            fn name(_: &ts_rs::Config) -> String {
                $name.into()
            }
            fn inline(_: &ts_rs::Config) -> String {
                "string".into()
            }
            fn decl(_: &ts_rs::Config) -> String {
                format!("type {} = string;", $name)
            }
            fn decl_concrete(config: &ts_rs::Config) -> String {
                Self::decl(config)
            }
            fn output_path() -> Option<std::path::PathBuf> {
                Some("router.ts".into())
            }
        }
        impl $(<$($generic: $bound),+>)? schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!($schema);
                schema.insert("type".into(), "string".into());
                schema.insert("description".into(), $doc.into());
                schema
            }
        }
    };
}
pub(crate) use wire_string;

/// A text of 1 to `MAX` characters, not blank, without control characters but tabs and line ends.
#[derive(AsExpression, Clone, FromSqlRow, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[diesel(sql_type = sql_types::Text)]
pub struct Text<const MAX: usize>(String);

/// The title of a course or module.
pub type Title = Text<200>;
/// The name of a person, an organization, a cohort.
pub type Name = Text<200>;
/// Why someone did a thing.
pub type ReasonText = Text<1_000>;
/// What coordinators write about an enrollment, and the description of a course.
pub type Notes = Text<10_000>;
/// What a list is searched for.
pub type Search = Text<200>;
/// A person's key at an identity provider (`sub`, OpenID Connect Core 1.0, section 2: at most 255 characters).
pub type ProviderSubject = Text<255>;
/// What names an identity provider (`iss`).
pub type Issuer = Text<MAX_ISSUER>;
/// Whom an identity provider's tokens are for (`aud`).
pub type Audience = Text<255>;
/// A name in what a token says.
pub type ClaimName = Text<255>;

impl<const MAX: usize> Text<MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}
impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("empty".into());
        }
        // U+0000 cannot be kept by PostgreSQL; the other control characters are six bytes each in JSON.
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err("contains a control character".into());
        }
        if text.len() > MAX && text.chars().count() > MAX {
            return Err(format!("longer than {MAX} characters"));
        }
        Ok(Self(text.to_owned()))
    }
}
impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<const MAX: usize> fmt::Debug for Text<MAX> {
    /// Names and notes are people's; a log gets only their length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}
impl<const MAX: usize> serde::Serialize for Text<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<'de, const MAX: usize> serde::Deserialize<'de> for Text<MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
impl<const MAX: usize> ts_rs::TS for Text<MAX> {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;
    fn name(_: &ts_rs::Config) -> String {
        "string".into()
    }
    fn inline(_: &ts_rs::Config) -> String {
        "string".into()
    }
}
impl<const MAX: usize> schemars::JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Text{MAX}").into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX })
    }
}
impl<DB: Backend, const MAX: usize> ToSql<sql_types::Text, DB> for Text<MAX>
where
    String: ToSql<sql_types::Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}
impl<DB: Backend, const MAX: usize> FromSql<sql_types::Text, DB> for Text<MAX>
where
    String: FromSql<sql_types::Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        String::from_sql(value).map(Self)
    }
}

/// A `TEXT` column of a type that wraps a string.
macro_rules! text_column {
    ($($type:ident),+) => { $(
        impl<DB: Backend> ToSql<sql_types::Text, DB> for $type
        where
            String: ToSql<sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }
        impl<DB: Backend> FromSql<sql_types::Text, DB> for $type
        where
            String: FromSql<sql_types::Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                String::from_sql(value).map(Self)
            }
        }
    )+ };
}
text_column!(Slug, Email, Secret);

/// What only its owner may learn: a private key, a token. It is written where that is the point, and never shown.
#[derive(AsExpression, Clone, FromSqlRow, PartialEq, Eq)]
#[diesel(sql_type = sql_types::Text)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: String) -> Self {
        Secret(secret)
    }

    /// The secret itself; look at what becomes of it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The short name of an organization, as it stands in addresses: `a`–`z`, `0`–`9` and inner hyphens, 1 to 63.
#[derive(AsExpression, Clone, FromSqlRow, PartialEq, Eq, Hash)]
#[diesel(sql_type = sql_types::Text)]
pub struct Slug(String);

impl FromStr for Slug {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let inner = !text.starts_with('-') && !text.ends_with('-');
        match (1..=63).contains(&text.len()) && known && inner {
            true => Ok(Self(text.to_owned())),
            false => Err("not 1 to 63 characters of a-z, 0-9 and inner hyphens"),
        }
    }
}
impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
wire_string!(for Slug, name: "Slug", doc: "`a`–`z`, `0`–`9` and inner hyphens, 1 to 63 characters.",
    schema: { "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" });
/// An e-mail address, as far as it can be told without sending to it; it never identifies anyone.
#[derive(AsExpression, Clone, FromSqlRow, PartialEq, Eq, Hash)]
#[diesel(sql_type = sql_types::Text)]
pub struct Email(String);
impl FromStr for Email {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        match text.rsplit_once('@') {
            Some((local, domain))
                if plain && text.len() <= 254 && !local.is_empty() && !domain.is_empty() =>
            {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err("not an e-mail address"),
        }
    }
}
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Email {
    /// An address is a person's; a log gets none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}
wire_string!(for Email, name: "Email", doc: "An e-mail address.", schema: { "format": "email", "maxLength": 254 });

/// What makes repeating a mutation safe: 1 to 255 visible ASCII characters of the client's choice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for IdempotencyKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            true => Ok(Self(text.to_owned())),
            false => Err("not 1 to 255 visible ASCII characters"),
        }
    }
}
impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
wire_string!(for IdempotencyKey, name: "IdempotencyKey",
    doc: "1 to 255 visible ASCII characters; the same key and input give the same answer for 24 hours.",
    schema: { "pattern": "^[!-~]{1,255}$" });

#[cfg(test)]
mod tests {
    use super::{IdempotencyKey, Slug, Text};

    #[test]
    fn a_text_is_bounded_in_characters() {
        assert!("äöü".parse::<Text<3>>().is_ok());
        for wrong in ["", "  ", "äöüß", "a\0b", "a\u{1}b"] {
            assert!(wrong.parse::<Text<3>>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn slugs_and_keys() {
        assert!("acme-2".parse::<Slug>().is_ok());
        for wrong in ["", "-a", "a-", "Acme", "a_b", &"a".repeat(64)] {
            assert!(wrong.parse::<Slug>().is_err(), "{wrong:?}");
        }
        for wrong in ["", "a b", "ä", "\u{7f}", &"k".repeat(256)] {
            assert!(wrong.parse::<IdempotencyKey>().is_err(), "{wrong:?}");
        }
    }
}
