//! `cohort.*`

mod courses;
mod create;
mod get;
mod list;
mod members;
mod sync;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, refusal};

/// Nothing has this id.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// A cohort of acme with nobody and nothing in it.
#[track_caller]
fn cohort(fields: Value) -> Value {
    let usual = json!({
        "id": "<cohort>",
        "organizationId": "<acme>",
        "name": "cohort",
        "memberCount": 0,
        "courseIds": [],
        "createdAt": "<t1>",
    });
    merged(usual, fields)
}

/// An admin of acme makes a cohort, which is called by its name.
async fn made(world: &World, name: &str, mut fields: Value) {
    fields["name"] = name.into();
    let made = world.call(&world.acme.admin, "cohort.create", fields).await.unwrap();
    world.name(name, made["id"].as_str().unwrap());
}

/// The status of each of these people's enrollments in a course, null for who has none.
async fn standing(world: &World, course: &str, people: &[&str]) -> Value {
    let mut statuses = Vec::new();
    for person in people {
        let input = json!({ "courseId": course, "userId": person });
        let found = world.call(&world.acme.admin, "enrollment.find", input).await.unwrap();
        statuses.push(found["status"].clone());
    }
    statuses.into()
}

/// The error where a person or a course is unknown or foreign (D17), by the rule that says so.
fn not_there(path: &str, rule: &str) -> Value {
    let mut error = refusal(path, "NOT_FOUND", json!(null));
    error["data"]["rule"] = rule.into();
    error
}

/// Whoever has nothing to do with cohorts is refused.
async fn refused_to_others(world: &World, path: &str, input: &Value) {
    for actor in [&world.acme.learner, &world.acme.author] {
        let error = world.refused(actor, path, input.clone()).await;
        expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let service = world.service(&[Scope::EnrollmentsWrite, Scope::CoursesWrite, Scope::MembersWrite]).await;
    let error = world.refused(&service, path, input.clone()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "cohorts:write" });
    expect(&error, &refusal(path, "FORBIDDEN", reason));
    let error = world.refused(&Actor::Anonymous, path, input.clone()).await;
    expect(&error, &refusal(path, "UNAUTHORIZED", json!(null)));
}

/// D17: neither a cohort of globex nor one that does not exist is there. The inputs lack the cohort's id.
async fn only_their_own(world: &World, calls: &[(&str, Value)]) {
    let input = json!({ "name": "theirs" });
    let theirs = world.call(&world.globex.admin, "cohort.create", input).await.unwrap();
    for (path, input) in calls {
        for id in [theirs["id"].as_str().unwrap(), UNKNOWN] {
            let mut input = input.clone();
            input["cohortId"] = id.into();
            for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
                let error = world.refused(actor, path, input.clone()).await;
                expect(&error, &refusal(path, "NOT_FOUND", json!(null)));
            }
        }
    }
}
