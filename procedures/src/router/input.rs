//! From JSON to a typed input, with errors that name the field.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::error::{Error, Result};
use crate::limits::MAX_QUOTED;

/// For procedures without an input.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(deny_unknown_fields)]
#[ts(type = "Record<string, never>")]
pub struct NoInput {}

/// Reads an input; an absent one (`null`) is `{}`.
pub(super) fn parse<I: DeserializeOwned>(json: &str) -> Result<I> {
    let json = if json.trim() == "null" { "{}" } else { json };
    if json.trim_start().starts_with('[') {
        // Serde would take an array for the fields in their order.
        return Err(Error::invalid_input("", "invalid type: sequence, expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let input = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        invalid(&path, &error.into_inner().to_string())
    })?;
    deserializer.end().map_err(|error| invalid(".", &error.to_string()))?;
    Ok(input)
}

/// A list of objects. Serde would take an array for an object's fields in their order, so that a client's mistake could
/// pass for an input.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(object)| object).collect())
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Refuses a list that is empty, or names a thing twice.
pub(crate) fn each_once<T: PartialEq>(field: &str, named: &[T]) -> Result<()> {
    if named.is_empty() {
        return Err(Error::invalid_input(field, "empty"));
    }
    for (place, thing) in named.iter().enumerate() {
        if named[..place].contains(thing) {
            return Err(Error::invalid_input(format!("{field}[{place}]"), "named before"));
        }
    }
    Ok(())
}

/// Serde names an unknown, missing or repeated field in its message only; the path ends at the object that has it.
fn invalid(path: &str, message: &str) -> Error {
    let problem = message.rsplit_once(" at line ").map_or(message, |(problem, _)| problem);
    // What could not be followed any further stands as `.` or `?` at the path's end.
    let object = path.trim_end_matches(['.', '?']);
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| problem.strip_prefix(start))
        .and_then(|rest| rest.split_once('`'))
        .map(|(field, _)| field);
    let field = match (object, named) {
        (object, None) => object.to_owned(),
        ("", Some(field)) => field.to_owned(),
        // An unknown field's own name may be on the path already.
        (object, Some(field)) if object == field || object.ends_with(&format!(".{field}")) => {
            object.to_owned()
        }
        (object, Some(field)) => format!("{object}.{field}"),
    };
    // A client may send field names and enum values of any length; the answer stays small.
    let shortened = |text: &str| text.chars().take(MAX_QUOTED).collect::<String>();
    Error::invalid_input(shortened(&field), shortened(problem))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::error::{Code, Reason};
    use crate::idempotency::KeyedInput;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Item {
        course_id: crate::values::CourseId,
    }
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        #[serde(deserialize_with = "super::objects")]
        items: Vec<Item>,
    }

    fn field(json: &str) -> (String, String) {
        match parse::<KeyedInput<Input>>(json).unwrap_err().reason() {
            Some(Reason::InvalidInput { field, problem }) => (field.clone(), problem.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_name_the_field() {
        let id = r#"{"courseId":"019a0000-0000-7000-8000-000000000000"}"#;
        assert_eq!(
            field(&format!(r#"{{"items":[{id},{{"courseId":"x"}}]}}"#)),
            ("items[1].courseId".into(), "not a UUID".into())
        );
        assert_eq!(field(r#"{"items":[{}]}"#).0, "items[0].courseId");
        let array = r#"{"items":[["019a0000-0000-7000-8000-000000000000"]]}"#;
        assert_eq!(field(array), ("items[0]".into(), "invalid type: sequence, expected an object".into()));
        assert_eq!(field(r#"{"items":[],"more":1}"#).0, "more");
        assert_eq!(field(r#"{"items":[],"idempotencyKey":""}"#).0, "idempotencyKey");
        assert_eq!(field(r#"{"items":[],"idempotencyKey":"a","idempotencyKey":"b"}"#).0, "idempotencyKey");
        assert_eq!(field("[]").0, "");
        assert_eq!(
            parse::<Item>(&format!("[{}]", r#""019a0000-0000-7000-8000-000000000000""#)).unwrap_err().code(),
            Code::BadRequest
        );
        assert_eq!(field("null").0, "items");
    }

    #[test]
    fn a_key_stands_beside_the_input() {
        let id = "019a0000-0000-7000-8000-000000000000";
        let json = format!(r#"{{"idempotencyKey":"k-1","items":[{{"courseId":"{id}"}}]}}"#);
        let parsed: KeyedInput<Input> = parse(&json).unwrap();
        assert_eq!(parsed.key.unwrap().as_str(), "k-1");
        assert_eq!(parsed.input.items[0].course_id.to_string(), id);
        assert!(parse::<KeyedInput<Input>>(r#"{"idempotencyKey":null,"items":[]}"#).unwrap().key.is_none());
    }
}
