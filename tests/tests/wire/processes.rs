//! Several servers on one PostgreSQL: whoever follows what happens at one of them sees what is changed at any.

use serde_json::{Value, json};
use tests::process::Process;
use tokio::task::JoinSet;

use crate::on_postgres;
use crate::site::{Client, Site};
use crate::socket::Socket;

on_postgres![each_sees_what_all_change, a_reader_who_polls_misses_nothing];

const LEARNERS: usize = 12;

const WRITERS: usize = 8;

/// Changes of each learner.
const CHANGES: usize = 10;

async fn each_sees_what_all_change(site: Site) {
    let course = site.course(1).await;
    let other = Process::start(&site.database_url).await;
    let third = Process::start(&site.database_url).await;
    let servers = [site.address(), other.address, third.address];
    let carol = site.person("wire-coordinator", "coordinator").await;
    let input = json!({ "courseId": course });
    let mut followers = Vec::new();
    for server in servers {
        let mut socket = Socket::open_at(&carol.at(server), "/trpc").await;
        socket.send_json(&subscription(&input)).await;
        assert_eq!(socket.next().await["result"]["type"], "started");
        followers.push(socket);
    }

    let mut changing = JoinSet::new();
    for number in 0..LEARNERS {
        let learner = site.person(&format!("wire-{number}"), "learner").await;
        let input = input.clone();
        changing.spawn(async move {
            for change in 0..CHANGES {
                let method = if change % 2 == 0 { "enrollment.enroll" } else { "enrollment.unenroll" };
                // Each at another server than the one before.
                let learner: Client = learner.at(servers[(number + change) % servers.len()]);
                learner.ok(method, input.clone()).await;
            }
        });
    }
    changing.join_all().await;

    let mut seen: Vec<Vec<Value>> = Vec::new();
    let [first, second, third_follower] = &mut followers[..] else { panic!("three servers") };
    for follower in [&mut *first, &mut *second] {
        seen.push(events(follower, LEARNERS * CHANGES).await);
    }
    // One is cut off halfway by the death of its server, and goes on at another.
    let mut cut = events(third_follower, LEARNERS * CHANGES / 2).await;
    third.kill().await;
    let mut resumed = input.clone();
    resumed["lastEventId"] = cut.last().expect("events")["id"].clone();
    let mut elsewhere = Socket::open_at(&carol.at(other.address), "/trpc").await;
    elsewhere.send_json(&subscription(&resumed)).await;
    assert_eq!(elsewhere.next().await["result"]["type"], "started");
    cut.extend(events(&mut elsewhere, LEARNERS * CHANGES / 2).await);
    seen.push(cut);

    let ids: Vec<&str> = seen[0].iter().filter_map(|event| event["id"].as_str()).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "in order, none twice");
    assert!(seen.iter().all(|events| *events == seen[0]), "all see the same");
}

/// Eight writers at two servers, and one who reads the whole log meanwhile: every event once, in order, without a gap.
async fn a_reader_who_polls_misses_nothing(site: Site) {
    let course = json!({ "courseId": site.course(2).await });
    let other = Process::start(&site.database_url).await;
    let admin = site.person("wire-admin", "admin").await;
    let begun = log_after(&admin, &Value::Null).await.last().map_or(Value::Null, |event| event["id"].clone());
    let mut writing = JoinSet::new();
    for (number, server) in [site.address(), other.address].into_iter().cycle().take(WRITERS).enumerate() {
        let learner = site.person(&format!("wire-{number}"), "learner").await.at(server);
        let course = course.clone();
        writing.spawn(async move {
            for change in 0..CHANGES * 4 {
                let method = if change % 2 == 0 { "enrollment.enroll" } else { "enrollment.unenroll" };
                learner.ok(method, course.clone()).await;
            }
        });
    }
    let reader = admin.at(other.address);
    let (mut seen, mut cursor) = (Vec::new(), begun.clone());
    while seen.len() < WRITERS * CHANGES * 4 {
        let events = log_after(&reader, &cursor).await;
        if let Some(last) = events.last() {
            cursor = last["id"].clone();
        }
        seen.extend(events);
    }
    writing.join_all().await;
    assert_eq!(log_after(&reader, &cursor).await, [json!(null); 0], "nothing more");
    let number = |event: &Value| event["id"].as_str().expect("an id").parse::<u64>().expect("a number");
    let first = begun.as_str().map_or(1, |id| id.parse::<u64>().expect("a number") + 1);
    let numbers: Vec<u64> = seen.iter().map(number).collect();
    assert_eq!(numbers, (first..first + seen.len() as u64).collect::<Vec<_>>());
    assert_eq!(log_after(&admin, &begun).await, seen, "and so at the other server");
}

/// The organization's events after one of them, as far as there are any now.
async fn log_after(reader: &Client, event: &Value) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), event.clone());
    loop {
        let mut page = reader.ok("event.since", json!({ "cursor": cursor, "limit": 200 })).await;
        events.append(page["items"].as_array_mut().expect("events"));
        cursor = page["nextCursor"].take();
        if cursor.is_null() {
            return events;
        }
    }
}

fn subscription(input: &Value) -> Value {
    json!({ "id": 1, "method": "subscription", "params": { "path": "enrollment.onChange", "input": input } })
}

async fn events(follower: &mut Socket, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    while events.len() < count {
        events.push(follower.next().await["result"]["data"]["data"].take());
    }
    events
}
