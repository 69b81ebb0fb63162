//! `course.update`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, merged, on_both, refusal};

use crate::answers::course;

on_both![
    an_absent_field_stays,
    a_null_field_is_cleared,
    every_field_is_set,
    a_version_that_has_passed,
    counters_stand,
    a_title_is_not_cleared,
    a_window_that_closes_first,
    an_author_stays_one,
    by_whom,
    unknown_and_foreign,
];

const UPDATE: &str = "course.update";

fn all_fields() -> Value {
    json!({
        "title": "Rust",
        "description": "From ownership to async.",
        "capacity": 7,
        "waitlist": false,
        "opensAt": "2030-01-01T00:00:00.000000Z",
        "closesAt": "2030-02-01T00:00:00.000000Z",
        "accessDays": 90,
        "endsAt": "2031-01-01T00:00:00.000000Z",
        "passScore": 99.5,
        "certificate": false,
        "certificateValidDays": 365,
        "enrollmentMode": "managed",
        "autoComplete": true,
        "authorIds": ["<author>"],
    })
}

/// What `fields` are sent with.
fn edit(version: i32, fields: &Value) -> Value {
    let mut input = fields.clone();
    input["courseId"] = "<course>".into();
    input["version"] = version.into();
    input
}

async fn an_absent_field_stays(world: World) {
    world.draft_in(&world.acme, "course", all_fields()).await;
    let before = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    expect(&before, &course(all_fields()));
    let answer = world.ok(&world.acme.admin, UPDATE, edit(1, &json!({}))).await;
    expect(&answer, &merged(before, json!({ "version": 2, "updatedAt": "<t2>" })));
}

async fn a_null_field_is_cleared(world: World) {
    world.draft_in(&world.acme, "course", all_fields()).await;
    world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    let mut cleared = all_fields();
    for (_, value) in cleared.as_object_mut().unwrap() {
        *value = Value::Null;
    }
    cleared["title"] = "Rust".into();
    let answer = world.ok(&world.acme.admin, UPDATE, edit(1, &cleared)).await;
    expect(&answer, &course(json!({ "title": "Rust", "version": 2, "updatedAt": "<t2>" })));
    let stored = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    expect(&stored, &answer);
}

async fn every_field_is_set(world: World) {
    world.draft_in(&world.acme, "course", json!({})).await;
    world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.admin, UPDATE, edit(1, &all_fields())).await;
    expect(&answer, &merged(course(all_fields()), json!({ "version": 2, "updatedAt": "<t2>" })));
    let stored = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    expect(&stored, &answer);
}

async fn a_version_that_has_passed(world: World) {
    world.draft_in(&world.acme, "course", json!({})).await;
    world.ok(&world.acme.admin, UPDATE, edit(1, &json!({ "capacity": 1 }))).await;
    for version in [1, 3] {
        let error = world.refused(&world.acme.admin, UPDATE, edit(version, &json!({ "capacity": 2 }))).await;
        expect(&error, &refusal(UPDATE, "CONFLICT", json!({ "type": "versionMismatch", "current": 2 })));
    }
}

/// What is enrolled meanwhile is no edit of the course, and an edit does not touch it.
async fn counters_stand(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let answer = world.ok(&world.acme.admin, UPDATE, edit(2, &json!({ "title": "Rust" }))).await;
    assert_eq!((&answer["seatsTaken"], &answer["version"]), (&json!(1), &json!(3)));
}

async fn a_title_is_not_cleared(world: World) {
    world.draft_in(&world.acme, "course", json!({})).await;
    let error = world.refused(&world.acme.admin, UPDATE, edit(1, &json!({ "title": null }))).await;
    let reason = json!({ "type": "invalidInput", "field": "title", "problem": "a course has a title" });
    expect(&error, &refusal(UPDATE, "BAD_REQUEST", reason));
}

async fn a_window_that_closes_first(world: World) {
    world.draft_in(&world.acme, "course", json!({ "opensAt": "2030-01-01T00:00:00Z" })).await;
    let fields = json!({ "closesAt": "2029-12-31T23:59:59Z" });
    let error = world.refused(&world.acme.admin, UPDATE, edit(1, &fields)).await;
    let reason = json!({ "type": "invalidInput", "field": "closesAt", "problem": "not after opensAt" });
    expect(&error, &refusal(UPDATE, "BAD_REQUEST", reason));
}

async fn an_author_stays_one(world: World) {
    world.draft_in(&world.acme, "course", json!({ "authorIds": ["<author>", "<admin>"] })).await;
    for ids in [json!([]), json!(["<admin>"])] {
        let error = world.refused(&world.acme.author, UPDATE, edit(1, &json!({ "authorIds": ids }))).await;
        let reason = json!({ "type": "invalidInput", "field": "authorIds", "problem": "an author's own id is missing" });
        expect(&error, &refusal(UPDATE, "BAD_REQUEST", reason));
    }
    for (ids, expected) in [
        (json!(["<author>", "<peer>"]), vec!["<author>", "<peer>"]),
        (json!(null), vec!["<author>"]),
        (json!(["<author>"]), vec!["<author>"]),
    ] {
        let course = world.ok(&world.acme.author, "course.get", json!({ "courseId": "<course>" })).await;
        let version = i32::try_from(course["version"].as_i64().unwrap()).unwrap();
        let answer = world.ok(&world.acme.author, UPDATE, edit(version, &json!({ "authorIds": ids }))).await;
        let mut authors: Vec<_> =
            answer["authorIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        authors.sort_unstable();
        assert_eq!(authors, expected);
    }
}

async fn by_whom(world: World) {
    world.draft_in(&world.acme, "course", json!({ "authorIds": ["<author>"] })).await;
    world.draft_in(&world.acme, "other", json!({})).await;
    for actor in [&world.acme.learner, &world.acme.coordinator] {
        let error = world.refused(actor, UPDATE, edit(1, &json!({}))).await;
        expect(&error, &refusal(UPDATE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error =
        world.refused(&world.acme.author, UPDATE, json!({ "courseId": "<other>", "version": 1 })).await;
    expect(&error, &refusal(UPDATE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, UPDATE, edit(1, &json!({}))).await;
    let reason = json!({ "type": "scopeRequired", "scope": "courses:write" });
    expect(&error, &refusal(UPDATE, "FORBIDDEN", reason));
    let service = world.service(&[Scope::CoursesWrite]).await;
    for (actor, version) in
        [(&world.acme.author, 1), (&world.acme.admin, 2), (&world.global_admin, 3), (&service, 4)]
    {
        world.ok(actor, UPDATE, edit(version, &json!({}))).await;
    }
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    for id in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.author, &world.acme.admin, &world.global_admin] {
            for version in [1, 2] {
                let error = world.refused(actor, UPDATE, json!({ "courseId": id, "version": version })).await;
                expect(&error, &refusal(UPDATE, "NOT_FOUND", json!(null)));
            }
        }
    }
}
