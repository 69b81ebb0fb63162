//! `serviceToken.revoke`

use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::{HOUR, UNKNOWN, in_future, input, made, refused, refused_to_others, token, tokens};

on_both![from_the_next_call_on, again_changes_nothing, one_that_has_expired, only_their_own_ones, by_whom];

const REVOKE: &str = "serviceToken.revoke";

async fn from_the_next_call_on(world: World) {
    let service = made(&world, "token", json!({})).await;
    let other = made(&world, "other", json!({})).await;
    let answer = world.ok(&world.acme.admin, REVOKE, json!({ "serviceTokenId": "<token>" })).await;
    expect(&answer, &token(json!({ "revokedAt": "<t2>" })));
    let error = world.refused(&service, "session.me", json!({})).await;
    expect(&error, &refusal("session.me", "UNAUTHORIZED", json!(null)));
    // Others are as valid as before, also one that was just used.
    world.ok(&other, "session.me", json!({})).await;
    let input = json!({ "serviceTokenId": "<other>" });
    world.ok(&world.acme.admin, REVOKE, input).await;
    let error = world.refused(&other, "session.me", json!({})).await;
    expect(&error, &refusal("session.me", "UNAUTHORIZED", json!(null)));
}

async fn again_changes_nothing(world: World) {
    made(&world, "token", json!({})).await;
    let input = json!({ "serviceTokenId": "<token>" });
    let first = world.ok(&world.acme.admin, REVOKE, input.clone()).await;
    let before = tokens(&world).await;
    for actor in [&world.acme.admin, &world.global_admin] {
        expect(&world.ok(actor, REVOKE, input.clone()).await, &first);
    }
    assert_eq!(tokens(&world).await, before);
}

async fn one_that_has_expired(world: World) {
    made(&world, "token", json!({ "expiresAt": in_future(&world, HOUR) })).await;
    world.clock_ahead(HOUR * 2);
    let input = json!({ "serviceTokenId": "<token>" });
    let answer = world.call(&world.acme.admin, REVOKE, input).await.unwrap();
    assert!(answer["revokedAt"].as_str() > answer["expiresAt"].as_str(), "{answer}");
}

/// D17: neither a token of globex nor one that does not exist is there.
async fn only_their_own_ones(world: World) {
    let theirs = world.call(&world.globex.admin, "serviceToken.create", input(json!({}))).await.unwrap();
    for id in [theirs["serviceToken"]["id"].as_str().unwrap(), UNKNOWN] {
        for actor in [&world.acme.admin, &world.global_admin] {
            let error = refused(&world, actor, REVOKE, json!({ "serviceTokenId": id })).await;
            expect(&error, &refusal(REVOKE, "NOT_FOUND", json!(null)));
        }
    }
    let listed = world.ok(&world.globex.admin, "serviceToken.list", json!({})).await;
    assert_eq!(listed["items"][0]["revokedAt"], json!(null));
}

async fn by_whom(world: World) {
    for (name, actor) in [("token", &world.acme.admin), ("another", &world.global_admin)] {
        made(&world, name, json!({})).await;
        let input = json!({ "serviceTokenId": format!("<{name}>") });
        refused_to_others(&world, REVOKE, &input).await;
        world.ok(actor, REVOKE, input).await;
    }
}
