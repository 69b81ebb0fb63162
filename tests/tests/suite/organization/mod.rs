//! `organization.*`

mod identity_provider;
mod update;

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

on_both![create, create_a_slug_that_is_taken, get, get_another, by_whom];

async fn create(world: World) {
    let input = json!({ "slug": "initech", "name": "Initech" });
    let answer = world.ok(&world.global_admin, "organization.create", input).await;
    let expected = json!({ "id": "<1>", "slug": "initech", "name": "Initech", "createdAt": "<t1>", "reminderLeadDays": [30, 7] });
    expect(&answer, &expected);

    let there = world.global_admin.choosing(&world.id("<1>"));
    expect(&world.ok(&there, "organization.get", json!({})).await, &expected);
    // Its event log is ready to be written.
    assert_eq!(world.contents().await["event_heads"].len(), 3);
}

async fn create_a_slug_that_is_taken(world: World) {
    let input = json!({ "slug": "globex", "name": "Another" });
    let error = world.refused(&world.global_admin, "organization.create", input).await;
    expect(&error, &refusal("organization.create", "CONFLICT", json!({ "type": "slugTaken" })));
}

async fn get(world: World) {
    for input in [json!(null), json!({}), json!({ "organizationId": "<acme>" })] {
        let answer = world.ok(&world.global_admin, "organization.get", input).await;
        let expected = json!({ "id": "<acme>", "slug": "acme", "name": "acme", "createdAt": "<t1>", "reminderLeadDays": [30, 7] });
        expect(&answer, &expected);
    }
}

async fn get_another(world: World) {
    for id in ["<globex>", "00000000-0000-4000-8000-000000000000"] {
        let error =
            world.refused(&world.global_admin, "organization.get", json!({ "organizationId": id })).await;
        expect(&error, &refusal("organization.get", "NOT_FOUND", json!(null)));
    }
}

async fn by_whom(world: World) {
    let every_scope = world.service(Scope::ALL).await;
    for (path, input) in [
        ("organization.create", json!({ "slug": "initech", "name": "Initech" })),
        ("organization.get", json!({})),
    ] {
        for actor in [
            &world.acme.learner,
            &world.acme.author,
            &world.acme.coordinator,
            &world.acme.admin,
            &every_scope,
        ] {
            let error = world.refused(actor, path, input.clone()).await;
            expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
}
