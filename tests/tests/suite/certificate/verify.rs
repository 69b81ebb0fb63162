//! `certificate.verify`

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use super::{certified, revoked};

on_both![
    by_anyone_and_without_personal_data,
    an_expired_one,
    a_voided_one,
    however_it_is_spelled,
    an_unknown_one,
    what_is_too_long_or_empty,
];

const VERIFY: &str = "certificate.verify";
const DAY: Duration = Duration::from_secs(86_400);

/// All that anyone learns of a certificate; `<t1>` is the moment of the completion.
#[track_caller]
fn verification(fields: Value) -> Value {
    let usual = json!({ "state": "valid", "courseTitle": "course", "issuedAt": "<t1>", "expiresAt": null });
    merged(usual, fields)
}

/// The number of the certificate that the learner gets for a course of acme.
async fn number(world: &World, course: Value) -> String {
    world.course("course", course).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    certified(world, "<enrollment>", "certificate").await;
    number_of(world, "<certificate>").await
}

async fn number_of(world: &World, certificate: &str) -> String {
    let input = json!({ "certificateId": certificate });
    let read = world.ok(&world.acme.learner, "certificate.get", input).await;
    read["number"].as_str().unwrap().to_owned()
}

async fn verified(world: &World, number: &str) -> Value {
    world.ok(&Actor::Anonymous, VERIFY, json!({ "number": number })).await
}

async fn by_anyone_and_without_personal_data(world: World) {
    let number = number(&world, json!({})).await;
    let service = world.service(&[]).await;
    let there = world.global_admin.choosing(&world.globex.id);
    for actor in [
        &Actor::Anonymous,
        &world.acme.learner,
        &world.acme.peer,
        &world.acme.admin,
        &world.globex.learner,
        &there,
        &service,
    ] {
        let answer = world.ok(actor, VERIFY, json!({ "number": number })).await;
        expect(&answer, &verification(json!({})));
    }
}

/// At that very moment it has expired.
async fn an_expired_one(world: World) {
    let number = number(&world, json!({ "certificateValidDays": 30 })).await;
    let valid = verification(json!({ "expiresAt": "<t1+30d>" }));
    expect(&verified(&world, &number).await, &valid);
    world.clock_ahead(29 * DAY);
    expect(&verified(&world, &number).await, &valid);
    world.clock_ahead(30 * DAY);
    expect(&verified(&world, &number).await, &merged(valid, json!({ "state": "expired" })));
}

/// D5, D6: it stays voided, whatever comes after.
async fn a_voided_one(world: World) {
    let number = number(&world, json!({ "certificateValidDays": 30 })).await;
    revoked(&world, "<enrollment>").await;
    let voided = verification(json!({ "state": "voided", "expiresAt": "<t1+30d>" }));
    expect(&verified(&world, &number).await, &voided);

    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    certified(&world, "<enrollment>", "second").await;
    let second = number_of(&world, "<second>").await;
    assert_ne!(second, number);
    assert_eq!(verified(&world, &second).await["state"], "valid");
    expect(&verified(&world, &number).await, &voided);
    world.clock_ahead(31 * DAY);
    assert_eq!(verified(&world, &second).await["state"], "expired");
    expect(&verified(&world, &number).await, &voided);
}

async fn however_it_is_spelled(world: World) {
    let number = number(&world, json!({})).await;
    for spelled in [
        number.to_lowercase().replace('-', " "),
        number.replace('-', ""),
        format!("  {} ", number.to_lowercase()),
        number.replace('0', "o").replace('1', "I"),
    ] {
        expect(&verified(&world, &spelled).await, &verification(json!({})));
    }
}

async fn an_unknown_one(world: World) {
    let number = number(&world, json!({})).await;
    let unknown = json!({ "state": "unknown", "courseTitle": null, "issuedAt": null, "expiresAt": null });
    for other in [
        "0000-0000-0000-0000-0000-0000",
        "not a number",
        &number[..number.len() - 1],
        &format!("{number}0"),
        &world.id("<certificate>"),
        &"0".repeat(200),
    ] {
        expect(&verified(&world, other).await, &unknown);
    }
}

async fn what_is_too_long_or_empty(world: World) {
    let too_long = "0".repeat(201);
    for (number, problem) in
        [(too_long.as_str(), "longer than 200 characters"), ("", "empty"), (" ", "empty")]
    {
        let error = world.refused(&Actor::Anonymous, VERIFY, json!({ "number": number })).await;
        let reason = json!({ "type": "invalidInput", "field": "number", "problem": problem });
        expect(&error, &refusal(VERIFY, "BAD_REQUEST", reason));
    }
}
