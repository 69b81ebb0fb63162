//! `cohort.get`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both};

use super::{cohort, made, only_their_own, refused_to_others};

on_both![with_who_and_what_is_in_it, by_whom, unknown_and_foreign];

const GET: &str = "cohort.get";

/// Members in whatever standing, courses in whatever status, and nothing that was removed.
async fn with_who_and_what_is_in_it(world: World) {
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.course("archived", json!({})).await;
    world.course("detached", json!({})).await;
    let input = json!({
        "userIds": ["<learner>", "<peer>", "<author>"], "courseIds": ["<draft>", "<archived>", "<detached>"],
    });
    made(&world, "cohort", input).await;
    world.ok(&world.acme.admin, "course.archive", json!({ "courseId": "<archived>" })).await;
    world.membership("suspend", "<learner>").await;
    let removed = json!({ "cohortId": "<cohort>", "userIds": ["<peer>"] });
    world.call(&world.acme.admin, "cohort.removeMembers", removed).await.unwrap();
    let detached = json!({ "cohortId": "<cohort>", "courseId": "<detached>" });
    let detached = world.ok(&world.acme.admin, "cohort.detachCourse", detached).await;
    let answer = world.ok(&world.acme.admin, GET, json!({ "cohortId": "<cohort>" })).await;
    let expected = json!({
        "memberCount": 2, "courseIds": ["<draft>", "<archived>"], "createdAt": detached["createdAt"],
    });
    expect(&answer, &cohort(expected));
}

async fn by_whom(world: World) {
    made(&world, "cohort", json!({})).await;
    let input = json!({ "cohortId": "<cohort>" });
    refused_to_others(&world, GET, &input).await;
    let service = world.service(&[Scope::CohortsWrite]).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
        expect(&world.ok(actor, GET, input.clone()).await, &cohort(json!({})));
    }
}

async fn unknown_and_foreign(world: World) {
    only_their_own(&world, &[(GET, json!({}))]).await;
}
