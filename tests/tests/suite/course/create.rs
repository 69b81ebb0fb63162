//! `course.create`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, merged, on_both, refusal};

use crate::answers::course;

on_both![
    of_a_title_alone,
    of_all_fields,
    an_author_s_own,
    authors_are_members,
    a_window_that_closes_first,
    by_whom
];

const CREATE: &str = "course.create";

fn created(fields: Value) -> Value {
    merged(course(json!({ "id": "<1>", "title": "Rust" })), fields)
}

async fn of_a_title_alone(world: World) {
    let answer = world.ok(&world.acme.admin, CREATE, json!({ "title": "Rust" })).await;
    expect(&answer, &created(json!({})));
    let stored = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<1>" })).await;
    expect(&stored, &answer);
}

async fn of_all_fields(world: World) {
    let fields = json!({
        "title": "Rust",
        "description": "From ownership to async.",
        "capacity": 0,
        "waitlist": false,
        "opensAt": "2030-01-01T00:00:00.000000Z",
        "closesAt": "2030-02-01T00:00:00.000000Z",
        "accessDays": 90,
        "endsAt": "2031-01-01T00:00:00.000000Z",
        "passScore": 66.67,
        "certificate": false,
        "certificateValidDays": 365,
        "enrollmentMode": "managed",
        "autoComplete": true,
        "authorIds": ["<author>"],
    });
    let answer = world.ok(&world.acme.admin, CREATE, fields.clone()).await;
    expect(&answer, &created(fields));
    let stored = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<1>" })).await;
    expect(&stored, &answer);
}

/// An author's course is theirs; others' are nobody's unless told.
async fn an_author_s_own(world: World) {
    let answer = world.ok(&world.acme.author, CREATE, json!({ "title": "Rust" })).await;
    expect(&answer, &created(json!({ "authorIds": ["<author>"] })));
    let input = json!({ "title": "Rust", "authorIds": ["<peer>"] });
    let error = world.refused(&world.acme.author, CREATE, input).await;
    let reason =
        json!({ "type": "invalidInput", "field": "authorIds", "problem": "an author's own id is missing" });
    expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
}

async fn authors_are_members(world: World) {
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (ids, place, problem) in [
        (json!(["<author>", unknown]), 1, "not a member of the organization"),
        (json!(["<globex author>"]), 0, "not a member of the organization"),
        (json!(["<author>", "<admin>", "<author>"]), 2, "named twice"),
    ] {
        let input = json!({ "title": "Rust", "authorIds": ids });
        let error = world.refused(&world.acme.admin, CREATE, input).await;
        let reason =
            json!({ "type": "invalidInput", "field": format!("authorIds[{place}]"), "problem": problem });
        expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
    }
}

async fn a_window_that_closes_first(world: World) {
    let input =
        json!({ "title": "Rust", "opensAt": "2030-01-01T00:00:00Z", "closesAt": "2030-01-01T00:00:00Z" });
    let error = world.refused(&world.acme.admin, CREATE, input).await;
    let reason = json!({ "type": "invalidInput", "field": "closesAt", "problem": "not after opensAt" });
    expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
}

async fn by_whom(world: World) {
    let input = json!({ "title": "Rust" });
    for actor in [&world.acme.learner, &world.acme.coordinator] {
        let error = world.refused(actor, CREATE, input.clone()).await;
        expect(&error, &refusal(CREATE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error = world.refused(&world.service(&[Scope::EnrollmentsWrite]).await, CREATE, input.clone()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "courses:write" });
    expect(&error, &refusal(CREATE, "FORBIDDEN", reason));
    let service = world.service(&[Scope::CoursesWrite]).await;
    for (actor, number) in [(&world.acme.admin, 1), (&world.global_admin, 2), (&service, 3)] {
        let answer = world.ok(actor, CREATE, input.clone()).await;
        let at = format!("<t{number}>");
        let expected = json!({ "id": format!("<{number}>"), "createdAt": at, "updatedAt": at });
        expect(&answer, &created(expected));
    }
}
