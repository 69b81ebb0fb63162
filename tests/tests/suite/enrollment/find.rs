//! `enrollment.find`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use crate::answers::enrollment;

on_both![own, null_where_there_is_none, of_others];

const FIND: &str = "enrollment.find";

async fn own(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "mine").await;
    for input in [json!({ "courseId": "<course>" }), json!({ "courseId": "<course>", "userId": "<learner>" })]
    {
        let answer = world.ok(&world.acme.learner, FIND, input).await;
        expect(&answer, &enrollment(json!({ "id": "<mine>" })));
    }
}

async fn null_where_there_is_none(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    world.ok(&world.globex.learner, "enrollment.enroll", json!({ "courseId": "<foreign>" })).await;
    for course in ["<course>", "<foreign>", "00000000-0000-4000-8000-000000000000"] {
        let answer = world.ok(&world.acme.learner, FIND, json!({ "courseId": course })).await;
        expect(&answer, &Value::Null);
    }
    for user in ["<globex learner>", "00000000-0000-4000-8000-000000000000"] {
        let answer =
            world.ok(&world.acme.admin, FIND, json!({ "courseId": "<foreign>", "userId": user })).await;
        expect(&answer, &Value::Null);
    }
}

async fn of_others(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" });
    world.ok(&world.acme.coordinator, "enrollment.enroll", input).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>" });
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    let cases = [
        (&world.acme.coordinator, json!("a note")),
        (&world.acme.admin, json!("a note")),
        (&world.global_admin, json!("a note")),
        (&reader, json!(null)),
    ];
    for (actor, notes) in cases {
        let answer = world.ok(actor, FIND, input.clone()).await;
        let expected =
            json!({ "source": "coordinator", "enrolledByUserId": "<coordinator>", "notes": notes });
        expect(&answer, &enrollment(expected));
    }
    for actor in [&world.acme.peer, &world.acme.author] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, FIND, json!({ "courseId": "<course>", "userId": user })).await;
            expect(&error, &refusal(FIND, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let error = world.refused(&world.service(&[]).await, FIND, input).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(FIND, "FORBIDDEN", reason));
}
