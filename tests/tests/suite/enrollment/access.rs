//! `enrollment.access`

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

on_both![
    by_the_status_of_the_enrollment,
    not_enrolled,
    access_that_has_ended,
    access_of_who_completed_in_time,
    an_enrollment_without_its_course_published,
    who_is_no_active_member,
    of_others,
];

const ACCESS: &str = "enrollment.access";

async fn by_the_status_of_the_enrollment(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    for (status, reason) in [
        ("waitlisted", json!("waitlisted")),
        ("cancelled", json!("cancelled")),
        ("enrolled", json!(null)),
        ("expired", json!("expired")),
        ("completed", json!(null)),
    ] {
        match status {
            "cancelled" => world.cancelled("<enrollment>").await,
            "expired" => world.expired("<enrollment>").await,
            _ => {
                world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
            }
        }
        match status {
            "cancelled" => world.capacity("<course>", json!(1)).await,
            "completed" => world.completed("<enrollment>").await,
            _ => {}
        }
        let answer = world.ok(&world.acme.learner, ACCESS, json!({ "courseId": "<course>" })).await;
        let expected = json!({
            "granted": reason.is_null(),
            "status": status,
            "enrollmentId": "<enrollment>",
            "expiresAt": null,
            "reason": reason,
        });
        expect(&answer, &expected);
    }
}

fn no_enrollment(reason: &str) -> Value {
    json!({ "granted": false, "status": null, "enrollmentId": null, "expiresAt": null, "reason": reason })
}

async fn not_enrolled(world: World) {
    world.course("course", json!({})).await;
    let globex = &world.globex;
    world.course_in(globex, "foreign", json!({})).await;
    for course in ["<course>", "<foreign>", "00000000-0000-4000-8000-000000000000"] {
        let answer = world.ok(&world.acme.learner, ACCESS, json!({ "courseId": course })).await;
        expect(&answer, &no_enrollment("notEnrolled"));
    }
}

/// D7: access ends at `expiresAt`, whether the enrollment was swept already or not.
async fn access_that_has_ended(world: World) {
    world.course("course", json!({ "accessDays": 1 })).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let asked = || world.ok(&world.acme.learner, ACCESS, json!({ "courseId": "<course>" }));
    let answer = |granted: bool, status: &str, reason: Value| {
        json!({
            "granted": granted, "status": status, "enrollmentId": "<1>", "expiresAt": "<t1+1d>", "reason": reason,
        })
    };
    expect(&asked().await, &answer(true, "enrolled", json!(null)));
    world.clock_ahead(Duration::from_secs(86_400));
    expect(&asked().await, &answer(false, "enrolled", json!("expired")));
    world.expired("<1>").await;
    expect(&asked().await, &answer(false, "expired", json!("expired")));
}

/// D7.
async fn access_of_who_completed_in_time(world: World) {
    world.course("course", json!({ "accessDays": 1 })).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    world.completed("<1>").await;
    world.clock_ahead(Duration::from_secs(2 * 86_400));
    let answer = world.ok(&world.acme.learner, ACCESS, json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "granted": true, "status": "completed", "enrollmentId": "<1>", "expiresAt": "<t1+1d>", "reason": null,
    });
    expect(&answer, &expected);
}

/// D16.
async fn an_enrollment_without_its_course_published(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.ok(&world.acme.admin, "course.unpublish", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.learner, ACCESS, json!({ "courseId": "<course>" })).await;
    assert_eq!(answer["granted"], true);
}

async fn who_is_no_active_member(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = |user: &str| json!({ "courseId": "<course>", "userId": user });
    for (change, status) in [("suspend", "enrolled"), ("end", "cancelled")] {
        world.membership(change, "<learner>").await;
        let answer = world.ok(&world.acme.admin, ACCESS, input("<learner>")).await;
        let expected = json!({
            "granted": false, "status": status, "enrollmentId": "<enrollment>", "expiresAt": null,
            "reason": "notAMember",
        });
        expect(&answer, &expected);
        let error = world.refused(&world.acme.learner, ACCESS, json!({ "courseId": "<course>" })).await;
        expect(&error, &refusal(ACCESS, "FORBIDDEN", json!({ "type": "notAMember" })));
    }
    for user in ["<globex learner>", "00000000-0000-4000-8000-000000000000"] {
        let answer = world.ok(&world.acme.admin, ACCESS, input(user)).await;
        expect(&answer, &no_enrollment("notAMember"));
    }
}

async fn of_others(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>" });
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &reader] {
        assert_eq!(world.ok(actor, ACCESS, input.clone()).await["granted"], true);
    }
    for actor in [&world.acme.peer, &world.acme.author] {
        let error = world.refused(actor, ACCESS, input.clone()).await;
        expect(&error, &refusal(ACCESS, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&writer, ACCESS, input.clone()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(ACCESS, "FORBIDDEN", reason));
    let error = world.refused(&Actor::Anonymous, ACCESS, input).await;
    expect(&error, &refusal(ACCESS, "UNAUTHORIZED", json!(null)));
}
