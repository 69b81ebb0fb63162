//! `session.me`, and how a session comes about.

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

on_both![
    of_a_person,
    of_a_service,
    of_a_global_admin,
    without_a_session,
    a_first_sign_in_makes_a_member,
    one_subject_at_two_providers_is_two_people,
    who_is_suspended_or_ended,
    another_organization_is_not_chosen,
    a_role_counts_from_the_next_call_on,
    a_token_that_is_not_valid,
];

const ME: &str = "session.me";

fn session(fields: Value) -> Value {
    let usual = json!({
        "kind": "user",
        "userId": "<learner>",
        "organizationId": "<acme>",
        "role": "learner",
        "globalAdmin": false,
        "displayName": "learner",
        "scopes": [],
    });
    merged(usual, fields)
}

async fn of_a_person(world: World) {
    let acme = &world.acme;
    for (actor, name) in [
        (&acme.learner, "learner"),
        (&acme.author, "author"),
        (&acme.coordinator, "coordinator"),
        (&acme.admin, "admin"),
    ] {
        let expected = json!({ "userId": format!("<{name}>"), "role": name, "displayName": name });
        expect(&world.ok(actor, ME, json!({})).await, &session(expected.clone()));
        // Naming one's own organization changes nothing.
        expect(&world.ok(&actor.choosing(&acme.id), ME, json!(null)).await, &session(expected));
    }
}

async fn of_a_service(world: World) {
    let service = world.service(&[Scope::EnrollmentsRead, Scope::EventsRead]).await;
    let expected = json!({
        "kind": "service", "userId": null, "role": null, "displayName": null,
        "scopes": ["enrollments:read", "events:read"],
    });
    expect(&world.ok(&service, ME, json!({})).await, &session(expected));
}

/// D18: a global admin acts in one organization at a time, chosen explicitly.
async fn of_a_global_admin(world: World) {
    let usual = json!({
        "userId": "<global admin>", "role": null, "globalAdmin": true, "displayName": "global admin",
    });
    expect(&world.ok(&world.global_admin, ME, json!({})).await, &session(usual.clone()));
    let at_home = world.global_admin.choosing(&world.globex.id);
    let expected = merged(session(usual), json!({ "organizationId": "<globex>", "role": "learner" }));
    expect(&world.ok(&at_home, ME, json!({})).await, &expected);
}

async fn without_a_session(world: World) {
    let error = world.refused(&Actor::Anonymous, ME, json!({})).await;
    expect(&error, &refusal(ME, "UNAUTHORIZED", json!(null)));
}

async fn a_first_sign_in_makes_a_member(world: World) {
    let stranger = world.acme.stranger("new here");
    let first = world.call(&stranger, ME, json!({})).await.unwrap();
    let again = world.call(&stranger, ME, json!({})).await.unwrap();
    assert_eq!(first, again);
    world.name("stranger", first["userId"].as_str().unwrap());
    let answer = world.ok(&stranger, ME, json!({})).await;
    expect(&answer, &session(json!({ "userId": "<stranger>", "displayName": null })));

    let member = world.ok(&world.acme.admin, "member.get", json!({ "userId": "<stranger>" })).await;
    assert_eq!([&member["role"], &member["status"]], ["learner", "active"]);
}

/// The user is the pair of issuer and subject.
async fn one_subject_at_two_providers_is_two_people(world: World) {
    let here = world.call(&world.acme.stranger("same"), ME, json!({})).await.unwrap();
    let there = world.call(&world.globex.stranger("same"), ME, json!({})).await.unwrap();
    assert_ne!(here["userId"], there["userId"]);
    assert_ne!(here["organizationId"], there["organizationId"]);
}

/// D19: the next call is refused.
async fn who_is_suspended_or_ended(world: World) {
    world.ok(&world.acme.learner, ME, json!({})).await;
    for change in ["suspend", "end"] {
        world.membership(change, "<learner>").await;
        let error = world.refused(&world.acme.learner, ME, json!({})).await;
        expect(&error, &refusal(ME, "FORBIDDEN", json!({ "type": "notAMember" })));
    }
}

/// D18: whether it exists or not.
async fn another_organization_is_not_chosen(world: World) {
    let unknown = "00000000-0000-4000-8000-000000000000";
    for actor in [&world.acme.learner, &world.acme.admin] {
        for chosen in [&world.globex.id, unknown, "globex", ""] {
            let error = world.refused(&actor.choosing(chosen), ME, json!({})).await;
            expect(&error, &refusal(ME, "FORBIDDEN", json!({ "type": "notAMember" })));
        }
    }
    for chosen in [unknown, "acme", ""] {
        let error = world.refused(&world.global_admin.choosing(chosen), ME, json!({})).await;
        expect(&error, &refusal(ME, "FORBIDDEN", json!({ "type": "notAMember" })));
    }
}

async fn a_role_counts_from_the_next_call_on(world: World) {
    let input = json!({ "userId": "<learner>", "role": "author" });
    world.ok(&world.acme.admin, "member.setRole", input).await;
    assert_eq!(world.ok(&world.acme.learner, ME, json!({})).await["role"], "author");
    let (_, id) = world.acme.person(&world.app, "learner", Role::Coordinator, false).await;
    assert_eq!(id, world.id("<learner>"));
    assert_eq!(world.ok(&world.acme.learner, ME, json!({})).await["role"], "coordinator");
}

async fn a_token_that_is_not_valid(world: World) {
    let made_up = Actor::Service { secret: "rbs_made-up".into() };
    let error = world.refused(&made_up, ME, json!({})).await;
    expect(&error, &refusal(ME, "UNAUTHORIZED", json!(null)));

    for ended in ["revoked_at", "expires_at"] {
        let service = world.service(&[Scope::EnrollmentsRead]).await;
        world.ok(&service, ME, json!({})).await;
        world.sql(&format!("UPDATE service_tokens SET {ended} = created_at")).await.unwrap();
        let error = world.refused(&service, ME, json!({})).await;
        expect(&error, &refusal(ME, "UNAUTHORIZED", json!(null)));
    }
}
