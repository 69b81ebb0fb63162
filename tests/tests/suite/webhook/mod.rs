//! `webhook.*`

mod create;
mod delete;
mod list;
mod redeliver;
mod sending;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use procedures::delivery::{Channel, Claimed, Dispatched, Settlement};
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, refusal};

const URL: &str = "https://receiver.example/hook";

/// Nothing has this id.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// A webhook of acme for all that happens.
#[track_caller]
fn webhook(fields: Value) -> Value {
    let usual =
        json!({ "id": "<webhook>", "url": URL, "kinds": null, "disabledAt": null, "createdAt": "<t1>" });
    merged(usual, fields)
}

/// An admin of acme makes a webhook called `<name>`.
async fn made(world: &World, name: &str, mut fields: Value) {
    fields["url"] = URL.into();
    let made = world.call(&world.acme.admin, "webhook.create", fields).await.unwrap();
    world.name(name, made["webhook"]["id"].as_str().unwrap());
}

/// The id of an event.
fn id(number: u32) -> String {
    format!("{number:016}")
}

/// The learner does this in `<course>`, an event each: `enroll`, `unenroll`.
async fn happened(world: &World, changes: &[&str]) {
    for change in changes {
        let path = format!("enrollment.{change}");
        world.call(&world.acme.learner, &path, json!({ "courseId": "<course>" })).await.unwrap();
    }
}

async fn dispatched(world: &World) -> Dispatched {
    procedures::delivery::dispatch(&world.app, Channel::Webhook).await.unwrap()
}

async fn claimed(world: &World) -> Claimed {
    let claimed = procedures::delivery::claim(&world.app, Channel::Webhook).await.unwrap();
    claimed.expect("something is due")
}

async fn settled(world: &World, claimed: &Claimed, settlement: Settlement) {
    procedures::delivery::settle(&world.app, claimed, settlement).await.unwrap();
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The deliveries of each event, oldest first: its number, the state and the attempts.
async fn deliveries(world: &World) -> Vec<String> {
    let query = "SELECT event_number || ' ' || state || ' ' || attempts AS line FROM deliveries ORDER BY event_number";
    let mut connection = world.app.db.read().await.unwrap();
    let lines: Vec<Line> = connection.load(diesel::sql_query(query)).await.unwrap();
    lines.into_iter().map(|Line { line }| line).collect()
}

/// Webhooks are for admins alone, and no scope is for them.
async fn refused_to_others(world: &World, path: &str, input: &Value) {
    let service = world.service(Scope::ALL).await;
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator, &service] {
        let error = world.refused(actor, path, input.clone()).await;
        expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error = world.refused(&Actor::Anonymous, path, input.clone()).await;
    expect(&error, &refusal(path, "UNAUTHORIZED", json!(null)));
}

/// D17: neither a webhook of globex nor one that does not exist is there. The input lacks the webhook's id.
async fn only_their_own(world: &World, path: &str, mut input: Value) {
    let theirs = json!({ "url": URL });
    let theirs = world.call(&world.globex.admin, "webhook.create", theirs).await.unwrap();
    for id in [theirs["webhook"]["id"].as_str().unwrap(), UNKNOWN] {
        input["webhookId"] = id.into();
        for actor in [&world.acme.admin, &world.global_admin] {
            let error = world.refused(actor, path, input.clone()).await;
            expect(&error, &refusal(path, "NOT_FOUND", json!(null)));
        }
    }
}
