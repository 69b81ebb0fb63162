//! `course.get`

use procedures::member::Role;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use crate::answers::published;

on_both![a_published_course, a_draft_is_not_shown_to_learners, those_one_is_enrolled_in, unknown_and_foreign];

const GET: &str = "course.get";

async fn a_published_course(world: World) {
    world.course("course", json!({ "capacity": 9 })).await;
    for name in ["first", "second"] {
        world.module("<course>", name).await;
    }
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let service = world.service(&[]).await;
    let expected = published(json!({
        "capacity": 9, "seatsTaken": 1, "modulesTotal": 2, "publishedAt": "<t2>", "updatedAt": "<t3>",
    }));
    for actor in [
        &world.acme.learner,
        &world.acme.author,
        &world.acme.coordinator,
        &world.acme.admin,
        &world.global_admin,
        &service,
    ] {
        expect(&world.ok(actor, GET, json!({ "courseId": "<course>" })).await, &expected);
    }
}

async fn a_draft_is_not_shown_to_learners(world: World) {
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.course("archived", json!({})).await;
    world.ok(&world.acme.admin, "course.archive", json!({ "courseId": "<archived>" })).await;
    for course in ["<draft>", "<archived>"] {
        let input = json!({ "courseId": course });
        let error = world.refused(&world.acme.learner, GET, input.clone()).await;
        expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
        for actor in [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            world.ok(actor, GET, input.clone()).await;
        }
    }
}

async fn those_one_is_enrolled_in(world: World) {
    world.course("course", json!({ "capacity": 4 })).await;
    let mut people = Vec::new();
    for status in ["enrolled", "completed", "cancelled", "expired", "waitlisted"] {
        let someone = world.person(status, Role::Learner).await;
        people.push((status, someone));
    }
    for (status, someone) in &people {
        let name = format!("{status} one");
        world.enrolled(someone, "<course>", &name).await;
    }
    world.completed("<completed one>").await;
    world.ok(&world.acme.admin, "course.archive", json!({ "courseId": "<course>" })).await;
    world.cancelled("<cancelled one>").await;
    world.expired("<expired one>").await;
    let input = json!({ "courseId": "<course>" });
    for (status, someone) in &people {
        if ["enrolled", "waitlisted", "completed"].contains(status) {
            world.ok(someone, GET, input.clone()).await;
        } else {
            let error = world.refused(someone, GET, input.clone()).await;
            expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
        }
    }
    let error = world.refused(&world.acme.peer, GET, input).await;
    expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    for course in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.learner, &world.acme.admin, &world.global_admin] {
            let error = world.refused(actor, GET, json!({ "courseId": course })).await;
            expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
        }
    }
    world.ok(&world.global_admin.choosing(&world.globex.id), GET, json!({ "courseId": "<foreign>" })).await;
}
