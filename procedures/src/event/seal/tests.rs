use std::collections::BTreeSet;

use uuid::Uuid;

use super::BEGINNING;
use super::store::StoredEvent;
use crate::values::{Id, Moment};

fn event() -> StoredEvent {
    StoredEvent {
        organization_id: Id::from(Uuid::from_u128(1)),
        number: 7,
        at: Moment::from_micros(1_772_359_200_123_456).unwrap(),
        kind: "enrolled".into(),
        course_id: Id::from(Uuid::from_u128(2)),
        enrollment_id: Id::from(Uuid::from_u128(3)),
        user_id: Id::from(Uuid::from_u128(4)),
        actor_kind: "user".into(),
        actor_id: Some(Id::from(Uuid::from_u128(5))),
        request_id: "a-request".into(),
        data: r#"{"status":"enrolled"}"#.into(),
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is sealed must fit its seals for ever. These were made by other means (Python's `hashlib` and `struct`).
#[test]
fn the_encoding_stays_as_it_is() {
    let first = event().digest(&BEGINNING);
    assert_eq!(hex(&first), "4c7a3ef59b436652e1acdb3b86c36ac157057fbe60dfb7ecb6237de3893b5a2f");
    let by_itself = StoredEvent { actor_id: None, ..event() };
    let second = by_itself.digest(&first);
    assert_eq!(hex(&second), "948d5b20aed3e66d2519fe902ccc1ea3be714fd78613ea89d2c72e580482cb22");
}

#[test]
fn every_field_and_what_came_before_count() {
    let (another, nobody) = (Uuid::from_u128(9), Some(Id::NIL));
    let later = Moment::from_micros(event().at.micros() + 1).unwrap();
    let rows = [
        event(),
        StoredEvent { organization_id: Id::from(another), ..event() },
        StoredEvent { number: 8, ..event() },
        StoredEvent { at: later, ..event() },
        StoredEvent { kind: "expired".into(), ..event() },
        StoredEvent { course_id: Id::from(another), ..event() },
        StoredEvent { enrollment_id: Id::from(another), ..event() },
        StoredEvent { user_id: Id::from(another), ..event() },
        StoredEvent { actor_kind: "service".into(), ..event() },
        StoredEvent { actor_id: Some(Id::from(another)), ..event() },
        StoredEvent { actor_id: nobody, ..event() },
        StoredEvent { actor_id: None, ..event() },
        StoredEvent { request_id: "another".into(), ..event() },
        StoredEvent { data: r#"{"status": "enrolled"}"#.into(), ..event() },
    ];
    let mut digests: BTreeSet<Vec<u8>> = rows.iter().map(|row| row.digest(&BEGINNING)).collect();
    digests.insert(event().digest(&[1; 32]));
    assert_eq!(digests.len(), rows.len() + 1);
}

#[test]
fn no_field_runs_into_the_next() {
    let of = |kind: &str, actor_kind: &str, request_id: &str, data: &str| {
        let (kind, actor_kind) = (kind.into(), actor_kind.into());
        let (request_id, data) = (request_id.into(), data.into());
        StoredEvent { kind, actor_kind, actor_id: None, request_id, data, ..event() }.digest(&BEGINNING)
    };
    let rows = [
        of("a", "b", "c", "d"),
        of("a", "b", "cd", ""),
        of("a", "b", "", "cd"),
        of("a", "", "bc", "d"),
        of("ab", "", "c", "d"),
        // What the field after it would begin with, had it one byte.
        of("a", "b", "c\u{1}\0\0\0\0\0\0\0\u{1}d", ""),
        of("a", "b\0", "c", "d"),
    ];
    assert_eq!(BTreeSet::from(rows.clone()).len(), rows.len());
}
