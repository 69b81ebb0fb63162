//! `course.addModule`, `course.updateModule`, `course.retireModule`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, merged, on_both, refusal};

on_both![
    a_module_is_added_last,
    a_module_is_added_between,
    a_module_is_edited,
    a_module_is_moved,
    a_module_is_retired,
    by_whom,
    unknown_and_foreign,
];

fn module(fields: Value) -> Value {
    let usual = json!({
        "id": "<1>", "courseId": "<course>", "title": "Ownership", "kind": "lesson", "position": 1, "retiredAt": null,
    });
    merged(usual, fields)
}

/// The modules of the course in their order, as a new enrollment gets them.
async fn order(world: &World) -> Vec<(String, i64)> {
    let input = json!({ "courseId": "<course>" });
    let enrolled = world.call(&world.acme.learner, "enrollment.enroll", input.clone()).await.unwrap();
    let modules = json!({ "enrollmentId": enrolled["id"] });
    let modules = world.call(&world.acme.learner, "module.listByEnrollment", modules).await.unwrap();
    world.call(&world.acme.learner, "enrollment.unenroll", input).await.unwrap();
    let current = modules.as_array().unwrap().iter().filter(|module| module["softDeleted"] == false);
    current
        .map(|module| (module["title"].as_str().unwrap().to_owned(), module["position"].as_i64().unwrap()))
        .collect()
}

fn titled(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(title, position)| ((*title).to_owned(), *position)).collect()
}

async fn a_module_is_added_last(world: World) {
    world.course("course", json!({})).await;
    for (number, kind) in ["lesson", "quiz", "survey", "webinar", "scorm"].into_iter().enumerate() {
        let input = json!({ "courseId": "<course>", "title": "Ownership", "kind": kind });
        let answer = world.ok(&world.acme.admin, "course.addModule", input).await;
        let expected = json!({ "id": format!("<{}>", number + 1), "kind": kind, "position": number + 1 });
        expect(&answer, &module(expected));
    }
    let course = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    assert_eq!(course["modulesTotal"], 5);
}

async fn a_module_is_added_between(world: World) {
    world.course("course", json!({})).await;
    for name in ["a", "b", "c"] {
        world.module("<course>", name).await;
    }
    let input = json!({ "courseId": "<course>", "title": "between", "kind": "quiz", "position": 2 });
    let answer = world.ok(&world.acme.admin, "course.addModule", input).await;
    expect(&answer, &module(json!({ "title": "between", "kind": "quiz", "position": 2 })));
    assert_eq!(order(&world).await, titled(&[("a", 1), ("between", 2), ("b", 3), ("c", 4)]));
    let input = json!({ "courseId": "<course>", "title": "far", "kind": "quiz", "position": 10 });
    world.ok(&world.acme.admin, "course.addModule", input).await;
    assert_eq!(order(&world).await, titled(&[("a", 1), ("between", 2), ("b", 3), ("c", 4), ("far", 10)]));
}

async fn a_module_is_edited(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "a").await;
    let unchanged = world.ok(&world.acme.admin, "course.updateModule", json!({ "moduleId": "<a>" })).await;
    expect(&unchanged, &module(json!({ "id": "<a>", "title": "a" })));
    let input = json!({ "moduleId": "<a>", "title": "Ownership", "kind": "scorm" });
    let answer = world.ok(&world.acme.admin, "course.updateModule", input).await;
    expect(&answer, &module(json!({ "id": "<a>", "kind": "scorm" })));
    assert_eq!(order(&world).await, titled(&[("Ownership", 1)]));
}

async fn a_module_is_moved(world: World) {
    world.course("course", json!({})).await;
    for name in ["a", "b", "c"] {
        world.module("<course>", name).await;
    }
    let input = json!({ "moduleId": "<c>", "position": 1 });
    let answer = world.ok(&world.acme.admin, "course.updateModule", input).await;
    expect(&answer, &module(json!({ "id": "<c>", "title": "c" })));
    assert_eq!(order(&world).await, titled(&[("c", 1), ("a", 2), ("b", 3)]));
}

async fn a_module_is_retired(world: World) {
    world.course("course", json!({})).await;
    for name in ["a", "b"] {
        world.module("<course>", name).await;
    }
    let answer = world.ok(&world.acme.admin, "course.retireModule", json!({ "moduleId": "<a>" })).await;
    expect(&answer, &module(json!({ "id": "<a>", "title": "a", "retiredAt": "<t1>" })));
    let before = world.contents().await;
    let again = world.ok(&world.acme.admin, "course.retireModule", json!({ "moduleId": "<a>" })).await;
    expect(&again, &answer);
    assert_eq!(world.contents().await, before);
    assert_eq!(order(&world).await, titled(&[("b", 2)]));
    let course = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    assert_eq!(course["modulesTotal"], 1);
}

async fn by_whom(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    world.module("<course>", "own").await;
    world.module("<other>", "another's").await;
    let calls = |course: &str, module: &str| {
        [
            ("course.addModule", json!({ "courseId": course, "title": "new", "kind": "lesson" })),
            ("course.updateModule", json!({ "moduleId": module, "title": "renamed" })),
            ("course.retireModule", json!({ "moduleId": module })),
        ]
    };
    let reader = world.service(&[Scope::EnrollmentsWrite]).await;
    for (path, input) in calls("<course>", "<own>") {
        for actor in [&world.acme.learner, &world.acme.coordinator] {
            let error = world.refused(actor, path, input.clone()).await;
            expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
        let error = world.refused(&reader, path, input).await;
        let reason = json!({ "type": "scopeRequired", "scope": "courses:write" });
        expect(&error, &refusal(path, "FORBIDDEN", reason));
    }
    for (path, input) in calls("<other>", "<another's>") {
        let error = world.refused(&world.acme.author, path, input).await;
        expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let writer = world.service(&[Scope::CoursesWrite]).await;
    for actor in [&world.acme.author, &world.acme.admin, &world.global_admin, &writer] {
        for (path, input) in calls("<course>", "<own>") {
            world.ok(actor, path, input).await;
        }
    }
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    let input = json!({ "courseId": "<foreign>", "title": "theirs", "kind": "lesson" });
    let theirs = world.call(&world.globex.admin, "course.addModule", input).await.unwrap();
    world.name("theirs", theirs["id"].as_str().unwrap());
    let unknown = "00000000-0000-4000-8000-000000000000";
    for actor in [&world.acme.author, &world.acme.admin, &world.global_admin] {
        for (course, module) in [("<foreign>", "<theirs>"), (unknown, unknown)] {
            for (path, input) in [
                ("course.addModule", json!({ "courseId": course, "title": "new", "kind": "lesson" })),
                ("course.updateModule", json!({ "moduleId": module, "title": "renamed" })),
                ("course.retireModule", json!({ "moduleId": module })),
            ] {
                let error = world.refused(actor, path, input).await;
                expect(&error, &refusal(path, "NOT_FOUND", json!(null)));
            }
        }
    }
}
