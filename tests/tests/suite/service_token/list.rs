//! `serviceToken.list`

use std::time::Duration;

use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};
use tokio::time::sleep;

use super::{HOUR, input, made, refused, refused_to_others, token};
use crate::answers::{each, last_page};

on_both![
    oldest_first,
    page_by_page,
    when_it_was_last_used,
    another_organization_s_are_not_shown,
    a_cursor_of_another_list,
    by_whom,
];

const LIST: &str = "serviceToken.list";

/// Those that are revoked too.
async fn oldest_first(world: World) {
    expect(&world.ok(&world.acme.admin, LIST, json!({})).await, &last_page([]));
    made(&world, "token", json!({})).await;
    made(&world, "second", json!({ "scopes": ["events:read", "members:write"] })).await;
    let revoked = json!({ "serviceTokenId": "<token>" });
    world.call(&world.acme.admin, "serviceToken.revoke", revoked).await.unwrap();
    let first = token(json!({ "revokedAt": "<t2>" }));
    let second = token(json!({
        "id": "<second>", "scopes": ["events:read", "members:write"], "createdAt": "<t3>",
    }));
    expect(&world.ok(&world.acme.admin, LIST, json!({})).await, &last_page([first, second]));
}

async fn page_by_page(world: World) {
    let names = ["one", "two", "three", "four", "five"];
    for name in names {
        made(&world, name, json!({})).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = world.ok(&world.acme.admin, LIST, json!({ "limit": 2, "cursor": cursor })).await;
        seen.extend(each(&page, "id"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, names.map(|name| format!("<{name}>")));
}

/// No call waits for it to be noted, and within a minute it is noted once.
async fn when_it_was_last_used(world: World) {
    let service = made(&world, "token", json!({})).await;
    assert_eq!(last_used(&world).await, json!(null));
    let before = world.app.clock.now().to_string();
    world.ok(&service, "session.me", json!({})).await;
    let first = used_since(&world, &json!(null)).await;
    // Moments as texts are in the order of the moments.
    assert!(first.as_str() >= Some(before.as_str()), "{first}");

    world.ok(&service, "session.me", json!({})).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(last_used(&world).await, first);
    world.clock_ahead(HOUR);
    world.ok(&service, "session.me", json!({})).await;
    used_since(&world, &first).await;
}

/// When the only token was last used.
async fn last_used(world: &World) -> Value {
    let page = world.call(&world.acme.admin, LIST, json!({})).await.unwrap();
    page["items"][0]["lastUsedAt"].clone()
}

/// The same, once it is another moment than this one.
async fn used_since(world: &World, former: &Value) -> Value {
    for _ in 0..500 {
        let at = last_used(world).await;
        if at != *former {
            return at;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("that it was used is not noted")
}

async fn another_organization_s_are_not_shown(world: World) {
    made(&world, "token", json!({})).await;
    let theirs = input(json!({ "scopes": ["events:read"] }));
    world.call(&world.globex.admin, "serviceToken.create", theirs).await.unwrap();
    let there = world.global_admin.choosing(&world.globex.id);
    for (actor, scope) in [
        (&world.acme.admin, "enrollments:read"),
        (&world.global_admin, "enrollments:read"),
        (&world.globex.admin, "events:read"),
        (&there, "events:read"),
    ] {
        assert_eq!(each(&world.ok(actor, LIST, json!({})).await, "scopes"), [json!([scope])]);
    }
}

async fn a_cursor_of_another_list(world: World) {
    let error = refused(&world, &world.acme.admin, LIST, json!({ "cursor": "0000000000000001" })).await;
    let reason = json!({ "type": "invalidInput", "field": "cursor", "problem": "not a cursor of this list" });
    expect(&error, &refusal(LIST, "BAD_REQUEST", reason));
}

async fn by_whom(world: World) {
    made(&world, "token", json!({})).await;
    refused_to_others(&world, LIST, &json!({})).await;
    for actor in [&world.acme.admin, &world.global_admin] {
        let page = world.ok(actor, LIST, json!({ "limit": 1 })).await;
        expect(&page["items"], &json!([token(json!({}))]));
    }
}
