//! `enrollment.unenroll`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use crate::answers::{each, enrollment};

on_both![
    a_learner_leaves_a_course,
    without_a_session,
    its_modules_go_with_it,
    a_waitlist_can_be_left,
    only_from_enrolled_or_waitlisted,
    not_enrolled,
    a_managed_course_is_not_left_by_learners,
    a_coordinator_unenrolls_learners,
    others_by_their_standing,
    the_seat_is_free_again,
    a_closed_course_can_be_left,
];

const UNENROLL: &str = "enrollment.unenroll";

fn of(user: &str) -> Value {
    json!({ "courseId": "<course>", "userId": user })
}

fn cancelled(fields: Value) -> Value {
    let usual = json!({
        "status": "cancelled", "softDeleted": true, "cancelledAt": "<t2>", "updatedAt": "<t2>", "version": 2,
    });
    tests::merged(enrollment(usual), fields)
}

async fn a_learner_leaves_a_course(world: World) {
    world.course("course", json!({})).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let input = json!({ "courseId": "<course>", "reason": "no time" });
    let answer = world.ok(&world.acme.learner, UNENROLL, input).await;
    expect(&answer, &cancelled(json!({})));

    let stored = world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<1>" })).await;
    expect(&stored, &answer);
    let history = world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<1>" })).await;
    assert_eq!(history["items"][1]["data"]["reason"], "no time");
}

async fn without_a_session(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let error = world.refused(&Actor::Anonymous, UNENROLL, of("<learner>")).await;
    expect(&error, &refusal(UNENROLL, "UNAUTHORIZED", json!(null)));
}

/// D4: soft-deleted, with their progress.
async fn its_modules_go_with_it(world: World) {
    world.course("course", json!({})).await;
    for name in ["first", "second", "third"] {
        world.module("<course>", name).await;
    }
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let first = world.id_literal("<first>");
    for sql in [
        &format!("UPDATE module_enrollments SET completed_at = enrolled_at WHERE module_id = {first}"),
        "UPDATE course_enrollments SET modules_completed = 1",
    ] {
        assert_eq!(world.sql(sql).await, Ok(1));
    }
    let answer = world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    let progress = [&answer["progress"], &answer["modulesTotal"], &answer["modulesCompleted"]];
    assert_eq!(progress, [&json!(33), &json!(3), &json!(1)]);

    let modules = world
        .ok(&world.acme.learner, "module.listByEnrollment", json!({ "enrollmentId": "<enrollment>" }))
        .await;
    let modules = json!({ "items": modules });
    assert_eq!(each(&modules, "softDeleted"), [true, true, true]);
    assert_eq!(each(&modules, "completed"), [true, false, false]);
}

/// D9.
async fn a_waitlist_can_be_left(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let waiting =
        world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<enrollment>" })).await;
    assert_eq!((&waiting["status"], &waiting["waitlistPosition"]), (&json!("waitlisted"), &json!(1)));

    let answer = world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    assert_eq!((&answer["status"], &answer["waitlistPosition"]), (&json!("cancelled"), &json!(null)));
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    assert_eq!([&count["waitlisted"], &count["cancelled"]], [0, 1]);
}

/// D3, D5: whoever asks.
async fn only_from_enrolled_or_waitlisted(world: World) {
    world.course("course", json!({})).await;
    for status in ["cancelled", "expired", "completed"] {
        world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
        match status {
            "cancelled" => world.cancelled("<enrollment>").await,
            "expired" => world.expired("<enrollment>").await,
            _ => world.completed("<enrollment>").await,
        }
        for actor in [&world.acme.learner, &world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let error = world.refused(actor, UNENROLL, of("<learner>")).await;
            let reason = json!({ "type": "invalidTransition", "from": status, "to": "cancelled" });
            expect(&error, &refusal(UNENROLL, "CONFLICT", reason));
        }
    }
}

async fn not_enrolled(world: World) {
    world.course("course", json!({})).await;
    for (actor, user) in [
        (&world.acme.learner, "<learner>"),
        (&world.acme.coordinator, "<learner>"),
        (&world.acme.admin, "<author>"),
        (&world.global_admin, "<learner>"),
    ] {
        let error = world.refused(actor, UNENROLL, of(user)).await;
        expect(&error, &refusal(UNENROLL, "NOT_FOUND", json!(null)));
    }
}

/// D20.
async fn a_managed_course_is_not_left_by_learners(world: World) {
    world.course("course", json!({ "enrollmentMode": "managed" })).await;
    world.ok(&world.acme.coordinator, "enrollment.enroll", of("<learner>")).await;
    let error = world.refused(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    expect(&error, &refusal(UNENROLL, "FORBIDDEN", json!({ "type": "managedCourse" })));
    world.ok(&world.acme.coordinator, UNENROLL, of("<learner>")).await;

    // In an open course a learner may drop what others enrolled them in.
    world.course("open", json!({})).await;
    let input = json!({ "courseId": "<open>", "userId": "<learner>" });
    world.ok(&world.acme.coordinator, "enrollment.enroll", input).await;
    world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<open>" })).await;
}

/// D21.
async fn a_coordinator_unenrolls_learners(world: World) {
    world.course("course", json!({})).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    world.enrolled(&world.acme.author, "<course>", "author's").await;
    let error = world.refused(&world.acme.coordinator, UNENROLL, of("<author>")).await;
    let mut expected = refusal(UNENROLL, "FORBIDDEN", json!({ "type": "roleRequired" }));
    expected["data"]["rule"] = "coordinator_proxy_enrollment_allowed".into();
    expect(&error, &expected);

    let answer = world.ok(&world.acme.coordinator, UNENROLL, of("<learner>")).await;
    expect(&answer, &cancelled(json!({})));
}

async fn others_by_their_standing(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    for actor in [&world.acme.peer, &world.acme.author] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, UNENROLL, of(user)).await;
            expect(&error, &refusal(UNENROLL, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let service = world.service(&[Scope::EnrollmentsRead]).await;
    let error = world.refused(&service, UNENROLL, of("<learner>")).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
    expect(&error, &refusal(UNENROLL, "FORBIDDEN", reason));

    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        let answer = world.ok(actor, UNENROLL, of("<learner>")).await;
        assert_eq!(answer["status"], "cancelled");
        world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    }
}

async fn the_seat_is_free_again(world: World) {
    world.course("course", json!({ "capacity": 5 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "enrolled": 0, "waitlisted": 0, "completed": 0, "cancelled": 1, "expired": 0,
        "capacity": 5, "seatsTaken": 0, "overBy": 0,
    });
    expect(&count, &expected);
}

async fn a_closed_course_can_be_left(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.ok(&world.acme.admin, "course.archive", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    assert_eq!(answer["status"], "cancelled");
}
