//! The log only grows, and its seals tell what was done to it all the same.

use std::sync::Arc;

use diesel::QueryableByName;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Binary};
use procedures::db::types::UuidKey;
use procedures::event::{Sealed, seal};
use procedures::values::OrganizationId;
use serde_json::{Value, json};
use tests::{Kind, World, expect, on_both};
use tokio::sync::Barrier;

use super::verify::{VERIFY, by, finds, first_event, last_number, report, with};
use super::{Planter, furnish};

on_both![
    events_and_seals_only_grow,
    an_event_that_was_altered,
    an_event_that_was_removed,
    events_that_were_swapped,
    a_seal_that_was_altered_or_removed,
    only_the_first_is_named,
    of_another_organization,
    chunk_after_chunk,
    what_is_not_sealed_yet,
    sealed_by_two_at_once,
];

const ALTERED: &str = "the event, its seal, or what came right before them is not what it was";
const REMOVED: &str = "the event was sealed, but is gone";
const UNSEALED: &str = "the event has no seal, though a later one has";

#[derive(Debug, PartialEq, QueryableByName)]
struct Seal {
    #[diesel(sql_type = UuidKey)]
    organization_id: OrganizationId,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
}

/// Every seal there is.
async fn seals(world: &World) -> Vec<Seal> {
    let mut connection = world.app.db.read().await.unwrap();
    let all = "SELECT organization_id, number, digest FROM event_seals ORDER BY organization_id, number";
    connection.load(diesel::sql_query(all)).await.unwrap()
}

/// A furnished world, its log sealed: the ids of the one event of `<loner in lone>`, and of the next event, which is
/// the first of `<gone in lone>`.
async fn furnish_sealed(world: &World) -> (String, String) {
    furnish(world).await;
    let all = usize::try_from(last_number(world).await).unwrap() + 1;
    assert_eq!(
        seal(&world.app).await.unwrap(),
        Sealed { events: all, more: false },
        "acme's, and globex's one"
    );
    let (loner, gone) =
        (first_event(world, "<loner in lone>").await, first_event(world, "<gone in lone>").await);
    assert_eq!(number(&loner) + 1, number(&gone));
    (loner, gone)
}

fn number(event: &str) -> u64 {
    event.parse().unwrap()
}

/// The seal of one of acme's events, as statements find it.
fn seal_of(event: &str) -> String {
    format!("event_seals WHERE organization_id = <acme> AND number = {}", number(event))
}

/// What is found of an event of someone's enrollment in `<lone>`.
fn at(person: &str, event: &str, problem: &str) -> Value {
    with(by(person, "lone", problem), "eventId", event)
}

async fn events_and_seals_only_grow(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    seal(&world.app).await.unwrap();
    let before = (world.contents().await, seals(&world).await);
    assert_eq!(before.1.len(), 1);
    let of_both = [
        ("events", "UPDATE events SET request_id = 'another'"),
        ("events", "UPDATE events SET number = number + 1"),
        ("events", "DELETE FROM events"),
        (
            "events",
            "INSERT INTO events SELECT * FROM events WHERE true \
             ON CONFLICT (organization_id, number) DO UPDATE SET request_id = 'another'",
        ),
        ("event_seals", "UPDATE event_seals SET number = number + 1"),
        ("event_seals", "DELETE FROM event_seals"),
        (
            "event_seals",
            "INSERT INTO event_seals SELECT * FROM event_seals WHERE true \
             ON CONFLICT (organization_id, number) DO UPDATE SET digest = excluded.digest",
        ),
    ];
    let of_one = match world.kind {
        Kind::Postgres => [("events", "TRUNCATE events CASCADE"), ("event_seals", "TRUNCATE event_seals")],
        Kind::Sqlite => [
            ("events", "REPLACE INTO events SELECT * FROM events"),
            ("event_seals", "REPLACE INTO event_seals SELECT * FROM event_seals"),
        ],
    };
    for (table, sql) in of_both.into_iter().chain(of_one) {
        let Err(Error::DatabaseError(kind, information)) = world.sql(sql).await else {
            panic!("{sql} was not refused");
        };
        let expected = match world.kind {
            Kind::Postgres => matches!(kind, DatabaseErrorKind::RestrictViolation),
            Kind::Sqlite => matches!(kind, DatabaseErrorKind::Unknown),
        };
        assert!(expected, "{sql}: {kind:?}");
        assert_eq!(information.message(), format!("{table} is append-only"), "{sql}");
    }
    assert_eq!((world.contents().await, seals(&world).await), before);
}

async fn an_event_that_was_altered(world: World) {
    let (event, _) = furnish_sealed(&world).await;
    let mut planter = Planter::new(&world).await;
    let later = match world.kind {
        Kind::Postgres => "at = at + interval '1 microsecond'",
        Kind::Sqlite => "at = at + 1",
    };
    let altered = json!({ "event_log_unaltered": [at("loner", &event, ALTERED)] });
    for change in [
        later,
        "actor_kind = 'service'",
        "actor_id = <peer>",
        "actor_id = NULL",
        "request_id = 'another'",
        "data = data || ' '",
    ] {
        let planted = format!("UPDATE events SET {change} WHERE enrollment_id = <loner in lone>");
        finds(&mut planter, &[&planted], altered.clone()).await;
    }

    let planted = "UPDATE events SET kind = 'unheard of' WHERE enrollment_id = <loner in lone>";
    let found = json!({
        "events_match_changes": [by("loner", "lone", "it is enrolled, but no event says so")],
        "event_log_unaltered": [at("loner", &event, ALTERED)],
    });
    finds(&mut planter, &[planted], found).await;
    finds(&mut planter, &[], json!({})).await;
}

async fn an_event_that_was_removed(world: World) {
    let (event, next) = furnish_sealed(&world).await;
    let mut planter = Planter::new(&world).await;
    let found = |misfit: Value| {
        json!({
            "events_match_changes": [
                by("loner", "lone", "changed 1 times by its version, 0 times by its events"),
                by("loner", "lone", "it is enrolled, but no event says so"),
                { "problem": "the event before this one is missing", "eventId": next },
            ],
            "event_log_unaltered": [misfit],
        })
    };
    let removed = "DELETE FROM events WHERE enrollment_id = <loner in lone>";
    let misfit = json!({ "problem": REMOVED, "eventId": event });
    finds(&mut planter, &[removed], found(misfit)).await;

    // Its seal with it: the next one does not fit what is before it now.
    let unsealed = format!("DELETE FROM {}", seal_of(&event));
    finds(&mut planter, &[removed, &unsealed], found(at("gone", &next, ALTERED))).await;
}

async fn events_that_were_swapped(world: World) {
    let (event, next) = furnish_sealed(&world).await;
    let mut planter = Planter::new(&world).await;
    let moved = |from: u64, to: u64| {
        format!("UPDATE events SET number = {to} WHERE organization_id = <acme> AND number = {from}")
    };
    let (one, other) = (number(&event), number(&next));
    let planted = [moved(one, 0), moved(other, one), moved(0, other)];
    let planted = planted.each_ref().map(String::as_str);
    let found = json!({ "event_log_unaltered": [at("gone", &event, ALTERED)] });
    finds(&mut planter, &planted, found).await;
}

async fn a_seal_that_was_altered_or_removed(world: World) {
    let (event, _) = furnish_sealed(&world).await;
    let mut planter = Planter::new(&world).await;
    let another = "(SELECT digest FROM event_seals WHERE organization_id = <acme> AND number = 1)";
    let seal = seal_of(&event);
    let altered = seal.replace("WHERE", &format!("SET digest = {another} WHERE"));
    for (planted, problem) in
        [(format!("UPDATE {altered}"), ALTERED), (format!("DELETE FROM {seal}"), UNSEALED)]
    {
        let found = json!({ "event_log_unaltered": [at("loner", &event, problem)] });
        finds(&mut planter, &[&planted], found).await;
    }
}

async fn only_the_first_is_named(world: World) {
    let (event, next) = furnish_sealed(&world).await;
    let mut planter = Planter::new(&world).await;
    let planted = [
        "UPDATE events SET request_id = 'another' WHERE enrollment_id = <gone in lone>",
        "UPDATE events SET request_id = 'another' WHERE enrollment_id = <loner in lone>",
        &format!("DELETE FROM {}", seal_of(&next)),
    ];
    let found = json!({ "event_log_unaltered": [at("loner", &event, ALTERED)] });
    finds(&mut planter, &planted, found).await;
}

async fn of_another_organization(world: World) {
    furnish_sealed(&world).await;
    let mut planter = Planter::new(&world).await;
    planter.plant(&["UPDATE events SET request_id = 'another' WHERE organization_id = <globex>"]).await;
    expect(&world.ok(&world.acme.admin, VERIFY, json!({})).await, &report(&json!({})));
    let violation = json!({
        "problem": ALTERED,
        "courseId": "<globex course>",
        "enrollmentId": "<globex enrollment>",
        "userId": "<globex learner>",
        "eventId": "0000000000000001",
    });
    let mut expected = report(&json!({ "event_log_unaltered": [violation] }));
    expected["checks"][9]["violations"][0]["organizationId"] = "<globex>".into();
    expect(&world.ok(&world.globex.admin, VERIFY, json!({})).await, &expected);
}

/// A step seals 1000 events of an organization, and so many are compared at once.
async fn chunk_after_chunk(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let mut planter = Planter::new(&world).await;
    let many = "INSERT INTO events (organization_id, number, at, kind, course_id, enrollment_id, user_id, \
                actor_kind, actor_id, request_id, data) \
                WITH RECURSIVE later (number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM later \
                WHERE 2500 > number) \
                SELECT one.organization_id, later.number, one.at, one.kind, one.course_id, one.enrollment_id, \
                one.user_id, one.actor_kind, one.actor_id, one.request_id, one.data \
                FROM events AS one CROSS JOIN later WHERE one.organization_id = <acme> AND one.number = 1";
    let head = "UPDATE event_heads SET last_number = 2500 WHERE organization_id = <acme>";
    planter.plant(&[many, head]).await;
    for (events, more) in [(1000, true), (1000, true), (500, false), (0, false)] {
        assert_eq!(seal(&world.app).await.unwrap(), Sealed { events, more });
    }
    // By its events, the enrollment was changed 2500 times: that is what the other checks are about.
    let check = async || world.ok(&world.acme.admin, VERIFY, json!({})).await["checks"][9].clone();
    let expected = json!({ "name": "event_log_unaltered", "ok": true, "violations": [] });
    expect(&check().await, &expected);
    for number in [2500, 2001, 2000, 1001, 1000, 1] {
        let altered = format!(
            "UPDATE events SET request_id = 'another' WHERE organization_id = <acme> AND number = {number}"
        );
        planter.plant(&[&altered]).await;
        let violation = json!({
            "problem": ALTERED,
            "organizationId": "<acme>",
            "courseId": "<course>",
            "enrollmentId": "<enrollment>",
            "userId": "<learner>",
            "eventId": format!("{number:016}"),
        });
        let expected = json!({ "name": "event_log_unaltered", "ok": false, "violations": [violation] });
        expect(&check().await, &expected);
    }
}

async fn what_is_not_sealed_yet(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let fine = async || {
        expect(&world.ok(&world.acme.admin, VERIFY, json!({})).await, &report(&json!({})));
    };
    fine().await;
    assert_eq!(seal(&world.app).await.unwrap(), Sealed { events: 1, more: false });
    world.cancelled("<enrollment>").await;
    fine().await;
    let mut planter = Planter::new(&world).await;
    planter.plant(&["UPDATE events SET request_id = 'another' WHERE number = 2"]).await;
    fine().await;
    // From here on, this is how it must be.
    assert_eq!(seal(&world.app).await.unwrap(), Sealed { events: 1, more: false });
    fine().await;
    planter.plant(&["UPDATE events SET request_id = 'a-request' WHERE number = 2"]).await;
    let found = with(by("learner", "course", ALTERED), "eventId", "0000000000000002");
    let found = report(&json!({ "event_log_unaltered": [with(found, "enrollmentId", "<enrollment>")] }));
    expect(&world.ok(&world.acme.admin, VERIFY, json!({})).await, &found);
}

async fn sealed_by_two_at_once(world: World) {
    world.course("course", json!({})).await;
    let apps = [world.app.clone(), world.another_app()];
    let mut sealed = 0;
    for path in ["enrollment.enroll", "enrollment.unenroll"].repeat(10) {
        world.ok(&world.acme.learner, path, json!({ "courseId": "<course>" })).await;
        let start = Arc::new(Barrier::new(apps.len()));
        let running = apps.clone().map(|app| {
            let start = start.clone();
            tokio::spawn(async move {
                start.wait().await;
                seal(&app).await
            })
        });
        for one in running {
            sealed += one.await.unwrap().unwrap().events;
        }
    }
    assert_eq!(sealed, 20, "each event once");
    let once = seals(&world).await;
    assert_eq!(once.iter().map(|seal| seal.number).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    for app in &apps {
        assert_eq!(seal(app).await.unwrap(), Sealed { events: 0, more: false });
    }
    assert_eq!(seals(&world).await, once);
    expect(&world.ok(&world.acme.admin, VERIFY, json!({})).await, &report(&json!({})));
}
