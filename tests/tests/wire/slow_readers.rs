//! Clients that follow what happens and do not read it: they cost little, are let go, and miss nothing when they come
//! back.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::http::{Connection, header};
use crate::site::{Client, Site, envelope};
use crate::socket::Socket;
use crate::{on_both, on_sqlite};

on_both![over_websockets];
on_sqlite![over_events];

/// What one hostile connection may cost, in bytes.
const MOST: u64 = 32 * 1024 * 1024;

/// WebSocket close code 1013: try again later (IANA's registry for RFC 6455).
const AGAIN: u16 = 1013;

/// Subscriptions on one connection, each of which tells everything from the beginning.
const SUBSCRIPTIONS: usize = 16;

/// How many events there are to tell on a WebSocket, many times over; half of them are as large as events get.
const EVENTS: usize = 400;

/// And by server-sent events: more than the system buffers for a connection.
const MANY_EVENTS: usize = 3_200;

/// The id before the first event's.
const BEGINNING: &str = "0000000000000000";

async fn over_websockets(site: Site) {
    let course = eventful(&site, EVENTS).await;
    let carol = site.person("wire-coordinator", "coordinator").await;
    let all = json!({ "courseId": course, "lastEventId": BEGINNING });
    for path in ["/trpc", "/rpc"] {
        let before = site.server.peak_memory();
        let mut slow = Socket::over(Connection::open_narrow(site.address()).await, &carol, path).await;
        for id in 1..=SUBSCRIPTIONS {
            slow.send_json(&subscribe(path, id, &all)).await;
        }
        // It says nothing of it, reads nothing, and still holds the connection.
        tokio::time::sleep(Duration::from_secs(12)).await;
        assert_eq!(carol.ok("session.me", json!({})).await["userId"], carol.user_id);
        let grown = site.server.peak_memory().saturating_sub(before);
        assert!(grown <= MOST, "{} MB more for one connection", grown / (1024 * 1024));

        let (mut told, mut last, mut first) = (0, BEGINNING.to_owned(), None);
        let code = loop {
            match slow.message().await {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).expect("JSON");
                    if let Some(event) = event_of_first(&message, &mut first) {
                        told += 1;
                        last = event["id"].as_str().expect("an id").to_owned();
                    }
                }
                Message::Close(Some(frame)) => break u16::from(frame.code),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(code, AGAIN, "{path}");
        assert!(told < EVENTS, "it was let go before it was told all");

        // A client that comes back goes on after the last event that it has seen.
        let mut again = Socket::open_at(&carol, path).await;
        again.send_json(&subscribe(path, 1, &json!({ "courseId": course, "lastEventId": last }))).await;
        first = None;
        while told < EVENTS {
            if let Some(event) = event_of_first(&again.next().await, &mut first) {
                told += 1;
                assert!(*event["id"].as_str().expect("an id") > *last);
                last = event["id"].as_str().expect("an id").to_owned();
            }
        }
    }
}

async fn over_events(site: Site) {
    let course = eventful(&site, MANY_EVENTS).await;
    let carol = site.person("wire-coordinator", "coordinator").await;
    let input = percent_encoding::utf8_percent_encode(
        &json!({ "courseId": course }).to_string(),
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    let path = format!("/trpc/enrollment.onChange?input={input}");
    let after = |id: &str| [carol.headers.clone(), vec![header("last-event-id", id)]].concat();
    let before = site.server.peak_memory();
    let mut slow = Connection::open_narrow(site.address()).await;
    slow.send_head("GET", &path, &after(BEGINNING)).await;
    slow.head().await;
    // As long as a client may take to read anything at all, and a little more.
    tokio::time::sleep(Duration::from_secs(32)).await;
    let grown = site.server.peak_memory().saturating_sub(before);
    assert!(grown <= MOST, "{} MB more for one connection", grown / (1024 * 1024));
    let mut ids = Vec::new();
    while let Some(frames) = slow.try_chunk().await {
        ids.extend(ids_in(&frames));
        assert!(ids.len() < MANY_EVENTS, "the connection was not cut");
    }

    let mut again = Connection::open(site.address()).await;
    again.send_head("GET", &path, &after(ids.last().map_or(BEGINNING, String::as_str))).await;
    again.head().await;
    while ids.len() < MANY_EVENTS {
        ids.extend(ids_in(&again.chunk().await.expect("it goes on")));
    }
    assert!(ids.is_sorted_by(|one, next| one < next), "each event once, in order");
    assert_eq!(ids.len(), MANY_EVENTS);
}

/// Of the items; the first frame has an id too, but is none.
fn ids_in(frames: &str) -> impl Iterator<Item = String> + '_ {
    let id = |frame: &str| Some(frame.strip_prefix("id: ")?.lines().next()?.to_owned());
    frames.split("\n\n").filter_map(id)
}

fn subscribe(path: &str, id: usize, input: &Value) -> Value {
    let method = "enrollment.onChange";
    match path {
        "/trpc" => {
            json!({ "id": id, "method": "subscription", "params": { "path": method, "input": input } })
        }
        _ => json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": input }),
    }
}

/// The event of a message, if it is one that the connection's first subscription tells. JSON-RPC's subscriptions have
/// ids of their own: the one that tells something first is the first.
fn event_of_first<'m>(message: &'m Value, first: &mut Option<Value>) -> Option<&'m Value> {
    if message["id"] == 1 {
        return message.pointer("/result/data/data");
    }
    let event = message.pointer("/params/result")?;
    let subscription = &message["params"]["subscription"];
    let is_first = first.get_or_insert_with(|| subscription.clone()) == subscription;
    is_first.then_some(event)
}

/// A course of which there is much to tell; its id.
async fn eventful(site: &Site, events: usize) -> String {
    let course = site.course(1).await;
    let admin = site.person("ada", "admin").await;
    let mut learners = Vec::new();
    for number in 0..20 {
        learners.push(site.person(&format!("wire-{number}"), "learner").await.user_id);
    }
    let reason = "😀".repeat(1_000);
    for round in 0..events / learners.len() {
        let change = |user: &String| match round % 2 {
            0 => envelope("enrollment.enroll", json!({ "courseId": course, "userId": user })),
            _ => envelope(
                "enrollment.unenroll",
                json!({ "courseId": course, "userId": user, "reason": reason }),
            ),
        };
        made(&admin, learners.iter().map(change).collect()).await;
    }
    course
}

/// Makes these calls, as few at a time as a body has room for.
async fn made(admin: &Client, calls: Vec<Value>) {
    for some in calls.chunks(20) {
        let answers = admin.post(json!(some).to_string().as_bytes()).await.json();
        for answer in answers.as_array().expect("answers") {
            assert!(answer.get("result").is_some(), "{answer}");
        }
    }
}
