//! `enrollment.check`

use std::time::Duration;

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

on_both![
    enrolling,
    enrolling_again,
    unenrolling,
    revoking,
    every_gate_of_enrolling,
    every_gate_of_leaving,
    nothing_to_check,
    of_others_by_ones_standing,
    of_oneself,
];

const CHECK: &str = "enrollment.check";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn nothing() -> Value {
    json!({
        "reactivates": false, "waitlistPosition": null, "seatFreed": false, "promotesUserId": null,
        "certificateVoided": false,
    })
}

fn allowed(outcome: &str, consequences: Value) -> Value {
    let consequences = merged(nothing(), consequences);
    json!({ "allowed": true, "outcome": outcome, "reasons": [], "consequences": consequences })
}

fn refused(reasons: Value) -> Value {
    json!({ "allowed": false, "outcome": "refused", "reasons": reasons, "consequences": nothing() })
}

fn of(action: &str, user: &str) -> Value {
    json!({ "action": action, "courseId": "<course>", "userId": user })
}

/// The answer, which has changed nothing.
async fn check(world: &World, actor: &Actor, action: &str, user: &str) -> Value {
    let before = world.contents().await;
    let answer = world.ok(actor, CHECK, of(action, user)).await;
    assert_eq!(world.contents().await, before, "a prediction has changed something");
    answer
}

fn role_required() -> Value {
    json!({ "type": "roleRequired" })
}

fn scope_required(scope: &str) -> Value {
    json!({ "type": "scopeRequired", "scope": scope })
}

fn not_from(status: &str) -> Value {
    json!({ "type": "invalidTransition", "from": status, "to": "cancelled" })
}

async fn enrolling(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    let answer = check(&world, &world.acme.learner, "enroll", "<learner>").await;
    expect(&answer, &allowed("enrolled", json!({})));

    world.enrolled(&world.acme.learner, "<course>", "seat").await;
    for (place, (actor, user)) in (1..).zip([(&world.acme.peer, "<peer>"), (&world.acme.author, "<author>")])
    {
        let answer = check(&world, actor, "enroll", user).await;
        expect(&answer, &allowed("waitlisted", json!({ "waitlistPosition": place })));
        // And so it comes.
        let input = json!({ "courseId": "<course>" });
        let enrolled = world.ok(actor, "enrollment.enroll", input).await;
        assert_eq!(enrolled["status"], "waitlisted");
        assert_eq!(enrolled["waitlistPosition"], place);
    }
}

/// D1, D8.
async fn enrolling_again(world: World) {
    world.course("course", json!({ "certificateValidDays": 1 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.cancelled("<enrollment>").await;
    let again = allowed("enrolled", json!({ "reactivates": true }));
    expect(&check(&world, &world.acme.learner, "enroll", "<learner>").await, &again);

    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.completed("<enrollment>").await;
    let stands =
        json!([{ "type": "alreadyEnrolled", "enrollmentId": "<enrollment>", "status": "completed" }]);
    expect(&check(&world, &world.acme.learner, "enroll", "<learner>").await, &refused(stands));
    world.clock_ahead(Duration::from_secs(2 * 86_400));
    expect(&check(&world, &world.acme.learner, "enroll", "<learner>").await, &again);
}

/// D9 to D11.
async fn unenrolling(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    let admin = &world.acme.admin;
    let join = async |name: &str| {
        let someone = world.person(name, Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("{name}'s")).await;
    };
    let frees =
        |promotes: Value| allowed("cancelled", json!({ "seatFreed": true, "promotesUserId": promotes }));
    join("ada").await;
    expect(&check(&world, admin, "unenroll", "<ada>").await, &frees(json!(null)));
    join("bob").await;
    join("cleo").await;
    expect(&check(&world, admin, "unenroll", "<ada>").await, &frees(json!("<bob>")));
    expect(&check(&world, admin, "unenroll", "<bob>").await, &allowed("cancelled", json!({})));
    world.membership("suspend", "<bob>").await;
    expect(&check(&world, admin, "unenroll", "<ada>").await, &frees(json!("<cleo>")));

    // Nobody gets a seat of a draft, or one beyond the capacity.
    world.ok(admin, "course.unpublish", json!({ "courseId": "<course>" })).await;
    expect(&check(&world, admin, "unenroll", "<ada>").await, &frees(json!(null)));
    world.ok(admin, "course.publish", json!({ "courseId": "<course>" })).await;
    world.capacity("<course>", json!(0)).await;
    expect(&check(&world, admin, "unenroll", "<ada>").await, &frees(json!(null)));

    world.capacity("<course>", json!(1)).await;
    world.cancelled("<ada's>").await;
    let cleo = world.ok(admin, "enrollment.get", json!({ "enrollmentId": "<cleo's>" })).await;
    assert_eq!(cleo["status"], "enrolled");
}

/// D5, D6.
async fn revoking(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.completed("<enrollment>").await;
    let answer = check(&world, &world.acme.admin, "revoke", "<learner>").await;
    expect(&answer, &allowed("cancelled", json!({ "seatFreed": true, "certificateVoided": true })));

    world.enrolled(&world.acme.peer, "<course>", "waits").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let consequences = json!({ "seatFreed": true, "promotesUserId": "<peer>", "certificateVoided": true });
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        let answer = check(&world, actor, "revoke", "<learner>").await;
        expect(&answer, &allowed("cancelled", consequences.clone()));
    }

    world.course("plain", json!({ "certificate": false })).await;
    world.enrolled(&world.acme.learner, "<plain>", "without a certificate").await;
    world.completed("<without a certificate>").await;
    let input = json!({ "action": "revoke", "courseId": "<plain>", "userId": "<learner>" });
    let answer = world.ok(&world.acme.admin, CHECK, input).await;
    expect(&answer, &allowed("cancelled", json!({ "seatFreed": true })));
}

/// All that fail, and the first of them is what the call is refused with.
async fn every_gate_of_enrolling(world: World) {
    let fields = json!({ "capacity": 1, "waitlist": false, "enrollmentMode": "managed" });
    world.course("course", fields).await;
    world.enrolled(&world.acme.author, "<course>", "author's").await;
    world.membership("suspend", "<author>").await;
    let later = json!({ "courseId": "<course>", "version": 2, "opensAt": "2400-01-01T00:00:00Z" });
    world.ok(&world.acme.admin, "course.update", later).await;
    world.ok(&world.acme.admin, "course.unpublish", json!({ "courseId": "<course>" })).await;

    let not_a_member = json!({ "type": "notAMember" });
    let already = json!({ "type": "alreadyEnrolled", "enrollmentId": "<author's>", "status": "enrolled" });
    let draft = json!({ "type": "courseNotPublished" });
    let managed = json!({ "type": "managedCourse" });
    let not_open = json!({ "type": "notOpenYet", "opensAt": "2400-01-01T00:00:00.000000Z" });
    let full = json!({ "type": "courseFull", "capacity": 1 });
    let course_s = [not_a_member, already, draft.clone(), not_open.clone(), full.clone()];
    let with = |first: Value| [vec![first], course_s.to_vec()].concat();
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for (actor, user, reasons) in [
        (&world.acme.admin, "<author>", course_s.to_vec()),
        (&world.acme.coordinator, "<author>", with(role_required())),
        (&reader, "<author>", with(scope_required("enrollments:write"))),
        (
            &world.acme.learner,
            "<learner>",
            vec![draft.clone(), managed.clone(), not_open.clone(), full.clone()],
        ),
        (&world.acme.coordinator, "<learner>", vec![draft.clone(), not_open, full.clone()]),
    ] {
        let answer = check(&world, actor, "enroll", user).await;
        expect(&answer, &refused(json!(reasons)));
        let input = json!({ "courseId": "<course>", "userId": user });
        let error = world.refused(actor, "enrollment.enroll", input).await;
        expect(&error["data"]["reason"], &reasons[0]);
    }

    let over = json!({
        "courseId": "<course>", "version": 4, "opensAt": null, "closesAt": "2020-01-01T00:00:00Z",
    });
    world.ok(&world.acme.admin, "course.update", over).await;
    let closed = json!({ "type": "closed", "closedAt": "2020-01-01T00:00:00.000000Z" });
    let answer = check(&world, &world.acme.learner, "enroll", "<learner>").await;
    expect(&answer, &refused(json!([draft, managed, closed, full])));
}

/// The caller's own role or scope comes first.
async fn every_gate_of_leaving(world: World) {
    world.course("course", json!({ "enrollmentMode": "managed" })).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>" });
    let enrolled = world.ok(&world.acme.coordinator, "enrollment.enroll", input).await;
    world.completed(enrolled["id"].as_str().expect("a label")).await;
    world.enrolled(&world.acme.author, "<course>", "author's").await;
    world.cancelled("<author's>").await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    let (done, gone) = (not_from("completed"), not_from("cancelled"));
    let writes = scope_required("enrollments:write");
    let managed = json!({ "type": "managedCourse" });
    for (actor, action, user, reasons) in [
        (&world.acme.learner, "unenroll", "<learner>", json!([managed, done])),
        (&world.acme.coordinator, "unenroll", "<learner>", json!([done])),
        (&world.acme.coordinator, "unenroll", "<author>", json!([role_required(), gone])),
        (&world.acme.author, "unenroll", "<author>", json!([gone])),
        (&world.acme.admin, "unenroll", "<author>", json!([gone])),
        (&reader, "unenroll", "<learner>", json!([writes, done])),
        (&world.acme.learner, "revoke", "<learner>", json!([role_required()])),
        (&world.acme.author, "revoke", "<author>", json!([role_required(), gone])),
        (&world.acme.coordinator, "revoke", "<learner>", json!([role_required()])),
        (&world.acme.coordinator, "revoke", "<author>", json!([role_required(), gone])),
        (&world.acme.admin, "revoke", "<author>", json!([gone])),
        (&reader, "revoke", "<learner>", json!([writes])),
        (&reader, "revoke", "<author>", json!([writes, gone])),
    ] {
        let answer = check(&world, actor, action, user).await;
        expect(&answer, &refused(reasons));
    }
}

/// D17: what there is none of, or is not theirs, has no gates.
async fn nothing_to_check(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    let not_found = |rule: &str| {
        let mut error = refusal(CHECK, "NOT_FOUND", json!(null));
        error["data"]["rule"] = rule.into();
        error
    };
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for action in ["enroll", "unenroll", "revoke"] {
        for actor in [&world.acme.learner, &world.acme.coordinator, &world.acme.admin, &reader] {
            for course in ["<foreign>", UNKNOWN] {
                let input = json!({ "action": action, "courseId": course, "userId": "<learner>" });
                expect(&world.refused(actor, CHECK, input).await, &not_found("valid_course_id"));
            }
        }
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &reader] {
            for user in ["<globex learner>", UNKNOWN] {
                let error = world.refused(actor, CHECK, of(action, user)).await;
                expect(&error, &not_found("valid_user_id"));
            }
        }
    }
    // Not enrolled, so there is nothing to leave.
    for action in ["unenroll", "revoke"] {
        for actor in [&world.acme.learner, &world.acme.admin] {
            let error = world.refused(actor, CHECK, of(action, "<learner>")).await;
            expect(&error, &refusal(CHECK, "NOT_FOUND", json!(null)));
        }
    }
}

/// Whoever may neither read nor change another's enrollment is told nothing about it, whatever id was named.
async fn of_others_by_ones_standing(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    let outsider = world.service(&[Scope::CoursesWrite]).await;
    for action in ["enroll", "unenroll", "revoke"] {
        for user in ["<learner>", "<globex learner>", UNKNOWN] {
            for actor in [&world.acme.peer, &world.acme.author] {
                let error = world.refused(actor, CHECK, of(action, user)).await;
                expect(&error, &refusal(CHECK, "FORBIDDEN", role_required()));
            }
            let error = world.refused(&outsider, CHECK, of(action, user)).await;
            expect(&error, &refusal(CHECK, "FORBIDDEN", scope_required("enrollments:read")));
        }
    }
    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &writer] {
        let answer = check(&world, actor, "enroll", "<learner>").await;
        expect(&answer, &allowed("enrolled", json!({})));
    }
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    let answer = check(&world, &reader, "enroll", "<learner>").await;
    expect(&answer, &refused(json!([scope_required("enrollments:write")])));
}

async fn of_oneself(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "action": "enroll", "courseId": "<course>" });
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator, &world.acme.admin] {
        let answer = world.ok(actor, CHECK, input.clone()).await;
        expect(&answer, &allowed("enrolled", json!({})));
    }
    let error = world.refused(&Actor::Anonymous, CHECK, input.clone()).await;
    expect(&error, &refusal(CHECK, "UNAUTHORIZED", json!(null)));
    let error = world.refused(&world.global_admin, CHECK, input.clone()).await;
    expect(&error, &refusal(CHECK, "FORBIDDEN", json!({ "type": "notAMember" })));
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, CHECK, input).await;
    let reason = json!({ "type": "invalidInput", "field": "userId", "problem": "required of a service" });
    expect(&error, &refusal(CHECK, "BAD_REQUEST", reason));
}
