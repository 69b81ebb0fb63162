//! `enrollment.count`

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

on_both![by_status_and_seats, over_capacity, to_whom, unknown_and_foreign];

const COUNT: &str = "enrollment.count";

async fn by_status_and_seats(world: World) {
    world.course("course", json!({ "capacity": 4 })).await;
    let becomes = [
        "cancelled",
        "expired",
        "enrolled",
        "completed",
        "completed",
        "completed",
        "waitlisted",
        "waitlisted",
    ];
    for (number, status) in becomes.into_iter().enumerate() {
        let someone = world.person(&format!("person {number}"), Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("enrollment {number}")).await;
        let enrollment = format!("<enrollment {number}>");
        match status {
            "cancelled" => world.cancelled(&enrollment).await,
            "expired" => world.expired(&enrollment).await,
            "completed" => world.completed(&enrollment).await,
            _ => {}
        }
    }
    let answer = world.ok(&world.acme.coordinator, COUNT, json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "enrolled": 1, "waitlisted": 2, "completed": 3, "cancelled": 1, "expired": 1,
        "capacity": 4, "seatsTaken": 4, "overBy": 0,
    });
    expect(&answer, &expected);
}

/// D10: lowering the capacity removes nobody.
async fn over_capacity(world: World) {
    world.course("course", json!({ "capacity": 3 })).await;
    for (actor, name) in
        [(&world.acme.learner, "one"), (&world.acme.peer, "two"), (&world.acme.author, "three")]
    {
        world.enrolled(actor, "<course>", name).await;
    }
    let lowered = json!({ "courseId": "<course>", "version": 2, "capacity": 1 });
    let course = world.ok(&world.acme.admin, "course.update", lowered).await;
    assert_eq!((&course["capacity"], &course["seatsTaken"]), (&json!(1), &json!(3)));
    let answer = world.ok(&world.acme.admin, COUNT, json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "enrolled": 3, "waitlisted": 0, "completed": 0, "cancelled": 0, "expired": 0,
        "capacity": 1, "seatsTaken": 3, "overBy": 2,
    });
    expect(&answer, &expected);
}

async fn to_whom(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    let input = json!({ "courseId": "<course>" });
    for actor in
        [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin, &reader]
    {
        world.ok(actor, COUNT, input.clone()).await;
    }
    let error = world.refused(&world.acme.learner, COUNT, input.clone()).await;
    expect(&error, &refusal(COUNT, "FORBIDDEN", json!({ "type": "roleRequired" })));
    let error = world.refused(&world.acme.author, COUNT, json!({ "courseId": "<other>" })).await;
    expect(&error, &refusal(COUNT, "FORBIDDEN", json!({ "type": "roleRequired" })));
    let error = world.refused(&world.service(&[Scope::EnrollmentsWrite]).await, COUNT, input).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(COUNT, "FORBIDDEN", reason));
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    for course in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let error = world.refused(actor, COUNT, json!({ "courseId": course })).await;
            expect(&error, &refusal(COUNT, "NOT_FOUND", json!(null)));
        }
    }
}
