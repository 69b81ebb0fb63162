//! `member.provision`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::member;

on_both![
    before_the_first_sign_in,
    with_all_that_can_be_told,
    who_is_a_member_already,
    who_was_one_or_is_suspended,
    by_whom,
    without_an_identity_provider,
];

const PROVISION: &str = "member.provision";

async fn before_the_first_sign_in(world: World) {
    let answer = world.ok(&world.acme.admin, PROVISION, json!({ "subject": "newcomer" })).await;
    expect(&answer, &member(json!({})));
    let session = world.ok(&world.acme.stranger("newcomer"), "session.me", json!({})).await;
    assert_eq!([&session["userId"], &session["role"]], ["<1>", "learner"]);
}

async fn with_all_that_can_be_told(world: World) {
    let told = json!({ "displayName": "New Comer", "email": "new@example.com", "role": "coordinator" });
    let mut input = told.clone();
    input["subject"] = "newcomer".into();
    let answer = world.ok(&world.acme.admin, PROVISION, input).await;
    expect(&answer, &member(told));
    let stored = world.ok(&world.acme.admin, "member.get", json!({ "userId": "<1>" })).await;
    expect(&stored, &answer);
}

async fn who_is_a_member_already(world: World) {
    let input = json!({ "subject": "learner", "email": "learner@example.com", "role": "author" });
    let answer = world.ok(&world.acme.admin, PROVISION, input).await;
    let expected = json!({
        "userId": "<learner>", "displayName": "learner", "email": "learner@example.com", "role": "author",
    });
    expect(&answer, &member(expected.clone()));
    let answer = world.ok(&world.acme.admin, PROVISION, json!({ "subject": "learner" })).await;
    expect(&answer, &member(expected));
}

async fn who_was_one_or_is_suspended(world: World) {
    for (before, after) in [("end", "active"), ("suspend", "suspended")] {
        world.membership(before, "<learner>").await;
        let answer = world.ok(&world.acme.admin, PROVISION, json!({ "subject": "learner" })).await;
        let expected = json!({ "userId": "<learner>", "displayName": "learner", "status": after });
        expect(&answer, &member(expected));
    }
}

async fn by_whom(world: World) {
    let input = json!({ "subject": "newcomer" });
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        let error = world.refused(actor, PROVISION, input.clone()).await;
        expect(&error, &refusal(PROVISION, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error =
        world.refused(&world.service(&[Scope::EnrollmentsWrite]).await, PROVISION, input.clone()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(PROVISION, "FORBIDDEN", reason));
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&service, &world.global_admin] {
        let answer = world.ok(actor, PROVISION, input.clone()).await;
        expect(&answer, &member(json!({})));
    }
}

async fn without_an_identity_provider(world: World) {
    let input = json!({ "slug": "initech", "name": "Initech" });
    let initech = world.call(&world.global_admin, "organization.create", input).await.unwrap();
    let there = world.global_admin.choosing(initech["id"].as_str().unwrap());
    let error = world.refused(&there, PROVISION, json!({ "subject": "newcomer" })).await;
    expect(&error, &refusal(PROVISION, "PRECONDITION_FAILED", json!({ "type": "noIdentityProvider" })));
}
