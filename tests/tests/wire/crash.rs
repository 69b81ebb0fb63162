//! `kill -9` in the middle of many concurrent enrolls: what was acknowledged is there, nothing is half there, and what
//! was not acknowledged can be repeated under its key.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::http::try_request;
use crate::on_both;
use crate::site::{Client, Site, envelope};

on_both![nothing_acknowledged_is_lost];

const ROUNDS: usize = 4;
const COURSES: usize = 6;
const LEARNERS: usize = 24;
const MODULES: usize = 3;

/// One enroll, and how it was acknowledged before the server died, if it was.
struct Attempt {
    learner: Client,
    course: String,
    key: String,
    acknowledged: Option<Value>,
}

async fn nothing_acknowledged_is_lost(mut site: Site) {
    for round in 0..ROUNDS {
        let mut courses = Vec::new();
        for _ in 0..COURSES {
            courses.push(site.course(MODULES).await);
        }
        let mut learners = Vec::new();
        for number in 0..LEARNERS {
            learners.push(site.person(&format!("round-{round}-learner-{number}"), "learner").await);
        }
        let (acknowledge, mut acknowledged) = mpsc::unbounded_channel();
        let enrolling: Vec<_> = learners
            .into_iter()
            .map(|learner| tokio::spawn(enroll(learner, courses.clone(), acknowledge.clone())))
            .collect();
        drop(acknowledge);
        for _ in 0..10 + 20 * round {
            acknowledged.recv().await.expect("the server enrolls");
        }
        site = site.crash().await;
        let mut attempts = Vec::new();
        for learner in enrolling {
            attempts.extend(learner.await.expect("no panic"));
        }
        assert!(attempts.iter().any(|attempt| attempt.acknowledged.is_none()), "it was killed too late");
        check(&site, &courses, &attempts).await;
        repeat(&site, &attempts).await;
        check(&site, &courses, &attempts).await;
    }
}

/// Enrolls in one course after another, until the server is gone.
async fn enroll(
    learner: Client,
    courses: Vec<String>,
    acknowledge: mpsc::UnboundedSender<()>,
) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for course in courses {
        let key = format!("{}-{course}", learner.user_id);
        let answer = sent(&learner, &course, &key).await;
        let gone = answer.is_none();
        if let Some(answer) = &answer {
            assert_eq!(answer["error"], Value::Null, "{answer}");
            // Nobody listens any more once there were enough of them.
            let _ = acknowledge.send(());
        }
        let acknowledged = answer.map(|mut answer| answer["result"].take());
        attempts.push(Attempt { learner: learner.clone(), course, key, acknowledged });
        if gone {
            break;
        }
    }
    attempts
}

async fn sent(learner: &Client, course: &str, key: &str) -> Option<Value> {
    let call =
        envelope("enrollment.enroll", json!({ "courseId": course, "idempotencyKey": key })).to_string();
    let headers = learner.json_headers();
    let answer = try_request(learner.address, "POST", "/rpc", &headers, call.as_bytes()).await;
    answer.ok().map(|answer| answer.json())
}

/// The rosters have every acknowledged enrollment, and each that they have is whole.
async fn check(site: &Site, courses: &[String], attempts: &[Attempt]) {
    let admin = site.person("ada", "admin").await;
    for course in courses {
        let page = admin.ok("enrollment.listByCourse", json!({ "courseId": course, "limit": 200 })).await;
        let roster: BTreeMap<&str, &Value> = page["items"]
            .as_array()
            .expect("a page")
            .iter()
            .map(|entry| (entry["userId"].as_str().expect("an id"), entry))
            .collect();
        assert_eq!(
            (page["items"].as_array().map(Vec::len), &page["nextCursor"]),
            (Some(roster.len()), &Value::Null)
        );
        let of_course = json!({ "courseId": course });
        let count = admin.ok("enrollment.count", of_course.clone()).await;
        assert_eq!((&count["enrolled"], &count["seatsTaken"]), (&json!(roster.len()), &json!(roster.len())));
        assert_eq!(admin.ok("course.get", of_course).await["seatsTaken"], json!(roster.len()));

        for attempt in attempts.iter().filter(|attempt| attempt.course == *course) {
            let Some(acknowledged) = &attempt.acknowledged else { continue };
            let kept = roster.get(attempt.learner.user_id.as_str()).expect("an acknowledged enrollment");
            let mut kept = (*kept).clone();
            kept.as_object_mut().expect("an object").remove("user");
            assert_eq!(kept, *acknowledged);
        }
        for entry in roster.values() {
            is_whole(&admin, entry).await;
        }
    }
}

async fn is_whole(admin: &Client, entry: &Value) {
    let of_enrollment = json!({ "enrollmentId": entry["id"] });
    let calls = [
        envelope("enrollment.history", of_enrollment.clone()),
        envelope("module.listByEnrollment", of_enrollment),
    ];
    let answers = admin.post(json!(calls).to_string().as_bytes()).await.json();
    let events = answers[0]["result"]["items"].as_array().expect("a page");
    let kinds: Vec<_> = events.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["enrolled"], "{entry}");
    let modules = answers[1]["result"].as_array().expect("modules");
    assert_eq!(modules.len(), MODULES, "{entry}");
    assert!(modules.iter().all(|module| module["enrollmentId"] == entry["id"]));
    assert_eq!((&entry["modulesTotal"], &entry["status"]), (&json!(MODULES), &json!("enrolled")));
    assert_eq!((&entry["attempt"], &entry["version"]), (&json!(1), &json!(1)));
}

/// Every enroll again, under its key: the acknowledged ones get their answer again, the others are made, or were.
async fn repeat(site: &Site, attempts: &[Attempt]) {
    for attempt in attempts {
        let learner = attempt.learner.at(site.address());
        let answer = sent(&learner, &attempt.course, &attempt.key).await.expect("an answer");
        match &attempt.acknowledged {
            Some(acknowledged) => assert_eq!(answer["result"], *acknowledged, "{answer}"),
            None => assert_eq!(answer["result"]["userId"], attempt.learner.user_id, "{answer}"),
        }
    }
}
