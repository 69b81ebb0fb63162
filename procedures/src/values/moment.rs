use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Datelike, Days, SecondsFormat, TimeDelta, TimeZone, Timelike, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types;
use diesel::sqlite::Sqlite;

use crate::db::types::Instant;

/// A moment in UTC, to the microsecond both databases keep; RFC 3339 with `Z` in JSON.
#[derive(AsExpression, Clone, Copy, FromSqlRow, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[diesel(sql_type = Instant)]
pub struct Moment(DateTime<Utc>);

impl Moment {
    /// Before everything that is ever recorded.
    pub const EPOCH: Self = Moment(DateTime::UNIX_EPOCH);

    /// The system's clock. Only [`crate::clock::Clock`] asks it; everything else is told the time.
    pub(crate) fn system() -> Self {
        Self::truncated(Utc::now())
    }

    pub fn from_micros(micros: i64) -> Option<Self> {
        Utc.timestamp_micros(micros).single().map(Moment)
    }

    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Seconds since 1970, as JWTs count them.
    pub fn unix_seconds(self) -> i64 {
        self.0.timestamp()
    }

    pub fn plus(self, duration: Duration) -> Self {
        let delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        Self(self.0.checked_add_signed(delta).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    pub fn minus(self, duration: Duration) -> Self {
        let delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        Self(self.0.checked_sub_signed(delta).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }

    /// The same time of day in UTC, so many days later.
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.checked_add_days(Days::new(days.into())).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    fn truncated(at: DateTime<Utc>) -> Self {
        // A moment of the years 0 to 9999 always has its microseconds in an i64.
        Self::from_micros(at.timestamp_micros()).unwrap_or(Self::EPOCH)
    }
}

impl fmt::Display for Moment {
    /// By hand, since a page of a roster has hundreds of moments, and chrono allocates for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.0;
        let Ok(year @ 0..=9999) = u32::try_from(at.year()) else {
            return f.write_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true));
        };
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        for (place, number) in [
            (0..4, year),
            (5..7, at.month()),
            (8..10, at.day()),
            (11..13, at.hour()),
            (14..16, at.minute()),
            (17..19, at.second()),
            (20..26, at.timestamp_subsec_micros()),
        ] {
            let mut rest = number;
            for digit in text[place].iter_mut().rev() {
                *digit += (rest % 10) as u8;
                rest /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}
impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Moment {
    type Err = &'static str;

    /// Takes RFC 3339 with any offset and keeps it in UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| "not a moment in RFC 3339")?.to_utc();
        if !(1970..=9999).contains(&at.year()) {
            return Err("not a moment of the years 1970 to 9999");
        }
        Ok(Self::truncated(at))
    }
}

super::wire_string!(for Moment, name: "Moment", doc: "A moment in UTC, RFC 3339 with `Z`.",
    schema: { "format": "date-time" });

impl ToSql<Instant, Pg> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Timestamptz, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<Instant, Pg> for Moment {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Timestamptz, Pg>::from_sql(value).map(Moment)
    }
}
impl ToSql<Instant, Sqlite> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, Sqlite> for Moment {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<sql_types::BigInt, Sqlite>>::from_sql(value)?;
        Moment::from_micros(micros).ok_or_else(|| "moment out of range".into())
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::Moment;

    #[test]
    fn keeps_microseconds_and_writes_utc() {
        let moment: Moment = "2026-03-01T12:00:00.123456789+02:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-03-01T10:00:00.123456Z");
    }

    #[test]
    fn is_written_as_chrono_does() {
        for (place, day) in (0..2_932_896).step_by(613).enumerate() {
            let micros =
                day * 86_400_000_000 + i64::try_from(place).unwrap() * 7_777_777_777 % 86_400_000_000;
            let moment = Moment::from_micros(micros).unwrap();
            assert_eq!(moment.to_string(), moment.0.to_rfc3339_opts(SecondsFormat::Micros, true));
        }
    }

    #[test]
    fn refuses_what_rfc_3339_or_the_range_does_not_allow() {
        for text in ["2026-03-01", "yesterday", "1969-12-31T23:59:59Z", "+10000-01-01T00:00:00Z"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
