//! `event.since`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use crate::answers::{audited, each, last_page};

on_both![
    all_that_happened,
    before_anything_happens,
    page_by_page,
    from_an_event_on,
    a_cursor_that_no_event_has_had_yet,
    another_organization_s_events_are_not_told,
    by_whom,
];

const SINCE: &str = "event.since";

fn id(number: u32) -> String {
    format!("{number:016}")
}

fn event(number: u32, fields: Value) -> Value {
    let usual = json!({
        "id": id(number),
        "at": "<t1>",
        "kind": "enrolled",
        "organizationId": "<acme>",
        "courseId": "<course>",
        "enrollmentId": "<first>",
        "userId": "<learner>",
        "actor": { "kind": "user", "id": "<learner>" },
        "data": {},
    });
    merged(usual, fields)
}

/// The learner enrolls and leaves by turns, so many events.
async fn happened(world: &World, events: usize) {
    for path in ["enrollment.enroll", "enrollment.unenroll"].into_iter().cycle().take(events) {
        world.call(&world.acme.learner, path, json!({ "courseId": "<course>" })).await.unwrap();
    }
}

/// Oldest first; what one call brings about is of one moment.
async fn all_that_happened(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.enrolled(&world.acme.learner, "<course>", "first").await;
    world.enrolled(&world.acme.peer, "<course>", "second").await;
    let left = json!({ "courseId": "<course>", "reason": "no time" });
    world.call(&world.acme.learner, "enrollment.unenroll", left).await.unwrap();
    world.completed("<second>").await;

    let answer = world.ok(&world.acme.admin, SINCE, json!({})).await;
    let system = json!({ "kind": "system", "id": null });
    let admin = json!({ "kind": "user", "id": "<admin>" });
    let of_peer = |number: u32, fields: Value| {
        let theirs = json!({ "enrollmentId": "<second>", "userId": "<peer>" });
        merged(event(number, theirs), fields)
    };
    let expected = last_page([
        event(1, json!({ "data": { "status": "enrolled", "attempt": 1, "source": "self" } })),
        of_peer(
            2,
            json!({
                "at": "<t2>", "kind": "waitlisted", "actor": { "kind": "user", "id": "<peer>" },
                "data": { "status": "waitlisted", "attempt": 1, "source": "self" },
            }),
        ),
        event(
            3,
            json!({
                "at": "<t3>", "kind": "cancelled",
                "data": {
                    "from": "enrolled", "status": "cancelled", "attempt": 1, "source": "self",
                    "reason": "no time",
                },
            }),
        ),
        of_peer(
            4,
            json!({
                "at": "<t3>", "kind": "promoted", "actor": system,
                "data": { "from": "waitlisted", "status": "enrolled", "attempt": 1, "source": "self" },
            }),
        ),
        of_peer(
            5,
            json!({
                "at": "<t4>", "kind": "completed", "actor": admin,
                "data": {
                    "from": "enrolled", "status": "completed", "attempt": 1, "source": "self",
                    "reason": "for the test",
                },
            }),
        ),
        of_peer(
            6,
            json!({
                "at": "<t4>", "kind": "certificateIssued", "actor": admin, "data": { "certificateId": "<1>" },
            }),
        ),
    ]);
    expect(&answer, &expected);
    // What `enrollment.history` tells of an enrollment is a part of the same log.
    let history =
        world.ok(&world.acme.admin, "enrollment.history", json!({ "enrollmentId": "<first>" })).await;
    let of_first = [0, 2].map(|place| {
        let mut event = expected["items"][place].clone();
        event["data"] = audited(event["data"].take());
        event
    });
    expect(&history["items"], &json!(of_first));
}

async fn before_anything_happens(world: World) {
    world.course("course", json!({})).await;
    let nothing = last_page([]);
    expect(&world.ok(&world.acme.admin, SINCE, json!({})).await, &nothing);
    // A refusal is no event.
    world.refused(&world.acme.learner, "enrollment.unenroll", json!({ "courseId": "<course>" })).await;
    expect(&world.ok(&world.acme.admin, SINCE, json!({ "cursor": id(0) })).await, &nothing);
}

/// Without a gap or a double, though more happens meanwhile.
async fn page_by_page(world: World) {
    world.course("course", json!({})).await;
    happened(&world, 5).await;
    let mut seen = Vec::new();
    let mut cursors = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = world.ok(&world.acme.admin, SINCE, json!({ "limit": 2, "cursor": cursor })).await;
        seen.extend(each(&page, "id"));
        cursor = page["nextCursor"].clone();
        cursors.push(cursor.clone());
        if cursor.is_null() {
            break;
        }
        if cursors.len() == 1 {
            world.enrolled(&world.acme.peer, "<course>", "another").await;
        }
    }
    assert_eq!(seen, (1..=6).map(id).collect::<Vec<_>>());
    assert_eq!(cursors, [json!(id(2)), json!(id(4)), json!(null)]);
    let whole = world.ok(&world.acme.admin, SINCE, json!({ "limit": 6 })).await;
    assert_eq!((each(&whole, "id").len(), &whole["nextCursor"]), (6, &json!(null)));
}

/// Whoever has reached the end goes on after the last event seen.
async fn from_an_event_on(world: World) {
    world.course("course", json!({})).await;
    happened(&world, 4).await;
    let after = async |number: u32| {
        let page = world.ok(&world.acme.admin, SINCE, json!({ "cursor": id(number) })).await;
        assert_eq!(page["nextCursor"], json!(null));
        each(&page, "id")
    };
    assert_eq!(after(2).await, [id(3), id(4)]);
    assert!(after(4).await.is_empty());
    world.enrolled(&world.acme.peer, "<course>", "another").await;
    assert_eq!(after(4).await, [id(5)]);
}

/// What comes before it could not be told from what was seen.
async fn a_cursor_that_no_event_has_had_yet(world: World) {
    world.course("course", json!({})).await;
    happened(&world, 2).await;
    // Another organization has got further.
    world.course_in(&world.globex, "theirs", json!({})).await;
    for actor in [&world.globex.learner, &world.globex.peer, &world.globex.author] {
        world.call(actor, "enrollment.enroll", json!({ "courseId": "<theirs>" })).await.unwrap();
    }
    for (cursor, problem) in [
        (id(3), "no event has had this id"),
        ("9".repeat(16), "no event has had this id"),
        ("2".into(), "not a cursor of this list"),
        (world.id("<course>"), "not a cursor of this list"),
    ] {
        let error = world.refused(&world.acme.admin, SINCE, json!({ "cursor": cursor })).await;
        let reason = json!({ "type": "invalidInput", "field": "cursor", "problem": problem });
        expect(&error, &refusal(SINCE, "BAD_REQUEST", reason));
    }
}

async fn another_organization_s_events_are_not_told(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "theirs", json!({})).await;
    let there = world.global_admin.choosing(&world.globex.id);
    world.call(&world.globex.learner, "enrollment.enroll", json!({ "courseId": "<theirs>" })).await.unwrap();
    happened(&world, 1).await;
    world.call(&world.globex.peer, "enrollment.enroll", json!({ "courseId": "<theirs>" })).await.unwrap();
    for (actor, organization, users) in [
        (&world.acme.admin, "<acme>", vec!["<learner>"]),
        (&world.global_admin, "<acme>", vec!["<learner>"]),
        (&world.globex.admin, "<globex>", vec!["<globex learner>", "<globex peer>"]),
        (&there, "<globex>", vec!["<globex learner>", "<globex peer>"]),
    ] {
        let page = world.ok(actor, SINCE, json!({})).await;
        assert_eq!(each(&page, "userId"), users);
        assert!(each(&page, "organizationId").iter().all(|told| told == organization));
        assert_eq!(each(&page, "id"), (1..).map(id).take(users.len()).collect::<Vec<_>>());
    }
}

async fn by_whom(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    happened(&world, 1).await;
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        let error = world.refused(actor, SINCE, json!({})).await;
        expect(&error, &refusal(SINCE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let service = world.service(&[Scope::EnrollmentsRead, Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, SINCE, json!({})).await;
    let reason = json!({ "type": "scopeRequired", "scope": "events:read" });
    expect(&error, &refusal(SINCE, "FORBIDDEN", reason));
    let error = world.refused(&Actor::Anonymous, SINCE, json!({})).await;
    expect(&error, &refusal(SINCE, "UNAUTHORIZED", json!(null)));
    let service = world.service(&[Scope::EventsRead]).await;
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        assert_eq!(each(&world.ok(actor, SINCE, json!({})).await, "id"), [id(1)]);
    }
}
