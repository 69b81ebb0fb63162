//! Webhooks, as their receivers see them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tests::process::Process;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::shape::code_of;
use crate::site::{Client, Site};
use crate::{on_both, on_postgres, on_sqlite};

mod receiver;

use receiver::{Answer, Post, Receiver};

on_both![
    every_event_arrives_once_the_receiver_is_well,
    what_is_wanted_and_what_is_asked_for_again,
    a_receiver_that_is_gone,
];
on_sqlite![a_redirect_is_not_followed, a_receiver_that_says_nothing];
on_postgres![two_servers_send_each_event_once];

/// For so long nothing may arrive that should not: longer than an event takes, and than the first pauses.
const QUIET: Duration = Duration::from_secs(5);

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Who makes events happen in a course, and who has webhooks told of them.
struct Scene {
    admin: Client,
    learner: Client,
    course: Value,
}

impl Scene {
    /// In an organization where nothing else happens.
    async fn set(site: &Site) -> Self {
        let made = site.dev("organization", &json!({ "slug": "wire" })).await;
        assert_eq!(made.status, 200, "{}", made.json());
        let admin = site.person_of("wire", "admin", "admin").await;
        let learner = site.person_of("wire", "learner", "learner").await;
        let course = admin.ok("course.create", json!({ "title": "Wire" })).await;
        admin.ok("course.publish", json!({ "courseId": course["id"] })).await;
        Scene { admin, learner, course: course["id"].clone() }
    }

    /// Makes a webhook; its id and its secret.
    async fn webhook(&self, url: &str, kinds: Value) -> (String, String) {
        let made = self.admin.ok("webhook.create", json!({ "url": url, "kinds": kinds })).await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (text(&made["webhook"]["id"]), text(&made["secret"]))
    }

    /// `enroll` or `unenroll`, which is an event; the enrollment's id.
    async fn happens(&self, change: &str) -> Value {
        let input = json!({ "courseId": self.course });
        self.learner.ok(&format!("enrollment.{change}"), input).await["id"].clone()
    }

    async fn events(&self, enrollment: &Value) -> Vec<Value> {
        let mut log = self.admin.ok("event.since", json!({ "limit": 200 })).await;
        assert_eq!(log["nextCursor"], json!(null));
        let mut events: Vec<Value> = log["items"].as_array_mut().expect("a page").drain(..).collect();
        events.retain(|event| event["enrollmentId"] == *enrollment);
        events
    }
}

async fn every_event_arrives_once_the_receiver_is_well(site: Site) {
    let scene = Scene::set(&site).await;
    let fails = [Answer::Status(503), Answer::Cut, Answer::Status(500), Answer::Status(404)];
    let mut receiver = Receiver::start(&fails).await;
    let (_, secret) = scene.webhook(&receiver.url(), json!(null)).await;
    let enrollment = scene.happens("enroll").await;
    scene.happens("unenroll").await;
    scene.happens("enroll").await;

    let (mut posts, mut arrived) = (Vec::new(), BTreeMap::new());
    while arrived.len() < 3 {
        let post = receiver.next().await;
        if post.is_accepted() {
            let twice = arrived.insert(post.id().to_owned(), post.clone());
            assert!(twice.is_none(), "{twice:?}");
        }
        posts.push(post);
    }
    receiver.nothing(QUIET).await;
    assert_eq!(posts.len(), 3 + fails.len());

    // Each is told as the log has it, and the same each time.
    let events = scene.events(&enrollment).await;
    assert_eq!(events.len(), 3);
    for event in events {
        let text = |field: &str| event[field].as_str().expect("a text");
        let post = &arrived[&format!("{}-{}", scene.admin.organization_id, text("id"))];
        let kind = format!("enrollment.{}", text("kind"));
        assert_eq!(post.json(), json!({ "type": kind, "timestamp": event["at"], "data": event }));
        assert_eq!(post.headers["content-type"], "application/json");
    }
    for post in &posts {
        assert_eq!(post.body, arrived[post.id()].body);
    }
    verify(&secret, &posts).await;
    let log = site.server.log();
    assert!(!log.contains(&secret) && !log.contains("hidden"), "{log}");
}

async fn what_is_wanted_and_what_is_asked_for_again(site: Site) {
    let scene = Scene::set(&site).await;
    let mut receiver = Receiver::start(&[]).await;
    let (webhook, secret) = scene.webhook(&receiver.url_by_name(), json!(["cancelled"])).await;
    let enrollment = scene.happens("enroll").await;
    scene.happens("unenroll").await;
    let cancelled = receiver.next().await;
    receiver.nothing(QUIET).await;
    let events = scene.events(&enrollment).await;
    assert_eq!((&events[1]["kind"], cancelled.event()), (&json!("cancelled"), events[1].clone()));

    let mut posts = vec![cancelled];
    for event in &events {
        let input = json!({ "webhookId": webhook, "eventId": event["id"] });
        scene.admin.ok("webhook.redeliver", input).await;
        let post = receiver.next().await;
        assert_eq!(post.event(), *event);
        posts.push(post);
    }
    assert_eq!((posts[2].id(), &posts[2].body), (posts[0].id(), &posts[0].body));
    verify(&secret, &posts).await;

    scene.admin.ok("webhook.delete", json!({ "webhookId": webhook })).await;
    scene.happens("enroll").await;
    scene.happens("unenroll").await;
    receiver.nothing(QUIET).await;
}

/// 410 is said once.
async fn a_receiver_that_is_gone(site: Site) {
    let scene = Scene::set(&site).await;
    let mut receiver = Receiver::start(&[Answer::Status(410)]).await;
    let (webhook, _) = scene.webhook(&receiver.url(), json!(null)).await;
    scene.happens("enroll").await;
    let event = receiver.next().await.event();
    let asked = Instant::now();
    loop {
        let page = scene.admin.ok("webhook.list", json!({})).await;
        assert_eq!(page["items"][0]["id"], json!(webhook));
        if !page["items"][0]["disabledAt"].is_null() {
            break;
        }
        assert!(asked.elapsed() < QUIET, "{page}");
        sleep(Duration::from_millis(50)).await;
    }
    scene.happens("unenroll").await;
    receiver.nothing(QUIET).await;
    let input = json!({ "webhookId": webhook, "eventId": event["id"] });
    assert_eq!(code_of(&scene.admin.refused("webhook.redeliver", input).await), "BAD_REQUEST");
}

async fn a_redirect_is_not_followed(site: Site) {
    let scene = Scene::set(&site).await;
    let mut elsewhere = Receiver::start(&[]).await;
    let mut receiver = Receiver::start(&[Answer::RedirectTo(elsewhere.url())]).await;
    scene.webhook(&receiver.url(), json!(null)).await;
    scene.happens("enroll").await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.id(), second.id());
    assert!(!first.is_accepted() && second.is_accepted());
    elsewhere.nothing(QUIET).await;
}

/// It is left before long, and asked again; others do not wait for it.
async fn a_receiver_that_says_nothing(site: Site) {
    let scene = Scene::set(&site).await;
    let mut silent = Receiver::start(&[Answer::Silence]).await;
    let mut other = Receiver::start(&[]).await;
    for receiver in [&silent, &other] {
        scene.webhook(&receiver.url(), json!(null)).await;
    }
    scene.happens("enroll").await;
    let first = silent.next().await;
    let asked = Instant::now();
    let told = other.next().await;
    assert!(asked.elapsed() < QUIET, "{:?}", asked.elapsed());
    let second = silent.next().await;
    // The receiver is sure of the first post a moment after it was sent.
    assert!(asked.elapsed() > TIMEOUT - Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!([first.id(), second.id()], [told.id(); 2]);
    assert!(second.is_accepted());
}

async fn two_servers_send_each_event_once(site: Site) {
    let scene = Scene::set(&site).await;
    let _other = Process::start(&site.database_url).await;
    let mut receiver = Receiver::start(&[]).await;
    let (_, secret) = scene.webhook(&receiver.url(), json!(null)).await;
    let changes = ["enroll", "unenroll"].into_iter().cycle();
    let mut enrollment = Value::Null;
    for change in changes.take(20) {
        enrollment = scene.happens(change).await;
    }
    let mut posts = Vec::new();
    for _ in 0..20 {
        posts.push(receiver.next().await);
    }
    receiver.nothing(QUIET).await;
    let told: BTreeSet<String> = posts.iter().map(|post| post.event()["id"].to_string()).collect();
    let events = scene.events(&enrollment).await;
    let happened: BTreeSet<String> = events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!((told.len(), told), (20, happened));
    verify(&secret, &posts).await;
}

/// By the library of Standard Webhooks that `npm test` of the bindings installs.
async fn verify(secret: &str, posts: &[Post]) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let consumer = here.join("../bindings/test/consumers/newest");
    let installed = consumer.join("node_modules/standardwebhooks").is_dir();
    assert!(installed, "{} lacks standardwebhooks; ./tests/run sees to it", consumer.display());
    let mut node = Command::new("node")
        .arg(here.join("tests/wire/official_client/webhook.mjs"))
        .arg(consumer)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is installed");
    let messages: Vec<_> =
        posts.iter().map(|post| json!({ "headers": post.headers, "body": post.body })).collect();
    let input = json!({ "secret": secret, "messages": messages }).to_string();
    let mut stdin = node.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).await.expect("node reads");
    drop(stdin);
    let ended = node.wait_with_output().await.expect("it ends");
    let said =
        [&ended.stdout, &ended.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    assert_eq!(said, format!("verified {}\n", posts.len()));
}
