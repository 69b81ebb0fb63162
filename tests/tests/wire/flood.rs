//! A client that asks and never reads: it costs little, and others are served.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::on_both;
use crate::site::{Site, envelope};
use crate::socket::Socket;

on_both![a_client_that_never_reads];

/// What one hostile connection may cost, in bytes.
const MOST: u64 = 32 * 1024 * 1024;

/// How soon others are served on a busy machine; long before the server gives up on a client that does not read.
const SERVED: Duration = Duration::from_secs(15);

/// The characters of each learner's notes, which fill a page's room for texts.
const NOTES: usize = 1_300;

/// A full page of a roster.
const LEARNERS: usize = 200;

async fn a_client_that_never_reads(site: Site) {
    let course = roster(&site).await;
    let carol = site.person("carol", "coordinator").await;
    let page = carol.ok("enrollment.listByCourse", json!({ "courseId": course, "limit": LEARNERS })).await;
    let size = page.to_string().len();
    assert!(size > 256 * 1024, "a page has {size} bytes");
    let call = || envelope("enrollment.listByCourse", json!({ "courseId": course, "limit": LEARNERS }));
    let batch: Vec<_> = (0..20).map(|_| call()).collect();
    // What the first calls cost, whoever makes them, is not the flood's.
    for _ in 0..20 {
        carol.post(call().to_string().as_bytes()).await;
    }

    for message in [call(), json!(batch)] {
        let before = site.server.peak_memory();
        let mut flood = Socket::open(&carol).await;
        let sent = pour(&mut flood, &message).await;
        assert!(sent >= 32, "only {sent} messages were taken");
        for _ in 0..20 {
            let served = timeout(SERVED, carol.ok("session.me", json!({}))).await;
            assert_eq!(served.expect("served meanwhile")["userId"], carol.user_id);
        }
        let grown = site.server.peak_memory().saturating_sub(before);
        assert!(grown <= MOST, "{} MB more for one connection", grown / (1024 * 1024));
    }
}

/// Sends as long as the server takes it.
async fn pour(flood: &mut Socket, message: &Value) -> usize {
    let message = Message::text(message.to_string());
    let mut sent = 0;
    while sent < 20_000 {
        match timeout(Duration::from_secs(3), flood.0.send(message.clone())).await {
            Ok(taken) => taken.expect("the connection lives"),
            Err(_) => break,
        }
        sent += 1;
    }
    sent
}

/// A course whose roster fills a page.
async fn roster(site: &Site) -> String {
    let course = site.course(1).await;
    let admin = site.person("ada", "admin").await;
    let mut users = Vec::new();
    for chunk in 0..LEARNERS / 20 {
        let provision = |number| {
            let subject = format!("wire-{chunk}-{number}");
            envelope("member.provision", json!({ "subject": subject, "displayName": "Someone" }))
        };
        let calls: Vec<_> = (0..20).map(provision).collect();
        let answers = admin.post(json!(calls).to_string().as_bytes()).await.json();
        users.extend(
            answers.as_array().expect("answers").iter().map(|answer| answer["result"]["userId"].clone()),
        );
    }
    let notes = "n".repeat(NOTES);
    for chunk in users.chunks(20) {
        let enroll = |user| {
            envelope("enrollment.enroll", json!({ "courseId": course, "userId": user, "notes": notes }))
        };
        let calls: Vec<_> = chunk.iter().map(enroll).collect();
        let answers = admin.post(json!(calls).to_string().as_bytes()).await.json();
        for answer in answers.as_array().expect("answers") {
            assert_eq!(answer["result"]["status"], "enrolled", "{answer}");
        }
    }
    course
}
