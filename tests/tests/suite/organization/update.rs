//! `organization.update`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

on_both![
    name_and_slug,
    what_is_not_told_stays,
    a_slug_that_is_taken,
    where_the_call_is_in,
    under_a_key,
    by_whom
];

const UPDATE: &str = "organization.update";

fn acme(fields: Value) -> Value {
    let usual = json!({
        "id": "<acme>", "slug": "acme", "name": "acme", "reminderLeadDays": [30, 7], "createdAt": "<t1>",
    });
    merged(usual, fields)
}

async fn name_and_slug(world: World) {
    let told = json!({ "name": "Acme Corporation", "slug": "acme-corporation" });
    let answer = world.ok(&world.global_admin, UPDATE, told.clone()).await;
    expect(&answer, &acme(told));
    let stored = world.ok(&world.global_admin, "organization.get", json!({})).await;
    expect(&stored, &answer);
    // Its people sign in as ever.
    assert_eq!(world.ok(&world.acme.learner, "session.me", json!({})).await["organizationId"], "<acme>");
}

async fn what_is_not_told_stays(world: World) {
    let answer = world.ok(&world.global_admin, UPDATE, json!({ "name": "Acme" })).await;
    expect(&answer, &acme(json!({ "name": "Acme" })));
    let answer = world.ok(&world.global_admin, UPDATE, json!({ "slug": "acme-2", "name": null })).await;
    expect(&answer, &acme(json!({ "name": "Acme", "slug": "acme-2" })));
    let before = world.contents().await;
    // Its own slug is not taken.
    for told in [json!(null), json!({}), json!({ "slug": "acme-2" })] {
        expect(&world.ok(&world.global_admin, UPDATE, told).await, &answer);
    }
    assert_eq!(world.contents().await, before);
}

async fn a_slug_that_is_taken(world: World) {
    let input = json!({ "slug": "globex", "name": "Another" });
    let error = world.refused(&world.global_admin, UPDATE, input).await;
    expect(&error, &refusal(UPDATE, "CONFLICT", json!({ "type": "slugTaken" })));

    // One that was given up is free.
    world.ok(&world.global_admin, UPDATE, json!({ "slug": "acme-2" })).await;
    let there = world.global_admin.choosing(&world.globex.id);
    let answer = world.ok(&there, UPDATE, json!({ "slug": "acme" })).await;
    assert_eq!([&answer["id"], &answer["slug"]], ["<globex>", "acme"]);
}

/// D18: no other organization is changed.
async fn where_the_call_is_in(world: World) {
    let there = world.global_admin.choosing(&world.globex.id);
    let acme_before = world.ok(&world.global_admin, "organization.get", json!({})).await;
    let answer = world.ok(&there, UPDATE, json!({ "name": "Globex" })).await;
    assert_eq!([&answer["id"], &answer["name"]], ["<globex>", "Globex"]);
    expect(&world.ok(&world.global_admin, "organization.get", json!({})).await, &acme_before);
}

async fn under_a_key(world: World) {
    let input = json!({ "name": "Acme", "idempotencyKey": "k" });
    let first = world.ok(&world.global_admin, UPDATE, input.clone()).await;
    world.ok(&world.global_admin, UPDATE, json!({ "name": "Acme Corporation" })).await;
    let before = world.contents().await;
    expect(&world.ok(&world.global_admin, UPDATE, input).await, &first);
    assert_eq!(world.contents().await, before);
}

async fn by_whom(world: World) {
    let every_scope = world.service(Scope::ALL).await;
    let acme = &world.acme;
    for actor in [&acme.learner, &acme.author, &acme.coordinator, &acme.admin, &every_scope] {
        for input in [json!({ "name": "Acme" }), json!({ "slug": "globex" })] {
            let error = world.refused(actor, UPDATE, input).await;
            expect(&error, &refusal(UPDATE, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let error = world.refused(&Actor::Anonymous, UPDATE, json!({ "name": "Acme" })).await;
    expect(&error, &refusal(UPDATE, "UNAUTHORIZED", json!(null)));
}
