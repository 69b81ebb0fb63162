//! `module.drift`

use std::time::Duration;

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use super::start::of;
use crate::answers::{each, last_page};

on_both![
    who_lacks_what,
    what_is_retired_or_was_taken_away_is_not_missing,
    only_of_those_enrolled,
    not_of_those_whose_access_has_ended,
    page_by_page,
    to_whom,
    unknown_and_foreign,
];

const DRIFT: &str = "module.drift";

/// The learner, without any module so far, lacks one.
#[track_caller]
fn entry(fields: Value) -> Value {
    let usual = json!({
        "enrollmentId": "<of the learner>",
        "userId": "<learner>",
        "missing": ["<later>"],
        "progressNow": 0,
        "progressAfter": 0,
    });
    merged(usual, fields)
}

/// D14: what is told beforehand is what assigning comes to.
async fn who_lacks_what(world: World) {
    let admin = &world.acme.admin;
    world.course("course", json!({})).await;
    world.module("<course>", "a").await;
    world.module("<course>", "b").await;
    world.enrolled(&world.acme.learner, "<course>", "of the learner").await;
    world.ok(&world.acme.learner, "module.complete", of("<of the learner>", "<a>")).await;
    world.module("<course>", "c").await;
    world.enrolled(&world.acme.peer, "<course>", "of the peer").await;
    world.module("<course>", "d").await;
    world.enrolled(&world.acme.author, "<course>", "of the author").await;
    world.ok(admin, "course.updateModule", json!({ "moduleId": "<d>", "position": 1 })).await;

    let input = json!({ "courseId": "<course>" });
    let answer = world.ok(admin, DRIFT, input.clone()).await;
    let learner = json!({ "missing": ["<d>", "<c>"], "progressNow": 50, "progressAfter": 25 });
    let peer = entry(json!({ "enrollmentId": "<of the peer>", "userId": "<peer>", "missing": ["<d>"] }));
    expect(&answer, &last_page([entry(learner), peer.clone()]));

    for module in ["<c>", "<d>"] {
        world.ok(admin, "module.assign", of("<of the learner>", module)).await;
    }
    expect(&world.ok(admin, DRIFT, input).await, &last_page([peer]));
    let read = json!({ "enrollmentId": "<of the learner>" });
    assert_eq!(world.ok(admin, "enrollment.get", read).await["progress"], 25);
}

async fn what_is_retired_or_was_taken_away_is_not_missing(world: World) {
    let admin = &world.acme.admin;
    world.course("course", json!({})).await;
    world.module("<course>", "taken away").await;
    world.enrolled(&world.acme.learner, "<course>", "of the learner").await;
    world.ok(admin, "module.unassign", of("<of the learner>", "<taken away>")).await;
    world.module("<course>", "retired").await;
    world.ok(admin, "course.retireModule", json!({ "moduleId": "<retired>" })).await;
    let input = json!({ "courseId": "<course>" });
    expect(&world.ok(admin, DRIFT, input.clone()).await, &last_page([]));
    // Beside what is missing they are not told either.
    world.module("<course>", "later").await;
    expect(&world.ok(admin, DRIFT, input).await, &last_page([entry(json!({}))]));
}

async fn only_of_those_enrolled(world: World) {
    let acme = &world.acme;
    world.course("course", json!({})).await;
    for (actor, name) in [
        (&acme.learner, "of the learner"),
        (&acme.peer, "cancelled"),
        (&acme.author, "expired"),
        (&acme.coordinator, "completed"),
    ] {
        world.enrolled(actor, "<course>", name).await;
    }
    world.cancelled("<cancelled>").await;
    world.expired("<expired>").await;
    world.completed("<completed>").await;
    world.capacity("<course>", json!(0)).await;
    world.enrolled(&acme.admin, "<course>", "waitlisted").await;
    world.module("<course>", "later").await;
    let count = world.ok(&acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    for status in ["enrolled", "waitlisted", "completed", "cancelled", "expired"] {
        assert_eq!(count[status], 1, "{status}");
    }
    let answer = world.ok(&acme.admin, DRIFT, json!({ "courseId": "<course>" })).await;
    expect(&answer, &last_page([entry(json!({}))]));
}

/// They are no longer under way, and nothing can be assigned to them.
async fn not_of_those_whose_access_has_ended(world: World) {
    world.course("course", json!({ "accessDays": 1 })).await;
    world.enrolled(&world.acme.learner, "<course>", "of the learner").await;
    world.module("<course>", "later").await;
    let input = json!({ "courseId": "<course>" });
    let answer = world.ok(&world.acme.admin, DRIFT, input.clone()).await;
    expect(&answer, &last_page([entry(json!({}))]));
    world.clock_ahead(Duration::from_secs(86_400));
    expect(&world.ok(&world.acme.admin, DRIFT, input).await, &last_page([]));
}

/// A walk sees each once, also if it assigns as it goes.
async fn page_by_page(world: World) {
    let admin = &world.acme.admin;
    world.course("course", json!({})).await;
    for number in 0..5 {
        let someone = world.person(&format!("person {number}"), Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("enrollment {number}")).await;
    }
    world.module("<course>", "later").await;
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let input = json!({ "courseId": "<course>", "limit": 2, "cursor": cursor });
        let page = world.ok(admin, DRIFT, input).await;
        for enrollment in each(&page, "enrollmentId") {
            world.ok(admin, "module.assign", of(enrollment.as_str().unwrap(), "<later>")).await;
            seen.push(enrollment);
        }
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert_eq!(each(&page, "enrollmentId").len(), 2);
    }
    let expected: Vec<_> = (0..5).map(|number| format!("<enrollment {number}>")).collect();
    assert_eq!(seen, expected);
}

async fn to_whom(world: World) {
    let acme = &world.acme;
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    world.enrolled(&acme.learner, "<course>", "of the learner").await;
    world.module("<course>", "later").await;
    let input = json!({ "courseId": "<course>" });
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for actor in [&acme.author, &acme.coordinator, &acme.admin, &world.global_admin, &reader] {
        expect(&world.ok(actor, DRIFT, input.clone()).await, &last_page([entry(json!({}))]));
    }
    let error = world.refused(&Actor::Anonymous, DRIFT, input.clone()).await;
    expect(&error, &refusal(DRIFT, "UNAUTHORIZED", json!(null)));
    for (actor, course) in [(&acme.learner, "<course>"), (&acme.author, "<other>")] {
        let error = world.refused(actor, DRIFT, json!({ "courseId": course })).await;
        expect(&error, &refusal(DRIFT, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let writer = world.service(&[Scope::EnrollmentsWrite, Scope::CoursesWrite]).await;
    let error = world.refused(&writer, DRIFT, input).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(DRIFT, "FORBIDDEN", reason));
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    for course in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let error = world.refused(actor, DRIFT, json!({ "courseId": course })).await;
            expect(&error, &refusal(DRIFT, "NOT_FOUND", json!(null)));
        }
    }
}
