//! `webhook.create`

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use procedures::delivery::Dispatched;
use serde_json::{Value, json};
use tests::{World, call, expect, on_both, on_postgres, refusal};

use super::{URL, deliveries, dispatched, happened, refused_to_others, webhook};
use crate::answers::last_page;

on_both![
    of_an_address_alone,
    of_some_kinds,
    kinds_are_named_once,
    each_has_a_secret_of_its_own,
    from_the_next_event_on,
    the_address_as_it_is_called,
    addresses_that_are_refused,
    to_this_machine_in_development_mode,
    as_many_as_there_may_be,
    under_a_key,
    by_whom,
];
on_postgres![never_more_even_at_once];

const CREATE: &str = "webhook.create";

/// How many an organization may have.
const MOST: usize = 20;

async fn of_an_address_alone(world: World) {
    let mut answer = world.ok(&world.acme.admin, CREATE, json!({ "url": URL })).await;
    let secret = answer["secret"].take();
    expect(&answer, &json!({ "webhook": webhook(json!({ "id": "<1>" })), "secret": null }));
    let secret = secret.as_str().and_then(|secret| secret.strip_prefix("whsec_")).expect("a secret");
    assert_eq!(STANDARD.decode(secret).unwrap().len(), 32);
    // Nothing tells it again.
    let listed = world.ok(&world.acme.admin, "webhook.list", json!({})).await;
    expect(&listed, &last_page([answer["webhook"].clone()]));
}

/// In the log's own order.
async fn of_some_kinds(world: World) {
    let input = json!({ "url": URL, "kinds": ["reminderSent", "enrolled"] });
    let answer = world.ok(&world.acme.admin, CREATE, input).await;
    let expected = json!({ "id": "<1>", "kinds": ["enrolled", "reminderSent"] });
    expect(&answer["webhook"], &webhook(expected));
}

async fn kinds_are_named_once(world: World) {
    for (kinds, field, problem) in [
        (json!([]), "kinds", "empty"),
        (json!(["enrolled", "completed", "enrolled"]), "kinds[2]", "named before"),
    ] {
        let error = world.refused(&world.acme.admin, CREATE, json!({ "url": URL, "kinds": kinds })).await;
        let reason = json!({ "type": "invalidInput", "field": field, "problem": problem });
        expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
    }
}

async fn each_has_a_secret_of_its_own(world: World) {
    let mut made = Vec::new();
    for _ in 0..2 {
        made.push(world.call(&world.acme.admin, CREATE, json!({ "url": URL })).await.unwrap());
    }
    assert_ne!(made[0]["secret"], made[1]["secret"]);
    assert_ne!(made[0]["webhook"]["id"], made[1]["webhook"]["id"]);
}

async fn from_the_next_event_on(world: World) {
    world.course("course", json!({})).await;
    happened(&world, &["enroll"]).await;
    world.ok(&world.acme.admin, CREATE, json!({ "url": URL })).await;
    assert_eq!(dispatched(&world).await, Dispatched::default());
    happened(&world, &["unenroll"]).await;
    assert_eq!(dispatched(&world).await, Dispatched { events: 1, deliveries: 1, more: false });
    assert_eq!(deliveries(&world).await, ["2 pending 0"]);
}

async fn the_address_as_it_is_called(world: World) {
    let input = json!({ "url": "HTTPS://Receiver.Example:443/a b?token=c" });
    let answer = world.ok(&world.acme.admin, CREATE, input).await;
    assert_eq!(answer["webhook"]["url"], "https://receiver.example/a%20b?token=c");
}

async fn addresses_that_are_refused(world: World) {
    let long = format!("https://receiver.example/{}", "a".repeat(1976));
    for (url, problem) in [
        ("", "empty"),
        (long.as_str(), "longer than 2000 characters"),
        ("receiver.example", "not a URL"),
        ("http://receiver.example/", "not https"),
        ("http://localhost:4000/", "not https"),
        ("https://ada:secret@receiver.example/", "with credentials"),
        ("https://127.0.0.1/", "an address that is not public"),
        ("https://169.254.169.254/latest/meta-data", "an address that is not public"),
        ("https://[fd00::1]/", "an address that is not public"),
        ("https://0x0a.1/", "an address that is not public"),
    ] {
        let error = world.refused(&world.acme.admin, CREATE, json!({ "url": url })).await;
        let reason = json!({ "type": "invalidInput", "field": "url", "problem": problem });
        expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
    }
    let longest = format!("https://receiver.example/{}", "a".repeat(1975));
    world.ok(&world.acme.admin, CREATE, json!({ "url": longest })).await;
}

async fn to_this_machine_in_development_mode(world: World) {
    let app = Arc::into_inner(world.another_app()).expect("nobody else has it");
    let app = Arc::new(app.trusting_loopback());
    let made = async |url: &str| {
        let input = json!({ "url": url }).to_string();
        call(&app, &world.acme.admin, CREATE, &input).await
    };
    for url in ["http://127.0.0.1:4000/hook", "http://localhost:4000/hook", "https://[::1]/hook"] {
        let answer: Value = serde_json::from_str(&made(url).await.unwrap()).unwrap();
        assert_eq!(answer["webhook"]["url"], url);
    }
    for url in ["http://receiver.example/", "http://10.0.0.1/", "https://10.0.0.1/"] {
        made(url).await.expect_err(url);
    }
}

async fn as_many_as_there_may_be(world: World) {
    for number in 0..MOST {
        world.ok(&world.acme.admin, CREATE, json!({ "url": format!("{URL}/{number}") })).await;
    }
    let error = world.refused(&world.acme.admin, CREATE, json!({ "url": URL })).await;
    let reason =
        json!({ "type": "invalidInput", "field": "url", "problem": "the organization has 20 webhooks" });
    expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
    // Other organizations have their own, and one that is deleted makes room.
    world.ok(&world.globex.admin, CREATE, json!({ "url": URL })).await;
    world.ok(&world.acme.admin, "webhook.delete", json!({ "webhookId": "<1>" })).await;
    world.ok(&world.acme.admin, CREATE, json!({ "url": URL })).await;
    world.refused(&world.acme.admin, CREATE, json!({ "url": URL })).await;
}

async fn never_more_even_at_once(world: World) {
    let calls = (0..MOST + 5).map(|_| world.call(&world.acme.admin, CREATE, json!({ "url": URL })));
    let made = join_all(calls).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), MOST);
}

async fn under_a_key(world: World) {
    let input = json!({ "url": URL, "idempotencyKey": "k" });
    let mut first = world.call(&world.acme.admin, CREATE, input.clone()).await.unwrap();
    // The secret is told once, and not kept for a repetition.
    let secret = first["secret"].take();
    assert_eq!(world.call(&world.acme.admin, CREATE, input).await, Ok(first));
    let contents = world.contents().await;
    assert_eq!(contents["webhooks"].len(), 1);
    let records = &contents["idempotency_records"];
    assert!(records.len() == 1 && !records[0].contains(secret.as_str().unwrap()), "{records:?}");
}

async fn by_whom(world: World) {
    refused_to_others(&world, CREATE, &json!({ "url": URL })).await;
    for actor in [&world.acme.admin, &world.global_admin] {
        world.ok(actor, CREATE, json!({ "url": URL })).await;
    }
}
