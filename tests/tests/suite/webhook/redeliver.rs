//! `webhook.redeliver`

use procedures::delivery::{Dispatched, Settlement};
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::{
    claimed, deliveries, dispatched, happened, id, made, only_their_own, refused_to_others, settled, webhook,
};

on_both![
    whatever_became_of_it,
    what_it_was_never_to_be_told,
    what_is_about_to_be_sent,
    what_is_being_sent,
    an_event_that_is_not_there,
    to_one_that_is_disabled,
    only_their_own_ones,
    by_whom,
];

const REDELIVER: &str = "webhook.redeliver";

async fn redelivered(world: &World, event: u32) {
    let input = json!({ "webhookId": "<webhook>", "eventId": id(event) });
    expect(&world.ok(&world.acme.admin, REDELIVER, input).await, &webhook(json!({})));
}

async fn whatever_became_of_it(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll"]).await;
    dispatched(&world).await;
    let first = claimed(&world).await;
    for (settlement, state) in [
        (Settlement::Delivered, "1 delivered 1"),
        (Settlement::Hopeless("refused".into()), "1 dead 1"),
        (Settlement::Failed("busy".into()), "1 pending 1"),
    ] {
        let sent = match state {
            "1 delivered 1" => first.clone(),
            _ => claimed(&world).await,
        };
        // It is the same event to the world outside.
        assert_eq!((sent.message_id(), sent.attempt(), &sent.event), (first.message_id(), 1, &first.event));
        settled(&world, &sent, settlement).await;
        assert_eq!(deliveries(&world).await, [state]);
        redelivered(&world, 1).await;
        assert_eq!(deliveries(&world).await, ["1 pending 0"]);
    }
}

/// Events from before it, and of kinds that it does not want.
async fn what_it_was_never_to_be_told(world: World) {
    world.course("course", json!({})).await;
    happened(&world, &["enroll"]).await;
    made(&world, "webhook", json!({ "kinds": ["completed"] })).await;
    happened(&world, &["unenroll"]).await;
    dispatched(&world).await;
    assert!(deliveries(&world).await.is_empty());
    for event in [1, 2] {
        let input = json!({ "webhookId": "<webhook>", "eventId": id(event) });
        let answer = world.ok(&world.acme.admin, REDELIVER, input).await;
        expect(&answer, &webhook(json!({ "kinds": ["completed"] })));
    }
    assert_eq!(deliveries(&world).await, ["1 pending 0", "2 pending 0"]);
    // Nobody has looked at this one for it yet.
    happened(&world, &["enroll"]).await;
    let input = json!({ "webhookId": "<webhook>", "eventId": id(3) });
    world.ok(&world.acme.admin, REDELIVER, input).await;
    assert_eq!(dispatched(&world).await, Dispatched { events: 1, deliveries: 0, more: false });
    assert_eq!(deliveries(&world).await, ["1 pending 0", "2 pending 0", "3 pending 0"]);
}

async fn what_is_about_to_be_sent(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll"]).await;
    redelivered(&world, 1).await;
    assert!(deliveries(&world).await.is_empty());
    assert_eq!(dispatched(&world).await, Dispatched { events: 1, deliveries: 1, more: false });
    redelivered(&world, 1).await;
    assert_eq!(deliveries(&world).await, ["1 pending 0"]);
}

/// What comes of the first sending is nothing to the second.
async fn what_is_being_sent(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll"]).await;
    dispatched(&world).await;
    let first = claimed(&world).await;
    redelivered(&world, 1).await;
    let second = claimed(&world).await;
    settled(&world, &first, Settlement::Hopeless("refused".into())).await;
    assert_eq!(deliveries(&world).await, ["1 claimed 1"]);
    settled(&world, &second, Settlement::Delivered).await;
    assert_eq!(deliveries(&world).await, ["1 delivered 1"]);
}

async fn an_event_that_is_not_there(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll"]).await;
    for event in [id(0), id(2), "9".repeat(16)] {
        let input = json!({ "webhookId": "<webhook>", "eventId": event });
        let error = world.refused(&world.acme.admin, REDELIVER, input).await;
        expect(&error, &refusal(REDELIVER, "NOT_FOUND", json!(null)));
    }
    let input = json!({ "webhookId": "<webhook>", "eventId": "1" });
    let error = world.refused(&world.acme.admin, REDELIVER, input).await;
    let reason = json!({ "type": "invalidInput", "field": "eventId", "problem": "not an event's id" });
    expect(&error, &refusal(REDELIVER, "BAD_REQUEST", reason));
}

async fn to_one_that_is_disabled(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll"]).await;
    dispatched(&world).await;
    procedures::webhook::disable(&world.app, &claimed(&world).await).await.unwrap();
    let input = json!({ "webhookId": "<webhook>", "eventId": id(1) });
    let error = world.refused(&world.acme.admin, REDELIVER, input).await;
    let problem = "disabled: its receiver said that it is gone";
    let reason = json!({ "type": "invalidInput", "field": "webhookId", "problem": problem });
    expect(&error, &refusal(REDELIVER, "BAD_REQUEST", reason));
}

async fn only_their_own_ones(world: World) {
    world.course("course", json!({})).await;
    happened(&world, &["enroll"]).await;
    only_their_own(&world, REDELIVER, json!({ "eventId": id(1) })).await;
}

async fn by_whom(world: World) {
    world.course("course", json!({})).await;
    happened(&world, &["enroll"]).await;
    made(&world, "webhook", json!({})).await;
    let input = json!({ "webhookId": "<webhook>", "eventId": id(1) });
    refused_to_others(&world, REDELIVER, &input).await;
    for actor in [&world.acme.admin, &world.global_admin] {
        expect(&world.ok(actor, REDELIVER, input.clone()).await, &webhook(json!({})));
    }
}
