//! `module.listByEnrollment`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, merged, on_both, refusal};

on_both![in_the_order_of_the_course, a_module_added_later, to_whom];

const LIST: &str = "module.listByEnrollment";

fn module(fields: Value) -> Value {
    let usual = json!({
        "id": "<2>",
        "enrollmentId": "<1>",
        "userId": "<learner>",
        "moduleId": "<first>",
        "title": "first",
        "kind": "lesson",
        "position": 1,
        "enrolledAt": "<t1>",
        "startedAt": null,
        "completedAt": null,
        "completed": false,
        "softDeleted": false,
    });
    merged(usual, fields)
}

async fn in_the_order_of_the_course(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "second").await;
    let input = json!({ "courseId": "<course>", "title": "first", "kind": "lesson", "position": 1 });
    let first = world.call(&world.acme.admin, "course.addModule", input).await.unwrap();
    world.name("first", first["id"].as_str().unwrap());
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.learner, LIST, json!({ "enrollmentId": "<1>" })).await;
    let second = json!({ "id": "<3>", "moduleId": "<second>", "title": "second", "position": 2 });
    expect(&answer, &json!([module(json!({})), module(second)]));
}

/// D14.
async fn a_module_added_later(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "first").await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    world.module("<course>", "later").await;
    let answer = world.ok(&world.acme.learner, LIST, json!({ "enrollmentId": "<1>" })).await;
    expect(&answer, &json!([module(json!({}))]));
}

async fn to_whom(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.enrolled(&world.acme.learner, "<other>", "elsewhere").await;
    world.course_in(&world.globex, "globex course", json!({})).await;
    world.enrolled(&world.globex.learner, "<globex course>", "foreign").await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    let input = json!({ "enrollmentId": "<enrollment>" });
    for actor in
        [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin, &reader]
    {
        expect(&world.ok(actor, LIST, input.clone()).await, &json!([]));
    }
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (actor, enrollment) in [
        (&world.acme.peer, "<enrollment>"),
        (&world.acme.author, "<elsewhere>"),
        (&world.acme.admin, "<foreign>"),
        (&world.global_admin, "<foreign>"),
        (&world.acme.admin, unknown),
    ] {
        let error = world.refused(actor, LIST, json!({ "enrollmentId": enrollment })).await;
        expect(&error, &refusal(LIST, "NOT_FOUND", json!(null)));
    }
    let error = world.refused(&world.service(&[]).await, LIST, input).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(LIST, "FORBIDDEN", reason));
}
