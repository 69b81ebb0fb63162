//! `enrollment.setNotes`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use crate::answers::{audited, each, enrollment};

on_both![
    a_coordinator_writes_notes,
    without_a_session,
    null_takes_them_away,
    another_version,
    what_is_no_input,
    as_long_as_notes_may_be,
    who_writes_them,
    of_others_and_of_nobody,
    who_reads_them,
    in_whatever_status,
    once_for_each_key,
];

const SET_NOTES: &str = "enrollment.setNotes";

/// The learner enrolls in `<course>`, of the author: `<1>`, at `<t1>`.
async fn enrolled(world: &World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
}

fn it() -> Value {
    json!({ "enrollmentId": "<1>" })
}

fn mornings(version: i32) -> Value {
    json!({ "enrollmentId": "<1>", "notes": "prefers mornings", "version": version })
}

/// What was written stays out of the log, which nothing rewrites (D24).
async fn a_coordinator_writes_notes(world: World) {
    enrolled(&world).await;
    let answer = world.ok(&world.acme.coordinator, SET_NOTES, mornings(1)).await;
    let expected = json!({ "notes": "prefers mornings", "version": 2, "updatedAt": "<t2>" });
    expect(&answer, &enrollment(expected));

    let stored = world.ok(&world.acme.admin, "enrollment.get", it()).await;
    expect(&stored, &answer);
    let history = world.ok(&world.acme.admin, "enrollment.history", it()).await;
    assert_eq!(each(&history, "kind"), ["enrolled", "notesSet"]);
    let expected = json!({
        "id": "0000000000000002", "at": "<t2>", "kind": "notesSet", "organizationId": "<acme>",
        "courseId": "<course>", "enrollmentId": "<1>", "userId": "<learner>",
        "actor": { "kind": "user", "id": "<coordinator>" }, "data": audited(json!({})),
    });
    expect(&history["items"][1], &expected);
    assert!(!world.contents().await["events"].concat().contains("mornings"));
}

async fn without_a_session(world: World) {
    enrolled(&world).await;
    let error = world.refused(&Actor::Anonymous, SET_NOTES, mornings(1)).await;
    expect(&error, &refusal(SET_NOTES, "UNAUTHORIZED", json!(null)));
}

async fn null_takes_them_away(world: World) {
    enrolled(&world).await;
    world.ok(&world.acme.coordinator, SET_NOTES, mornings(1)).await;
    let input = json!({ "enrollmentId": "<1>", "notes": null, "version": 2 });
    let answer = world.ok(&world.acme.coordinator, SET_NOTES, input).await;
    expect(&answer, &enrollment(json!({ "version": 3, "updatedAt": "<t3>" })));
    let stored = world.ok(&world.acme.admin, "enrollment.get", it()).await;
    expect(&stored, &answer);
    let history = world.ok(&world.acme.admin, "enrollment.history", it()).await;
    assert_eq!(each(&history, "kind"), ["enrolled", "notesSet", "notesSet"]);
}

/// One that is old, as any change of the enrollment makes it, or that there has not been.
async fn another_version(world: World) {
    enrolled(&world).await;
    world.expired("<1>").await;
    for version in [1, 3, i32::MAX] {
        let error = world.refused(&world.acme.admin, SET_NOTES, mornings(version)).await;
        let reason = json!({ "type": "versionMismatch", "current": 2 });
        expect(&error, &refusal(SET_NOTES, "CONFLICT", reason));
    }
    let answer = world.ok(&world.acme.admin, SET_NOTES, mornings(2)).await;
    assert_eq!((&answer["notes"], &answer["version"]), (&json!("prefers mornings"), &json!(3)));
}

/// Notes that are not said are not taken away.
async fn what_is_no_input(world: World) {
    enrolled(&world).await;
    world.ok(&world.acme.coordinator, SET_NOTES, mornings(1)).await;
    for (input, field, problem) in [
        (json!({ "version": 2 }), "notes", "missing field `notes`"),
        (json!({ "notes": "no version" }), "version", "missing field `version`"),
        (json!({ "notes": "a version", "version": 0 }), "version", "not a whole number from 1 to 2147483647"),
        (json!({ "notes": " ", "version": 2 }), "notes", "empty"),
        (json!({ "notes": "a\0b", "version": 2 }), "notes", "contains a control character"),
        (json!({ "notes": "ä".repeat(10_001), "version": 2 }), "notes", "longer than 10000 characters"),
    ] {
        let mut input = input;
        input["enrollmentId"] = "<1>".into();
        let error = world.refused(&world.acme.coordinator, SET_NOTES, input).await;
        let reason = json!({ "type": "invalidInput", "field": field, "problem": problem });
        expect(&error, &refusal(SET_NOTES, "BAD_REQUEST", reason));
    }
}

async fn as_long_as_notes_may_be(world: World) {
    enrolled(&world).await;
    let notes = format!("a\tb\n{}", "ä".repeat(9_996));
    let input = json!({ "enrollmentId": "<1>", "notes": notes, "version": 1 });
    world.ok(&world.acme.coordinator, SET_NOTES, input).await;
    let stored = world.ok(&world.acme.coordinator, "enrollment.get", it()).await;
    assert_eq!(stored["notes"], notes);
}

/// A coordinator also about others than learners.
async fn who_writes_them(world: World) {
    enrolled(&world).await;
    let reader = world.service(&[Scope::EnrollmentsRead, Scope::EnrollmentsWrite]).await;
    for actor in [&world.acme.learner, &world.acme.peer, &world.acme.author, &reader] {
        let error = world.refused(actor, SET_NOTES, mornings(1)).await;
        expect(&error, &refusal(SET_NOTES, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    for (actor, version) in [(&world.acme.coordinator, 1), (&world.acme.admin, 2), (&world.global_admin, 3)] {
        let answer = world.ok(actor, SET_NOTES, mornings(version)).await;
        assert_eq!((&answer["notes"], &answer["version"]), (&json!("prefers mornings"), &json!(version + 1)));
    }
    let id = world.enrolled(&world.acme.author, "<course>", "author's").await;
    let input = json!({ "enrollmentId": id, "notes": "teaches, too", "version": 1 });
    let answer = world.ok(&world.acme.coordinator, SET_NOTES, input).await;
    assert_eq!(answer["notes"], "teaches, too");
}

/// D17.
async fn of_others_and_of_nobody(world: World) {
    world.course_in(&world.globex, "globex course", json!({})).await;
    world.enrolled(&world.globex.learner, "<globex course>", "foreign").await;
    for id in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let input = json!({ "enrollmentId": id, "notes": "spied on", "version": 1 });
            let error = world.refused(actor, SET_NOTES, input).await;
            expect(&error, &refusal(SET_NOTES, "NOT_FOUND", json!(null)));
        }
    }
}

/// Not those they are about, not the course's author, and no service.
async fn who_reads_them(world: World) {
    enrolled(&world).await;
    world.ok(&world.acme.coordinator, SET_NOTES, mornings(1)).await;
    let roster = json!({ "courseId": "<course>" });
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
        let found = world.ok(actor, "enrollment.get", it()).await;
        assert_eq!(found["notes"], "prefers mornings");
        let page = world.ok(actor, "enrollment.listByCourse", roster.clone()).await;
        assert_eq!(each(&page, "notes"), ["prefers mornings"]);
    }
    let found = world.ok(&world.acme.learner, "enrollment.get", it()).await;
    expect(&found, &enrollment(json!({ "version": 2, "updatedAt": "<t2>" })));
    let service = world.service(&[Scope::EnrollmentsRead, Scope::EnrollmentsWrite]).await;
    for actor in [&world.acme.author, &service] {
        let found = world.ok(actor, "enrollment.get", it()).await;
        assert_eq!(found["notes"], json!(null));
        let page = world.ok(actor, "enrollment.listByCourse", roster.clone()).await;
        assert_eq!(each(&page, "notes"), [json!(null)]);
    }

    // Nor in the answer to a change they make, which leaves the notes as they are.
    let left = world.ok(&world.acme.learner, "enrollment.unenroll", roster).await;
    assert_eq!((&left["status"], &left["notes"]), (&json!("cancelled"), &json!(null)));
    let found = world.ok(&world.acme.admin, "enrollment.get", it()).await;
    assert_eq!(found["notes"], "prefers mornings");
}

/// And they change nothing else.
async fn in_whatever_status(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    for status in ["waitlisted", "enrolled", "expired", "completed", "cancelled"] {
        match status {
            "enrolled" => world.capacity("<course>", json!(1)).await,
            "expired" => world.expired("<enrollment>").await,
            "completed" => {
                world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
                world.completed("<enrollment>").await;
            }
            "cancelled" => {
                let input = json!({ "enrollmentId": "<enrollment>", "reason": "copied" });
                world.ok(&world.acme.admin, "enrollment.revoke", input).await;
            }
            _ => {}
        }
        let by_id = json!({ "enrollmentId": "<enrollment>" });
        let read = world.ok(&world.acme.coordinator, "enrollment.get", by_id).await;
        assert_eq!(read["status"], status);
        let version = read["version"].as_i64().unwrap();
        let input = json!({ "enrollmentId": "<enrollment>", "notes": status, "version": version });
        let answer = world.ok(&world.acme.coordinator, SET_NOTES, input).await;
        let changed = json!({ "notes": status, "version": version + 1, "updatedAt": answer["updatedAt"] });
        expect(&answer, &merged(read, changed));
    }
}

/// Also when its version is an old one by then; but only as long as the caller writes notes at all.
async fn once_for_each_key(world: World) {
    enrolled(&world).await;
    let mut input = mornings(1);
    input["idempotencyKey"] = "k".into();
    let first = world.ok(&world.acme.coordinator, SET_NOTES, input.clone()).await;
    let again = world.ok(&world.acme.coordinator, SET_NOTES, input.clone()).await;
    expect(&again, &first);
    assert_eq!(world.contents().await["events"].len(), 2);

    let demoted = json!({ "userId": "<coordinator>", "role": "learner" });
    world.ok(&world.acme.admin, "member.setRole", demoted).await;
    let error = world.refused(&world.acme.coordinator, SET_NOTES, input).await;
    expect(&error, &refusal(SET_NOTES, "FORBIDDEN", json!({ "type": "roleRequired" })));
}
