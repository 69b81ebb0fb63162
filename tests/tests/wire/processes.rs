//! Several servers on one PostgreSQL: whoever follows what happens at one of them sees what is changed at any.

use serde_json::{Value, json};
use tests::process::Process;
use tokio::task::JoinSet;

use crate::on_postgres;
use crate::site::{Client, Site};
use crate::socket::Socket;

on_postgres![each_sees_what_all_change];

const LEARNERS: usize = 12;

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
