//! `webhook.delete`

use procedures::delivery::{Dispatched, Settlement};
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::{
    claimed, deliveries, dispatched, happened, made, only_their_own, refused_to_others, settled, webhook,
};
use crate::answers::last_page;

on_both![its_record_stays, nothing_more_is_sent, only_once, only_their_own_ones, by_whom];

const DELETE: &str = "webhook.delete";

/// D24.
async fn its_record_stays(world: World) {
    made(&world, "webhook", json!({})).await;
    let answer = world.ok(&world.acme.admin, DELETE, json!({ "webhookId": "<webhook>" })).await;
    expect(&answer, &webhook(json!({})));
    expect(&world.ok(&world.acme.admin, "webhook.list", json!({})).await, &last_page([]));
    assert_eq!(world.contents().await["webhooks"].len(), 1);
}

/// Neither what waits nor what happens; what is being sent is its sender's to settle.
async fn nothing_more_is_sent(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll", "unenroll", "enroll"]).await;
    dispatched(&world).await;
    let (first, second) = (claimed(&world).await, claimed(&world).await);
    settled(&world, &first, Settlement::Delivered).await;
    world.ok(&world.acme.admin, DELETE, json!({ "webhookId": "<webhook>" })).await;

    let [first, under_way] = [&first, &second].map(|sent| sent.event.id.to_string().parse::<u32>().unwrap());
    let waiting = 1 + 2 + 3 - first - under_way;
    let mut expected = vec![
        format!("{first} delivered 1"),
        format!("{under_way} claimed 1"),
        format!("{waiting} pending 0"),
    ];
    expected.sort();
    assert_eq!(deliveries(&world).await, expected);
    // Whoever is about to send finds nobody to send to.
    for sent in [second, claimed(&world).await] {
        assert!(procedures::webhook::receiver(&world.app, &sent).await.unwrap().is_none());
    }
    happened(&world, &["unenroll"]).await;
    assert_eq!(dispatched(&world).await, Dispatched::default());
}

async fn only_once(world: World) {
    made(&world, "webhook", json!({})).await;
    let input = json!({ "webhookId": "<webhook>" });
    world.ok(&world.acme.admin, DELETE, input.clone()).await;
    let error = world.refused(&world.acme.admin, DELETE, input).await;
    expect(&error, &refusal(DELETE, "NOT_FOUND", json!(null)));
}

async fn only_their_own_ones(world: World) {
    only_their_own(&world, DELETE, json!({})).await;
}

async fn by_whom(world: World) {
    for (name, actor) in [("webhook", &world.acme.admin), ("another", &world.global_admin)] {
        made(&world, name, json!({})).await;
        let input = json!({ "webhookId": format!("<{name}>") });
        refused_to_others(&world, DELETE, &input).await;
        world.ok(actor, DELETE, input).await;
    }
}
