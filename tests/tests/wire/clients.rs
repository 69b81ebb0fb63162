//! jsonrpsee's own clients, over HTTP and WebSocket.

use jsonrpsee_core::client::{ClientT, Error, Subscription, SubscriptionClientT};
use jsonrpsee_core::params::{ArrayParams, ObjectParams};
use jsonrpsee_http_client::{HeaderMap, HeaderValue, HttpClientBuilder};
use jsonrpsee_ws_client::WsClientBuilder;
use serde_json::{Value, json};

use crate::on_both;
use crate::shape::{code_of, without_request_id};
use crate::site::{Client, Site};
use crate::socket::Socket;

on_both![a_learner_over_http, a_learner_over_a_websocket, a_subscription, a_subscription_is_stopped];

async fn a_learner_over_http(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let client = HttpClientBuilder::default()
        .set_headers(headers(&lena))
        .build(format!("http://{}/rpc", site.address()))
        .expect("a client");
    enrolls_again_and_again(&site, &lena, &client).await;
    describes_itself(&site, &client).await;
}

async fn a_learner_over_a_websocket(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let client = WsClientBuilder::default()
        .set_headers(headers(&lena))
        .build(format!("ws://{}/rpc", site.address()))
        .await
        .expect("a client");
    enrolls_again_and_again(&site, &lena, &client).await;
    describes_itself(&site, &client).await;
}

/// What happens to a course's enrollments, from the last event that was seen on.
async fn a_subscription(site: Site) {
    let carol = site.person("wire-coordinator", "coordinator").await;
    let lena = site.person("wire-learner", "learner").await;
    let course = site.course(1).await;
    let client = WsClientBuilder::default()
        .set_headers(headers(&carol))
        .build(format!("ws://{}/rpc", site.address()))
        .await
        .expect("a client");
    let of_course = || {
        let mut params = ObjectParams::new();
        params.insert("courseId", &course).expect("a text");
        params
    };
    let subscribe =
        |params: ObjectParams| client.subscribe("enrollment.onChange", params, "enrollment.onChange.stop");
    let mut events: Subscription<Value> = subscribe(of_course()).await.expect("a subscription");
    for method in ["enrollment.enroll", "enrollment.unenroll", "enrollment.enroll"] {
        lena.ok(method, json!({ "courseId": course })).await;
    }
    let mut seen = Vec::new();
    for kind in ["enrolled", "cancelled", "reactivated"] {
        let event = events.next().await.expect("goes on").expect("an event");
        assert_eq!((&event["kind"], &event["userId"]), (&json!(kind), &json!(lena.user_id)));
        seen.push(event["id"].clone());
    }
    events.unsubscribe().await.expect("stopped");

    let mut resumed = of_course();
    resumed.insert("lastEventId", &seen[0]).expect("an id");
    let mut events: Subscription<Value> = subscribe(resumed).await.expect("a subscription");
    for id in &seen[1..] {
        assert_eq!(events.next().await.expect("goes on").expect("an event")["id"], *id);
    }

    let mut wrong = of_course();
    wrong.insert("lastEventId", "yesterday").expect("a text");
    let refused = subscribe(wrong).await.map(|_: Subscription<Value>| ()).expect_err("not an event's id");
    let Error::Call(refused) = refused else { panic!("no answer: {refused}") };
    assert_eq!(refused.code(), -32600);
}

/// As jsonrpsee's client stops one, which does not look at the answer.
async fn a_subscription_is_stopped(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let course = site.course(1).await;
    let mut socket = Socket::open(&lena).await;
    let subscribed = socket.call("enrollment.onChange", json!({})).await;
    let id = &subscribed["result"];
    assert!(id.is_u64(), "{subscribed}");
    assert_eq!(socket.call("enrollment.onChange.stop", json!([id])).await["result"], true);
    assert_eq!(socket.call("enrollment.onChange.stop", json!([id])).await["result"], false, "it is over");
    lena.ok("enrollment.enroll", json!({ "courseId": course })).await;
    // What it would tell, it would tell before this.
    let enrolled = socket.call("enrollment.unenroll", json!({ "courseId": course })).await;
    assert_eq!(enrolled["result"]["status"], "cancelled");
}

fn headers(client: &Client) -> HeaderMap {
    let authorization = HeaderValue::try_from(format!("Bearer {}", client.token)).expect("a header's value");
    let mut headers = HeaderMap::new();
    headers.insert("authorization", authorization);
    headers
}

/// Enrolls, enrolls again, unenrolls, enrolls: one enrollment, in its second attempt.
async fn enrolls_again_and_again(site: &Site, learner: &Client, client: &impl ClientT) {
    let course = site.course(2).await;
    let of_course = || {
        let mut params = ObjectParams::new();
        params.insert("courseId", &course).expect("a text");
        params
    };

    let first: Value = client.request("enrollment.enroll", of_course()).await.expect("enrolled");
    let expected = json!({
        "id": first["id"], "userId": learner.user_id, "courseId": course,
        "organizationId": learner.organization_id, "status": "enrolled", "source": "self",
        "enrolledAt": first["enrolledAt"], "startedAt": null, "completedAt": null, "cancelledAt": null,
        "waitlistedAt": null, "expiresAt": null, "completionScore": null, "progress": 0, "modulesTotal": 2,
        "modulesCompleted": 0, "enrolledByUserId": null, "certificateId": null, "reminderSentAt": null,
        "notes": null, "attempt": 1, "version": 1, "softDeleted": false, "waitlistPosition": null,
        "createdAt": first["enrolledAt"], "updatedAt": first["enrolledAt"],
    });
    assert_eq!(first, expected);

    // The input is an array's one element here, as positional clients send it.
    let mut positional = ArrayParams::new();
    positional.insert(json!({ "courseId": course })).expect("an object");
    let again: Result<Value, Error> = client.request("enrollment.enroll", positional).await;
    let Err(Error::Call(conflict)) = again else { panic!("enrolled twice: {again:?}") };
    let conflict = serde_json::to_value(&conflict).expect("JSON");
    assert_eq!(code_of(&conflict), "CONFLICT");
    let expected = json!({
        "code": -32009,
        "message": "Already enrolled in this course.",
        "data": {
            "code": "CONFLICT", "httpStatus": 409, "path": "enrollment.enroll", "requestId": null,
            "rule": "unique_enrollment_per_user_per_course",
            "reason": { "type": "alreadyEnrolled", "enrollmentId": first["id"], "status": "enrolled" },
        },
    });
    assert_eq!(without_request_id(conflict), expected);

    let left: Value = client.request("enrollment.unenroll", of_course()).await.expect("unenrolled");
    assert_eq!(
        (&left["id"], &left["status"], &left["version"]),
        (&first["id"], &json!("cancelled"), &json!(2))
    );
    assert_ne!(left["cancelledAt"], Value::Null);

    let back: Value = client.request("enrollment.enroll", of_course()).await.expect("enrolled");
    assert_eq!((&back["id"], &back["status"]), (&first["id"], &json!("enrolled")));
    assert_eq!((&back["attempt"], &back["version"]), (&json!(2), &json!(3)));
    assert_eq!(back["cancelledAt"], Value::Null);
}

/// `rpc.discover` is `/openrpc.json`, and both name every procedure that was just called.
async fn describes_itself(site: &Site, client: &impl ClientT) {
    let discovered: Value = client.request("rpc.discover", ObjectParams::new()).await.expect("a document");
    let published = site.get("/openrpc.json").await;
    assert_eq!((published.status, published.header("content-type")), (200, Some("application/json")));
    assert_eq!(discovered, published.json());
    let methods = discovered["methods"].as_array().expect("methods");
    for called in ["enrollment.enroll", "enrollment.unenroll", "session.me", "course.create"] {
        assert!(methods.iter().any(|method| method["name"] == called), "{called} is not described");
    }
}
