//! `webhook.list`

use procedures::delivery::Settlement;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::{URL, claimed, dispatched, happened, made, refused_to_others, settled, webhook};
use crate::answers::{each, last_page};

on_both![
    oldest_first,
    page_by_page,
    one_that_is_disabled,
    another_organization_s_are_not_shown,
    a_cursor_of_another_list,
    by_whom,
];

const LIST: &str = "webhook.list";

async fn oldest_first(world: World) {
    expect(&world.ok(&world.acme.admin, LIST, json!({})).await, &last_page([]));
    made(&world, "webhook", json!({})).await;
    made(&world, "second", json!({ "kinds": ["completed"] })).await;
    made(&world, "deleted", json!({})).await;
    world.call(&world.acme.admin, "webhook.delete", json!({ "webhookId": "<deleted>" })).await.unwrap();
    let second = webhook(json!({ "id": "<second>", "kinds": ["completed"], "createdAt": "<t2>" }));
    let expected = last_page([webhook(json!({})), second]);
    expect(&world.ok(&world.acme.admin, LIST, json!({})).await, &expected);
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
        // One that was seen makes no difference to those that were not.
        let deleted = json!({ "webhookId": seen[0] });
        let _ = world.call(&world.acme.admin, "webhook.delete", deleted).await;
    }
    assert_eq!(seen, names.map(|name| format!("<{name}>")));
}

/// Its receiver said that it is gone.
async fn one_that_is_disabled(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll", "unenroll"]).await;
    dispatched(&world).await;
    let sent = claimed(&world).await;
    procedures::webhook::disable(&world.app, &sent).await.unwrap();
    settled(&world, &sent, Settlement::Hopeless("gone".into())).await;
    let expected = last_page([webhook(json!({ "createdAt": "<t1>", "disabledAt": "<t2>" }))]);
    expect(&world.ok(&world.acme.admin, LIST, json!({})).await, &expected);
    // Nothing more is sent: whoever is about to finds nobody to send to.
    let waiting = claimed(&world).await;
    assert!(procedures::webhook::receiver(&world.app, &waiting).await.unwrap().is_none());
    happened(&world, &["enroll"]).await;
    assert_eq!(dispatched(&world).await.events, 0);
    assert!(procedures::webhook::receiver(&world.app, &sent).await.unwrap().is_none());
}

async fn another_organization_s_are_not_shown(world: World) {
    made(&world, "webhook", json!({})).await;
    let theirs = json!({ "url": URL, "kinds": ["enrolled"] });
    world.call(&world.globex.admin, "webhook.create", theirs).await.unwrap();
    let there = world.global_admin.choosing(&world.globex.id);
    for (actor, kinds) in [
        (&world.acme.admin, json!(null)),
        (&world.global_admin, json!(null)),
        (&world.globex.admin, json!(["enrolled"])),
        (&there, json!(["enrolled"])),
    ] {
        assert_eq!(each(&world.ok(actor, LIST, json!({})).await, "kinds"), [kinds]);
    }
}

async fn a_cursor_of_another_list(world: World) {
    let error = world.refused(&world.acme.admin, LIST, json!({ "cursor": "0000000000000001" })).await;
    let reason = json!({ "type": "invalidInput", "field": "cursor", "problem": "not a cursor of this list" });
    expect(&error, &refusal(LIST, "BAD_REQUEST", reason));
}

async fn by_whom(world: World) {
    made(&world, "webhook", json!({})).await;
    refused_to_others(&world, LIST, &json!({})).await;
    for actor in [&world.acme.admin, &world.global_admin] {
        expect(&world.ok(actor, LIST, json!({})).await, &last_page([webhook(json!({}))]));
    }
}
