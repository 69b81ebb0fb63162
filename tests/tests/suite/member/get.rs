//! `member.get`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::member;

on_both![a_member, by_whom, unknown_and_foreign];

const GET: &str = "member.get";

async fn a_member(world: World) {
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        let answer = world.ok(actor, GET, json!({ "userId": "<author>" })).await;
        expect(&answer, &member(json!({ "userId": "<author>", "displayName": "author", "role": "author" })));
    }
}

async fn by_whom(world: World) {
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, GET, json!({ "userId": user })).await;
            expect(&error, &refusal(GET, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let service = world.service(&[Scope::EnrollmentsRead]).await;
    let error = world.refused(&service, GET, json!({ "userId": "<learner>" })).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(GET, "FORBIDDEN", reason));
}

async fn unknown_and_foreign(world: World) {
    for actor in [&world.acme.admin, &world.global_admin] {
        for user in ["<globex learner>", "<global admin>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, GET, json!({ "userId": user })).await;
            expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
        }
    }
}
