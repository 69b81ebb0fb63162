//! `member.suspend`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::member;
use crate::answers::each;

on_both![
    the_next_call_is_refused,
    what_they_are_enrolled_in_stands,
    who_waits_is_passed_over,
    who_is_suspended_already,
    who_is_no_member_any_more,
    by_whom,
    unknown_and_foreign,
];

const SUSPEND: &str = "member.suspend";

fn learner() -> Value {
    json!({ "userId": "<learner>" })
}

fn suspended() -> Value {
    member(json!({ "userId": "<learner>", "displayName": "learner", "status": "suspended" }))
}

/// D19.
async fn the_next_call_is_refused(world: World) {
    world.course("course", json!({})).await;
    let answer = world.ok(&world.acme.admin, SUSPEND, learner()).await;
    expect(&answer, &suspended());
    let stored = world.ok(&world.acme.admin, "member.get", learner()).await;
    expect(&stored, &answer);
    for (path, input) in [("session.me", json!({})), ("enrollment.enroll", json!({ "courseId": "<course>" }))]
    {
        let error = world.refused(&world.acme.learner, path, input).await;
        expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "notAMember" })));
    }
}

/// D19: the membership's status is all that changes.
async fn what_they_are_enrolled_in_stands(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.course("full", json!({ "capacity": 0 })).await;
    world.course("done", json!({})).await;
    for (course, enrollment) in [("<course>", "one"), ("<full>", "waiting"), ("<done>", "completion")] {
        world.enrolled(&world.acme.learner, course, enrollment).await;
    }
    world.completed("<completion>").await;
    let before = world.contents().await;
    world.ok(&world.acme.admin, SUSPEND, learner()).await;
    for (table, rows) in world.contents().await {
        assert_eq!(rows == before[table], table != "memberships", "{table}");
    }
}

/// D11: with a word of the system why, and no seat is lost.
async fn who_waits_is_passed_over(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.learner, "<course>", "first").await;
    world.enrolled(&world.acme.peer, "<course>", "second").await;
    world.ok(&world.acme.admin, SUSPEND, learner()).await;
    world.capacity("<course>", json!(1)).await;
    for (enrollment, status, kinds) in [
        ("<first>", "cancelled", ["waitlisted", "cancelled"]),
        ("<second>", "enrolled", ["waitlisted", "promoted"]),
    ] {
        let input = json!({ "enrollmentId": enrollment });
        let found = world.ok(&world.acme.admin, "enrollment.get", input.clone()).await;
        assert_eq!(found["status"], status);
        let history = world.ok(&world.acme.admin, "enrollment.history", input).await;
        assert_eq!(each(&history, "kind"), kinds);
        assert_eq!(history["items"][1]["actor"], json!({ "kind": "system", "id": null }));
        let reason = if status == "cancelled" { json!("membershipSuspended") } else { json!(null) };
        assert_eq!(history["items"][1]["data"]["reason"], reason);
    }
}

async fn who_is_suspended_already(world: World) {
    world.membership("suspend", "<learner>").await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, SUSPEND, learner()).await, &suspended());
    assert_eq!(world.contents().await, before);
}

async fn who_is_no_member_any_more(world: World) {
    world.membership("end", "<learner>").await;
    for actor in [&world.acme.admin, &world.global_admin] {
        let error = world.refused(actor, SUSPEND, learner()).await;
        expect(&error, &refusal(SUSPEND, "FORBIDDEN", json!({ "type": "notAMember" })));
    }
}

async fn by_whom(world: World) {
    for actor in [&world.acme.peer, &world.acme.author, &world.acme.coordinator] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, SUSPEND, json!({ "userId": user })).await;
            expect(&error, &refusal(SUSPEND, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, SUSPEND, learner()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(SUSPEND, "FORBIDDEN", reason));
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        expect(&world.ok(actor, SUSPEND, learner()).await, &suspended());
        world.membership("resume", "<learner>").await;
    }
}

/// D17.
async fn unknown_and_foreign(world: World) {
    for actor in [&world.acme.admin, &world.global_admin] {
        for user in ["<globex learner>", "<global admin>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, SUSPEND, json!({ "userId": user })).await;
            expect(&error, &refusal(SUSPEND, "NOT_FOUND", json!(null)));
        }
    }
}
