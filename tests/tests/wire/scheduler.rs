//! The scheduler of several servers on one PostgreSQL: what is due is done once, whoever is paused meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use procedures::values::Moment;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::mail::{Sink, mailing, sending};
use crate::site::{Client, Site};
use crate::{on_both, on_postgres};

on_both![soon_after_the_clock_was_moved];
on_postgres![reminders_of_three_servers_one_of_them_paused];

const CERTIFICATES: usize = 500;

/// Seconds that a session lasts through all moves of the clock.
const LASTING: u32 = 10_000_000;
const DAY: Duration = Duration::from_secs(86_400);

/// The scheduler does what is due within so long of a move of the clock.
const SOON: Duration = Duration::from_secs(5);

/// How long it may take until another server does what a paused one has begun: its lease and its locks run out.
const TAKEN_OVER: Duration = Duration::from_secs(60);

async fn soon_after_the_clock_was_moved(site: Site) {
    let admin = site.person("wire-admin", "admin").await;
    let learner = site.person("wire-learner", "learner").await;
    let course = admin.ok("course.create", json!({ "title": "Short", "accessDays": 1 })).await;
    let course = json!({ "courseId": course["id"] });
    admin.ok("course.publish", course.clone()).await;
    learner.ok("enrollment.enroll", course.clone()).await;
    let moved = Instant::now();
    site.dev("clock", &json!({ "advanceSeconds": 86_400 })).await;
    let learner = site.person("wire-learner", "learner").await;
    loop {
        let found = learner.ok("enrollment.find", course.clone()).await;
        if found["status"] == "expired" {
            break;
        }
        assert!(moved.elapsed() < SOON, "not within {SOON:?}: {found}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// D22: 500 certificates are about to expire.
async fn reminders_of_three_servers_one_of_them_paused(site: Site) {
    let sink = Sink::start(0).await;
    let site = mailing(site, &sink, &[]).await;
    let admin = certified(&site).await;
    let global = json!({ "organization": "acme", "subject": "wire-global", "globalAdmin": true });
    let global = site.signed_in(&global).await;
    // The second is due 24 hours after the first.
    global.ok("organization.update", json!({ "reminderLeadDays": [30, 29] })).await;
    let others =
        [sending(&site.database_url, &sink, &[]).await, sending(&site.database_url, &sink, &[]).await];
    let awake = others[0].address;
    let mail = sink.collected();
    let reminded = || {
        let mail = mail.lock().expect("no test has failed");
        let of_reminders = mail.iter().filter(|message| text_of(message).contains('⏳'));
        of_reminders.map(|message| message["messageId"].to_string()).collect::<Vec<_>>()
    };

    // The server that has the lease is paused as soon as it has begun.
    site.dev("clock", &json!({ "advanceSeconds": 86_400 })).await;
    until(SOON, async || !reminders(&admin).await.is_empty()).await;
    signal("-STOP", site.server.id()).await;
    let admin = admin.at(awake);
    until(TAKEN_OVER, async || reminders(&admin).await.len() >= CERTIFICATES).await;
    signal("-CONT", site.server.id()).await;
    sleep(SOON).await;
    let sent = reminders(&admin).await;
    assert_eq!(sent.len(), CERTIFICATES, "none is doubled");
    let people: BTreeSet<&str> = sent.iter().map(|(of, _)| of.as_str()).collect();
    assert_eq!(people.len(), CERTIFICATES, "each once");
    until(TAKEN_OVER, async || reminded().len() >= CERTIFICATES).await;
    sleep(SOON).await;
    let received = reminded();
    assert_eq!(received.len(), CERTIFICATES, "no message is doubled");
    assert_eq!(received.iter().collect::<BTreeSet<_>>().len(), CERTIFICATES, "each of another event");

    let first = sent.iter().map(|(_, at)| *at).min().expect("some");
    let last = sent.iter().map(|(_, at)| *at).max().expect("some");
    let early = first.plus(DAY).minus(SOON * 3);
    site.dev("clock", &json!({ "now": early.to_string() })).await;
    sleep(SOON).await;
    assert_eq!(reminders(&admin).await.len(), CERTIFICATES, "none within 24 hours");
    site.dev("clock", &json!({ "now": last.plus(DAY).to_string() })).await;
    until(TAKEN_OVER, async || reminders(&admin).await.len() >= 2 * CERTIFICATES).await;
    sleep(SOON).await;
    let sent = reminders(&admin).await;
    assert_eq!(sent.len(), 2 * CERTIFICATES);
}

/// 500 completed enrollments, whose certificates are valid for 31 days; the admin who made them.
async fn certified(site: &Site) -> Client {
    let lasting =
        json!({ "organization": "acme", "subject": "wire-admin", "role": "admin", "expiresIn": LASTING });
    let admin = site.signed_in(&lasting).await;
    let mut people = Vec::new();
    for number in 0..25 {
        let subject = format!("wire-{number}");
        people.push(site.person(&subject, "learner").await.user_id);
        let address = json!({ "subject": subject, "email": format!("{subject}@example.com") });
        admin.ok("member.provision", address).await;
    }
    let mut items = Vec::new();
    for number in 0..CERTIFICATES / people.len() {
        let fields = json!({ "title": format!("Course {number}"), "certificateValidDays": 31 });
        let course = admin.ok("course.create", fields).await["id"].clone();
        admin.ok("course.publish", json!({ "courseId": course })).await;
        items.extend(people.iter().map(|user| json!({ "courseId": course, "userId": user })));
    }
    let enrolled = admin.ok("enrollment.enrollMany", json!({ "items": items })).await;
    for row in enrolled["results"].as_array().expect("results") {
        let input = json!({ "enrollmentId": row["ok"]["id"], "waiveReason": "for the test" });
        admin.ok("enrollment.complete", input).await;
    }
    admin
}

/// The reminders there are: of which enrollment, and when.
async fn reminders(admin: &Client) -> Vec<(String, Moment)> {
    let (mut found, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = admin.ok("event.since", json!({ "cursor": cursor, "limit": 200 })).await;
        for event in page["items"].as_array().expect("events") {
            if event["kind"] == "reminderSent" {
                let at = event["at"].as_str().expect("a moment").parse().expect("a moment");
                found.push((event["enrollmentId"].as_str().expect("an id").to_owned(), at));
            }
        }
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            return found;
        }
    }
}

/// All that a message says, however the sink has it.
fn text_of(message: &Value) -> String {
    message.to_string()
}

async fn signal(which: &str, process: u32) {
    let sent = Command::new("kill").arg(which).arg(process.to_string()).status().await;
    assert!(sent.expect("kill is installed").success());
}

async fn until(within: Duration, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < within, "not within {within:?}");
        sleep(Duration::from_millis(200)).await;
    }
}
