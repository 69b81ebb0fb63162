//! `member.end`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, merged, on_both, refusal};

use super::member;
use crate::answers::{audited, each};

on_both![
    the_next_call_is_refused,
    what_they_are_in_or_wait_for_is_cancelled,
    the_seat_goes_to_who_waits,
    a_suspended_membership_ends_too,
    what_has_ended_ends_once,
    who_comes_back_goes_on_where_they_were,
    under_a_key,
    by_whom,
    unknown_and_foreign,
];

const END: &str = "member.end";

fn learner() -> Value {
    json!({ "userId": "<learner>" })
}

fn ended() -> Value {
    member(json!({ "userId": "<learner>", "displayName": "learner", "status": "ended" }))
}

async fn read(world: &World, enrollment: &str) -> Value {
    world.ok(&world.acme.admin, "enrollment.get", json!({ "enrollmentId": enrollment })).await
}

/// D19.
async fn the_next_call_is_refused(world: World) {
    let answer = world.ok(&world.acme.admin, END, learner()).await;
    expect(&answer, &ended());
    let stored = world.ok(&world.acme.admin, "member.get", learner()).await;
    expect(&stored, &answer);
    let error = world.refused(&world.acme.learner, "session.me", json!({})).await;
    expect(&error, &refusal("session.me", "FORBIDDEN", json!({ "type": "notAMember" })));
}

/// D19: by the system; their progress is kept, and a completion stands.
async fn what_they_are_in_or_wait_for_is_cancelled(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "first").await;
    world.module("<course>", "second").await;
    world.course("full", json!({ "capacity": 0 })).await;
    world.course("done", json!({})).await;
    for (course, enrollment) in [("<course>", "one"), ("<full>", "waiting"), ("<done>", "completion")] {
        world.enrolled(&world.acme.learner, course, enrollment).await;
    }
    let input = json!({ "enrollmentId": "<one>", "moduleId": "<first>" });
    world.ok(&world.acme.learner, "module.complete", input).await;
    world.completed("<completion>").await;
    let (one, waiting) = (read(&world, "<one>").await, read(&world, "<waiting>").await);
    let completion = read(&world, "<completion>").await;
    assert_eq!((&one["progress"], &waiting["waitlistPosition"]), (&json!(50), &json!(1)));

    world.ok(&world.acme.admin, END, learner()).await;
    for (before, version) in [(one, 3), (waiting, 2)] {
        let after = read(&world, before["id"].as_str().unwrap()).await;
        let at = after["cancelledAt"].clone();
        assert!(at.is_string(), "{after:#}");
        let expected = json!({
            "status": "cancelled", "softDeleted": true, "cancelledAt": at, "updatedAt": at,
            "version": version, "waitlistPosition": null,
        });
        let status = before["status"].clone();
        expect(&after, &merged(before, expected));

        let input = json!({ "enrollmentId": after["id"] });
        let history = world.ok(&world.acme.admin, "enrollment.history", input).await;
        let last = history["items"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["kind"], &last["at"]), (&json!("cancelled"), &at));
        assert_eq!(last["actor"], json!({ "kind": "system", "id": null }));
        let data = json!({
            "from": status, "status": "cancelled", "attempt": 1, "source": "self",
            "reason": "membershipEnded",
        });
        assert_eq!(last["data"], audited(data));
    }
    expect(&read(&world, "<completion>").await, &completion);
    let input = json!({ "enrollmentId": "<one>" });
    let modules = world.ok(&world.acme.admin, "module.listByEnrollment", input).await;
    let modules = json!({ "items": modules });
    assert_eq!(each(&modules, "softDeleted"), [true, true]);
    assert_eq!(each(&modules, "completed"), [true, false]);
}

/// D11, D19: in the same transaction, and the next in line.
async fn the_seat_goes_to_who_waits(world: World) {
    world.course("course", json!({ "capacity": 1, "accessDays": 30 })).await;
    world.module("<course>", "module").await;
    for (actor, name) in
        [(&world.acme.learner, "theirs"), (&world.acme.peer, "next"), (&world.acme.author, "last")]
    {
        world.enrolled(actor, "<course>", name).await;
    }
    world.ok(&world.acme.admin, END, learner()).await;
    let next = read(&world, "<next>").await;
    assert_eq!((&next["status"], &next["modulesTotal"]), (&json!("enrolled"), &json!(1)));
    assert_eq!(next["enrolledAt"], read(&world, "<theirs>").await["cancelledAt"]);
    assert!(next["expiresAt"].is_string(), "access begins with the seat");
    let last = read(&world, "<last>").await;
    assert_eq!((&last["status"], &last["waitlistPosition"]), (&json!("waitlisted"), &json!(1)));
    let history = world.ok(&world.acme.peer, "enrollment.history", json!({ "enrollmentId": "<next>" })).await;
    assert_eq!(each(&history, "kind"), ["waitlisted", "promoted"]);
    assert_eq!(history["items"][1]["actor"], json!({ "kind": "system", "id": null }));
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "enrolled": 1, "waitlisted": 1, "completed": 0, "cancelled": 1, "expired": 0,
        "capacity": 1, "seatsTaken": 1, "overBy": 0,
    });
    expect(&count, &expected);
}

async fn a_suspended_membership_ends_too(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.membership("suspend", "<learner>").await;
    expect(&world.ok(&world.acme.admin, END, learner()).await, &ended());
    assert_eq!(read(&world, "<enrollment>").await["status"], "cancelled");
}

async fn what_has_ended_ends_once(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.membership("end", "<learner>").await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, END, learner()).await, &ended());
    assert_eq!(world.contents().await, before);
}

/// D1, D19: the membership is active again by `member.provision`, what was cancelled only by enrolling again.
async fn who_comes_back_goes_on_where_they_were(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "first").await;
    world.module("<course>", "second").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = json!({ "enrollmentId": "<enrollment>", "moduleId": "<first>" });
    world.ok(&world.acme.learner, "module.complete", input).await;
    world.membership("end", "<learner>").await;
    let back = world.ok(&world.acme.admin, "member.provision", json!({ "subject": "learner" })).await;
    assert_eq!([&back["userId"], &back["status"]], ["<learner>", "active"]);
    assert_eq!(read(&world, "<enrollment>").await["status"], "cancelled");

    let again = world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    assert_eq!([&again["id"], &again["status"], &again["source"]], ["<enrollment>", "enrolled", "self"]);
    let progress =
        [&again["attempt"], &again["progress"], &again["modulesTotal"], &again["modulesCompleted"]];
    assert_eq!(progress, [2, 50, 2, 1]);
    let input = json!({ "enrollmentId": "<enrollment>" });
    let modules = world.ok(&world.acme.learner, "module.listByEnrollment", input).await;
    let modules = json!({ "items": modules });
    assert_eq!(each(&modules, "softDeleted"), [false, false]);
    assert_eq!(each(&modules, "completed"), [true, false]);
}

/// Repeated late, it does not end what has begun anew.
async fn under_a_key(world: World) {
    let input = json!({ "userId": "<learner>", "idempotencyKey": "k" });
    let first = world.ok(&world.acme.admin, END, input.clone()).await;
    world.ok(&world.acme.admin, "member.provision", json!({ "subject": "learner" })).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, END, input).await, &first);
    assert_eq!(world.contents().await, before);
    assert_eq!(world.ok(&world.acme.learner, "session.me", json!({})).await["userId"], "<learner>");
}

async fn by_whom(world: World) {
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, END, json!({ "userId": user })).await;
            expect(&error, &refusal(END, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, END, learner()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(END, "FORBIDDEN", reason));
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        expect(&world.ok(actor, END, learner()).await, &ended());
        world.ok(&world.acme.admin, "member.provision", json!({ "subject": "learner" })).await;
    }
}

/// D17.
async fn unknown_and_foreign(world: World) {
    for actor in [&world.acme.admin, &world.global_admin] {
        for user in ["<globex learner>", "<global admin>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, END, json!({ "userId": user })).await;
            expect(&error, &refusal(END, "NOT_FOUND", json!(null)));
        }
    }
}
