use std::fmt;

use bigdecimal::BigDecimal;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::data_types::PgNumeric;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types;
use diesel::sqlite::Sqlite;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::{Config, TS};

use crate::db::types::Hundredths;

/// A score from 0 to 100 with at most two decimals (rule `completion_score_range`), kept in hundredths.
#[derive(AsExpression, Clone, Copy, FromSqlRow, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[diesel(sql_type = Hundredths)]
pub struct Score(i64);

impl Score {
    pub const MAX: Score = Score(10_000);

    pub fn from_hundredths(hundredths: i64) -> Option<Self> {
        (0..=Self::MAX.0).contains(&hundredths).then_some(Score(hundredths))
    }

    fn as_number(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

impl fmt::Debug for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Score {
    /// Whole scores are written as integers, as JavaScript writes them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            (self.0 / 100).serialize(serializer)
        } else {
            self.as_number().serialize(serializer)
        }
    }
}
impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let hundredths = (number * 100.0).round();
        if !(0.0..=100.0).contains(&number) {
            return Err(de::Error::custom("not a number from 0 to 100"));
        }
        if (number * 100.0 - hundredths).abs() > 1e-6 {
            return Err(de::Error::custom("more than two decimals"));
        }
        Ok(Score(hundredths as i64))
    }
}
impl TS for Score {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;
    fn name(_: &Config) -> String {
        "number".into()
    }
    fn inline(_: &Config) -> String {
        "number".into()
    }
}
impl JsonSchema for Score {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Score".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 100, "multipleOf": 0.01 })
    }
}

impl ToSql<Hundredths, Pg> for Score {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let decimal = BigDecimal::new(self.0.into(), 2);
        ToSql::<sql_types::Numeric, Pg>::to_sql(&PgNumeric::from(&decimal), &mut out.reborrow())
    }
}
impl FromSql<Hundredths, Pg> for Score {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let decimal = <BigDecimal as FromSql<sql_types::Numeric, Pg>>::from_sql(value)?.with_scale(2);
        let hundredths = decimal.into_bigint_and_exponent().0.try_into()?;
        Score::from_hundredths(hundredths).ok_or_else(|| "score out of range".into())
    }
}
impl ToSql<Hundredths, Sqlite> for Score {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0);
        Ok(IsNull::No)
    }
}
impl FromSql<Hundredths, Sqlite> for Score {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let hundredths = <i64 as FromSql<sql_types::BigInt, Sqlite>>::from_sql(value)?;
        Score::from_hundredths(hundredths).ok_or_else(|| "score out of range".into())
    }
}

#[cfg(test)]
mod tests {
    use super::Score;

    #[test]
    fn reads_and_writes_two_decimals() {
        for text in ["0", "87.25", "100", "0.07", "29.99"] {
            let score: Score = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&score).unwrap(), text);
        }
    }

    #[test]
    fn completion_score_range() {
        for text in ["-0.01", "100.01", "12.345", "1e400", "\"50\"", "null"] {
            assert!(serde_json::from_str::<Score>(text).is_err(), "{text}");
        }
    }
}
