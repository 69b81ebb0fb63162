//! `enrollment.history`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, merged, on_both, refusal};

use crate::answers::{audited, each, last_page};

on_both![all_that_happened, page_by_page, another_organization_counts_for_itself, to_whom];

const HISTORY: &str = "enrollment.history";

fn event(fields: Value) -> Value {
    let usual = json!({
        "id": "0000000000000001",
        "at": "<t1>",
        "kind": "enrolled",
        "organizationId": "<acme>",
        "courseId": "<course>",
        "enrollmentId": "<1>",
        "userId": "<learner>",
        "actor": { "kind": "user", "id": "<learner>" },
        "data": { "status": "enrolled", "attempt": 1, "source": "self" },
    });
    let mut event = merged(usual, fields);
    event["data"] = audited(event["data"].take());
    event
}

async fn all_that_happened(world: World) {
    world.course("course", json!({})).await;
    let of_learner = json!({ "courseId": "<course>", "userId": "<learner>" });
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let left = json!({ "courseId": "<course>", "userId": "<learner>", "reason": "moved away" });
    world.ok(&world.acme.coordinator, "enrollment.unenroll", left).await;
    world.ok(&world.acme.admin, "enrollment.enroll", of_learner.clone()).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    world.ok(&service, "enrollment.expire", json!({ "enrollmentId": "<1>" })).await;
    world.ok(&service, "enrollment.enroll", of_learner).await;

    let answer = world.ok(&world.acme.learner, HISTORY, json!({ "enrollmentId": "<1>" })).await;
    let token = answer["items"][4]["actor"]["id"].clone();
    let expected = last_page([
        event(json!({})),
        event(json!({
            "id": "0000000000000002", "at": "<t2>", "kind": "cancelled",
            "actor": { "kind": "user", "id": "<coordinator>" },
            "data": {
                "from": "enrolled", "status": "cancelled", "attempt": 1, "source": "self", "reason": "moved away",
            },
        })),
        event(json!({
            "id": "0000000000000003", "at": "<t3>", "kind": "reactivated",
            "actor": { "kind": "user", "id": "<admin>" },
            "data": {
                "from": "cancelled", "status": "enrolled", "attempt": 2, "source": "coordinator",
                "enrolledByUserId": "<admin>",
            },
        })),
        event(json!({
            "id": "0000000000000004", "at": "<t4>", "kind": "expired",
            "actor": { "kind": "service", "id": token },
            "data": {
                "from": "enrolled", "status": "expired", "attempt": 2, "source": "coordinator",
                "enrolledByUserId": "<admin>",
            },
        })),
        event(json!({
            "id": "0000000000000005", "at": "<t5>", "kind": "reactivated",
            "actor": { "kind": "service", "id": token },
            "data": { "from": "expired", "status": "enrolled", "attempt": 3, "source": "integration" },
        })),
    ]);
    expect(&answer, &expected);
    let people = ["<learner>", "<coordinator>", "<admin>"];
    assert!(people.iter().all(|person| token != *person) && token.is_string(), "{token}");
}

async fn page_by_page(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>" });
    world.ok(&world.acme.learner, "enrollment.enroll", input.clone()).await;
    for _ in 0..3 {
        // Another's events stand between.
        world.ok(&world.acme.peer, "enrollment.enroll", input.clone()).await;
        world.ok(&world.acme.learner, "enrollment.unenroll", input.clone()).await;
        world.ok(&world.acme.learner, "enrollment.enroll", input.clone()).await;
        world.ok(&world.acme.peer, "enrollment.unenroll", input.clone()).await;
    }
    let mut kinds = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let input = json!({ "enrollmentId": "<1>", "limit": 3, "cursor": cursor });
        let page = world.ok(&world.acme.learner, HISTORY, input).await;
        kinds.extend(each(&page, "kind"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert_eq!(each(&page, "id").last(), Some(&cursor));
    }
    assert_eq!(
        kinds,
        ["enrolled", "cancelled", "reactivated", "cancelled", "reactivated", "cancelled", "reactivated"]
    );
}

async fn another_organization_counts_for_itself(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "globex course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "one").await;
    world.enrolled(&world.globex.learner, "<globex course>", "two").await;
    for (actor, enrollment) in [(&world.acme.learner, "<one>"), (&world.globex.learner, "<two>")] {
        let page = world.ok(actor, HISTORY, json!({ "enrollmentId": enrollment })).await;
        assert_eq!(each(&page, "id"), ["0000000000000001"]);
    }
}

async fn to_whom(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.enrolled(&world.acme.learner, "<other>", "elsewhere").await;
    let input = json!({ "enrollmentId": "<enrollment>" });
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for actor in
        [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin, &reader]
    {
        let page = world.ok(actor, HISTORY, input.clone()).await;
        assert_eq!(each(&page, "kind"), ["enrolled"]);
    }
    let error = world.refused(&world.acme.peer, HISTORY, input).await;
    expect(&error, &refusal(HISTORY, "NOT_FOUND", json!(null)));
    let error = world.refused(&world.acme.author, HISTORY, json!({ "enrollmentId": "<elsewhere>" })).await;
    expect(&error, &refusal(HISTORY, "NOT_FOUND", json!(null)));
}
