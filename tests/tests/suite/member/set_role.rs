//! `member.setRole`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::member;

on_both![every_role, by_whom, unknown_and_foreign];

const SET_ROLE: &str = "member.setRole";

async fn every_role(world: World) {
    for role in ["author", "coordinator", "admin", "learner", "learner"] {
        let answer =
            world.ok(&world.acme.admin, SET_ROLE, json!({ "userId": "<learner>", "role": role })).await;
        expect(&answer, &member(json!({ "userId": "<learner>", "displayName": "learner", "role": role })));
    }
}

async fn by_whom(world: World) {
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, SET_ROLE, json!({ "userId": user, "role": "admin" })).await;
            expect(&error, &refusal(SET_ROLE, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let input = json!({ "userId": "<learner>", "role": "author" });
    let error =
        world.refused(&world.service(&[Scope::EnrollmentsWrite]).await, SET_ROLE, input.clone()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(SET_ROLE, "FORBIDDEN", reason));
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&service, &world.global_admin] {
        world.ok(actor, SET_ROLE, input.clone()).await;
    }
}

async fn unknown_and_foreign(world: World) {
    for actor in [&world.acme.admin, &world.global_admin] {
        for user in ["<globex learner>", "<global admin>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, SET_ROLE, json!({ "userId": user, "role": "admin" })).await;
            expect(&error, &refusal(SET_ROLE, "NOT_FOUND", json!(null)));
        }
    }
}
