//! `serviceToken.*`

mod create;
mod list;
mod revoke;

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, refusal};

const NAME: &str = "integration";

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Nothing has this id.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// A token of acme that reads enrollments, for ever.
#[track_caller]
fn token(fields: Value) -> Value {
    let usual = json!({
        "id": "<token>",
        "name": NAME,
        "scopes": ["enrollments:read"],
        "expiresAt": null,
        "lastUsedAt": null,
        "revokedAt": null,
        "createdAt": "<t1>",
    });
    merged(usual, fields)
}

/// What makes it.
fn input(fields: Value) -> Value {
    let usual =
        json!({ "name": NAME, "scopes": ["enrollments:read"], "expiresAt": null, "idempotencyKey": null });
    merged(usual, fields)
}

/// An admin of acme makes a token called `<name>`; the service that has it.
async fn made(world: &World, name: &str, fields: Value) -> Actor {
    let made = world.call(&world.acme.admin, "serviceToken.create", input(fields)).await.unwrap();
    world.name(name, made["serviceToken"]["id"].as_str().unwrap());
    Actor::Service { secret: made["secret"].as_str().unwrap().to_owned() }
}

/// A moment so much later than now.
fn in_future(world: &World, by: Duration) -> String {
    world.app.clock.now().plus(by).to_string()
}

/// The ids of acme's tokens, each with when it was revoked.
async fn tokens(world: &World) -> Vec<(Value, Value)> {
    let page = world.call(&world.acme.admin, "serviceToken.list", json!({ "limit": 200 })).await.unwrap();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| (item["id"].clone(), item["revokedAt"].clone())).collect()
}

/// The error of a call that is to be refused. No token of acme was made or revoked by it.
async fn refused(world: &World, actor: &Actor, path: &str, input: Value) -> Value {
    let before = tokens(world).await;
    let error = world.refused(actor, path, input).await;
    assert_eq!(tokens(world).await, before);
    error
}

/// Service tokens are for admins alone, and no scope is for them.
async fn refused_to_others(world: &World, path: &str, input: &Value) {
    let service = world.service(Scope::ALL).await;
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator, &service] {
        let error = refused(world, actor, path, input.clone()).await;
        expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error = refused(world, &Actor::Anonymous, path, input.clone()).await;
    expect(&error, &refusal(path, "UNAUTHORIZED", json!(null)));
}
