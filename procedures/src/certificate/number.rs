use std::fmt;
use std::str::FromStr;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use uuid::Uuid;

use crate::values::wire_string;

/// Digits that are not mistaken for one another when a number is read aloud or typed (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 24;
const GROUP: usize = 4;

/// What is printed on a certificate: 120 random bits, which nobody guesses, as `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`.
#[derive(AsExpression, Clone, Debug, FromSqlRow, PartialEq, Eq)]
#[diesel(sql_type = sql_types::Text)]
pub struct CertificateNumber(String);

impl CertificateNumber {
    pub(crate) fn random() -> Self {
        // Version 4 UUIDs have 122 random bits each; two of them leave no fixed bit in a digit.
        let (a, b) = (Uuid::new_v4().as_u128(), Uuid::new_v4().as_u128());
        let bits = (a & u128::from(u64::MAX)) << 64 ^ (b & u128::from(u64::MAX)) ^ (a >> 64);
        let digit = |place: usize| char::from(DIGITS[usize::try_from(bits >> (5 * place) & 31).unwrap_or(0)]);
        CertificateNumber(grouped((0..LENGTH).map(digit)))
    }
}

fn grouped(digits: impl Iterator<Item = char>) -> String {
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (place, digit) in digits.enumerate() {
        if place > 0 && place % GROUP == 0 {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for CertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for CertificateNumber {
    type Err = &'static str;

    /// Takes either case, hyphens and spaces anywhere, and the letters that are read for digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |c: char| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let digits = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(digit);
        let known = |c: char| u8::try_from(c).is_ok_and(|c| DIGITS.contains(&c));
        match digits.clone().take(LENGTH + 1).count() == LENGTH && digits.clone().all(known) {
            true => Ok(CertificateNumber(grouped(digits))),
            false => Err("not a certificate's number"),
        }
    }
}
wire_string!(for CertificateNumber, name: "CertificateNumber",
    doc: "What is printed on a certificate: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`.", schema: {});

impl<DB: Backend> ToSql<sql_types::Text, DB> for CertificateNumber
where
    String: ToSql<sql_types::Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}
impl<DB: Backend> FromSql<sql_types::Text, DB> for CertificateNumber
where
    String: FromSql<sql_types::Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        String::from_sql(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::CertificateNumber;

    #[test]
    fn every_digit_is_random() {
        let numbers: Vec<String> = (0..2_000).map(|_| CertificateNumber::random().to_string()).collect();
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
        for place in 0..numbers[0].len() {
            let seen: BTreeSet<u8> = numbers.iter().map(|number| number.as_bytes()[place]).collect();
            assert_eq!(seen.len(), if place % 5 == 4 { 1 } else { 32 }, "place {place}");
        }
    }

    #[test]
    fn as_people_type_it() {
        let number = CertificateNumber::random();
        let typed = number.to_string().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(typed.parse(), Ok(number));
        for text in ["", "0000-0000", "0000-0000-0000-0000-0000-000U", "0000-0000-0000-0000-0000-0000-0"] {
            assert!(text.parse::<CertificateNumber>().is_err(), "{text}");
        }
    }
}
