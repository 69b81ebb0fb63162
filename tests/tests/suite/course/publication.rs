//! `course.publish`, `course.unpublish`, `course.archive`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use crate::answers::{course, published};

on_both![there_and_back, where_it_already_is_so, by_whom, unknown_and_foreign];

async fn there_and_back(world: World) {
    world.draft_in(&world.acme, "course", json!({})).await;
    let input = json!({ "courseId": "<course>" });
    let draft = world.ok(&world.acme.admin, "course.get", input.clone()).await;
    expect(&draft, &course(json!({})));
    let answer = world.ok(&world.acme.admin, "course.publish", input.clone()).await;
    expect(&answer, &published(json!({})));
    let answer = world.ok(&world.acme.admin, "course.archive", input.clone()).await;
    expect(&answer, &published(json!({ "status": "archived", "version": 3, "updatedAt": "<t3>" })));
    let answer = world.ok(&world.acme.admin, "course.unpublish", input.clone()).await;
    expect(&answer, &published(json!({ "status": "draft", "version": 4, "updatedAt": "<t4>" })));
    let answer = world.ok(&world.acme.admin, "course.publish", input).await;
    expect(&answer, &published(json!({ "version": 5, "publishedAt": "<t5>", "updatedAt": "<t5>" })));
}

async fn where_it_already_is_so(world: World) {
    world.draft_in(&world.acme, "course", json!({})).await;
    for path in ["course.publish", "course.unpublish", "course.archive"] {
        let input = json!({ "courseId": "<course>" });
        let answer = world.ok(&world.acme.admin, path, input.clone()).await;
        let before = world.contents().await;
        expect(&world.ok(&world.acme.admin, path, input).await, &answer);
        assert_eq!(world.contents().await, before);
    }
}

async fn by_whom(world: World) {
    world.draft_in(&world.acme, "course", json!({ "authorIds": ["<author>"] })).await;
    world.draft_in(&world.acme, "other", json!({})).await;
    let reader = world.service(&[Scope::EnrollmentsWrite]).await;
    let writer = world.service(&[Scope::CoursesWrite]).await;
    for path in ["course.publish", "course.unpublish", "course.archive"] {
        let input = json!({ "courseId": "<course>" });
        for actor in [&world.acme.learner, &world.acme.coordinator] {
            let error = world.refused(actor, path, input.clone()).await;
            expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
        let error = world.refused(&reader, path, input.clone()).await;
        let reason = json!({ "type": "scopeRequired", "scope": "courses:write" });
        expect(&error, &refusal(path, "FORBIDDEN", reason));
        let error = world.refused(&world.acme.author, path, json!({ "courseId": "<other>" })).await;
        expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
        for actor in [&world.acme.author, &world.acme.admin, &world.global_admin, &writer] {
            world.ok(actor, path, input.clone()).await;
        }
    }
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    for path in ["course.publish", "course.unpublish", "course.archive"] {
        for id in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
            for actor in [&world.acme.author, &world.acme.admin, &world.global_admin] {
                let error = world.refused(actor, path, json!({ "courseId": id })).await;
                expect(&error, &refusal(path, "NOT_FOUND", json!(null)));
            }
        }
    }
}
