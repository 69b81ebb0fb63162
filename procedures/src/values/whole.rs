use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::{Config, TS};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Whole<const MIN: i32, const MAX: i32>(i32);

/// Seats of a course.
pub type Capacity = Whole<0, 1_000_000_000>;
/// Days of access, or of a certificate's validity: at most a hundred years.
pub type Days = Whole<0, 36_500>;
/// How many days before an end a reminder of it is due.
pub type LeadDays = Whole<1, 365>;
/// A module's place in its course, from 1.
pub type Position = Whole<1, 1_000_000>;
/// The version of a thing that was read.
pub type Version = Whole<1, { i32::MAX }>;

impl<const MIN: i32, const MAX: i32> Whole<MIN, MAX> {
    pub fn get(self) -> i32 {
        self.0
    }
}
impl<'de, const MIN: i32, const MAX: i32> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match i32::try_from(number) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            Ok(_) | Err(_) => {
                Err(serde::de::Error::custom(format_args!("not a whole number from {MIN} to {MAX}")))
            }
        }
    }
}
impl<const MIN: i32, const MAX: i32> TS for Whole<MIN, MAX> {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;
    fn name(_: &Config) -> String {
        "number".into()
    }
    fn inline(_: &Config) -> String {
        "number".into()
    }
}
impl<const MIN: i32, const MAX: i32> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Whole{MIN}To{MAX}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
