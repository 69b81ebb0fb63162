//! Several calls in one message, and calls that want no answer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::hold::Hold;
use crate::shape::assert_refused;
use crate::site::{Client, Site, envelope};
use crate::socket::Socket;
use crate::{on_both, on_postgres, on_sqlite};

on_both![twenty_calls_are_answered_in_order];
on_postgres![calls_run_side_by_side];
on_sqlite![more_than_twenty_calls_are_refused_as_one, notifications_are_made_and_not_answered];

/// Twenty calls of every outcome, and what is to be answered to each.
fn mixed(course: &str) -> (Vec<Value>, Vec<(Value, Option<&'static str>)>) {
    let mut calls = vec![
        (envelope("session.me", json!({})), None),
        (envelope("enrollment.enroll", json!({ "courseId": course })), None),
        (envelope("no.such", json!({})), Some("NOT_FOUND")),
        (envelope("enrollment.enroll", json!([{ "courseId": 7 }])), Some("BAD_REQUEST")),
        (envelope("member.list", json!({})), Some("FORBIDDEN")),
        (json!(17), Some("BAD_REQUEST")),
        (json!({ "jsonrpc": "2.0", "id": "no method" }), Some("BAD_REQUEST")),
        (json!({ "jsonrpc": "1.0", "id": 1, "method": "session.me" }), Some("BAD_REQUEST")),
        (envelope("rpc.discover", json!({})), None),
        (json!({ "jsonrpc": "2.0", "id": null, "method": "session.me" }), None),
        (json!({ "jsonrpc": "2.0", "id": "a text", "method": "course.list", "params": null }), None),
        (envelope("course.get", json!({ "courseId": course })), None),
    ];
    while calls.len() < 20 {
        calls.push((envelope("course.get", json!([{ "courseId": course }])), None));
    }
    let expected = calls.iter().map(|(call, refused)| {
        // What is no request has no id that could be trusted.
        let id = if *refused == Some("BAD_REQUEST") && call["params"].is_null() {
            &Value::Null
        } else {
            &call["id"]
        };
        (id.clone(), *refused)
    });
    (calls.iter().map(|(call, _)| call.clone()).collect(), expected.collect())
}

fn check(answers: &Value, expected: &[(Value, Option<&str>)]) {
    let answers = answers.as_array().unwrap_or_else(|| panic!("not a batch's answer: {answers}"));
    assert_eq!(answers.len(), expected.len());
    for (answer, (id, refused)) in answers.iter().zip(expected) {
        match refused {
            Some(code) => assert_refused(answer, id, code),
            None => {
                assert_eq!((&answer["id"], &answer["error"]), (id, &Value::Null), "{answer}");
                assert_ne!(answer["result"], Value::Null);
            }
        }
    }
}

async fn twenty_calls_are_answered_in_order(site: Site) {
    let course = site.course(1).await;
    let (calls, expected) = mixed(&course);
    let lena = site.person("wire-http", "learner").await;
    let answer = lena.post(json!(calls).to_string().as_bytes()).await;
    assert_eq!(answer.status, 200);
    check(&answer.json(), &expected);

    let (calls, expected) = mixed(&course);
    let mut socket = Socket::open(&site.person("wire-socket", "learner").await).await;
    socket.send_json(&json!(calls)).await;
    check(&socket.next().await, &expected);
}

/// While the batch's first call waits for a lock, its second is done.
async fn calls_run_side_by_side(site: Site) {
    let (held, free) = (site.course(1).await, site.course(1).await);
    let lena = site.person("wire-learner", "learner").await;
    let hold = Hold::course(&site, &held).await;
    let calls = [&held, &free].map(|course| envelope("enrollment.enroll", json!({ "courseId": course })));
    let batch = async { lena.post(json!(calls).to_string().as_bytes()).await.json() };
    let meanwhile = async {
        while lena.ok("enrollment.find", json!({ "courseId": free })).await.is_null() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(lena.ok("enrollment.find", json!({ "courseId": held })).await, Value::Null);
        hold.release().await;
    };
    let (answers, ()) = tokio::join!(batch, meanwhile);
    for (answer, course) in answers.as_array().expect("a batch's answer").iter().zip([held, free]) {
        assert_eq!(
            (&answer["result"]["courseId"], &answer["result"]["status"]),
            (&json!(course), &json!("enrolled"))
        );
    }
}

async fn more_than_twenty_calls_are_refused_as_one(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut socket = Socket::open(&lena).await;
    let many: Vec<_> = (0..21).map(|_| envelope("session.me", json!({}))).collect();
    for batch in [json!(many), json!([])] {
        let answer = lena.post(batch.to_string().as_bytes()).await;
        assert_eq!(answer.status, 400);
        assert_refused(&answer.json(), &Value::Null, "BAD_REQUEST");
        socket.send_json(&batch).await;
        assert_refused(&socket.next().await, &Value::Null, "BAD_REQUEST");
    }
}

async fn notifications_are_made_and_not_answered(site: Site) {
    let course = site.course(1).await;
    let notification = |course: &str| json!({ "jsonrpc": "2.0", "method": "enrollment.enroll", "params": { "courseId": course } });

    let lena = site.person("wire-http", "learner").await;
    let answer = lena.post(notification(&course).to_string().as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_slice()), (204, [].as_slice()));
    assert_eq!(enrolled_in(&lena, &course).await, 1);
    let none = json!([notification(&course), notification(&course)]);
    let answer = lena.post(none.to_string().as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_slice()), (204, [].as_slice()));

    let liam = site.person("wire-socket", "learner").await;
    let mut socket = Socket::open(&liam).await;
    let call = envelope("session.me", json!({}));
    socket.send_json(&json!([notification(&course), call, { "jsonrpc": "2.0", "method": "no.such" }])).await;
    let answers = socket.next().await;
    assert_eq!(answers.as_array().map(Vec::len), Some(1), "{answers}");
    assert_eq!(answers[0]["id"], call["id"]);
    assert_eq!(enrolled_in(&liam, &course).await, 1);

    // A notification is not told either what is wrong with it; what is no request at all is.
    socket.send_json(&json!({ "jsonrpc": "2.0", "method": "session.me", "params": 1 })).await;
    socket.send_json(&json!({ "jsonrpc": "2.0", "params": {} })).await;
    assert_refused(&socket.next().await, &Value::Null, "BAD_REQUEST");
    assert_eq!(socket.call("session.me", json!({})).await["result"]["userId"], liam.user_id);
}

async fn enrolled_in(client: &Client, course: &str) -> usize {
    let page = client.ok("enrollment.listByUser", json!({})).await;
    let items = page["items"].as_array().expect("a page");
    items.iter().filter(|enrollment| enrollment["courseId"] == *course).count()
}
