//! tRPC over a WebSocket, frame by frame.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::http::header;
use crate::shape::code_of;
use crate::site::{Client, Site};
use crate::socket::{Socket, upgrade_at};
use crate::{on_both, on_sqlite};

on_both![calls_and_subscriptions, stopped_before_it_has_started, a_session_that_ends];
on_sqlite![connection_params, messages_that_are_none, pings, the_server_stops, closed_by_the_client];

/// WebSocket close codes (RFC 6455, section 7.4.1).
const AWAY: u16 = 1001;
const POLICY: u16 = 1008;
const TOO_LARGE: u16 = 1009;

async fn calls_and_subscriptions(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let course = site.course(1).await;
    let input = json!({ "courseId": course });
    let mut socket = Socket::open_at(&lena, "/trpc").await;

    let me = call(&mut socket, json!("a text"), "query", "session.me", &Value::Null).await;
    assert_eq!((&me["id"], &me["result"]["type"]), (&json!("a text"), &json!("data")));
    assert_eq!(me["result"]["data"]["userId"], lena.user_id);

    let started = call(&mut socket, json!(1), "subscription", "enrollment.onChange", &json!({})).await;
    assert_eq!(started, json!({ "id": 1, "result": { "type": "started" } }));
    let twice = call(&mut socket, json!(1), "subscription", "enrollment.onChange", &json!({})).await;
    assert_eq!((&twice["id"], code_of(&twice["error"])), (&json!(1), "BAD_REQUEST"));

    // Several calls in one message are answered one by one.
    let enroll = |id: i32| frame(json!(id), "mutation", "enrollment.enroll", &input);
    socket.send_json(&json!([enroll(2), enroll(3)])).await;
    let mut frames = [socket.next().await, socket.next().await, socket.next().await];
    frames.sort_by_key(|frame| frame["id"].as_i64());
    let [item, answers @ ..] = &frames;
    let event = &item["result"]["data"]["data"];
    assert_eq!(event["kind"], "enrolled");
    let tracked = json!({ "type": "data", "id": event["id"], "data": { "id": event["id"], "data": event } });
    assert_eq!(*item, json!({ "id": 1, "result": tracked }));
    let refused: Vec<&Value> = answers.iter().filter(|answer| answer.get("error").is_some()).collect();
    assert_eq!(refused.len(), 1, "{answers:?}");
    assert_eq!(code_of(&refused[0]["error"]), "CONFLICT");
    assert_eq!(refused[0]["error"]["data"]["path"], "enrollment.enroll");

    for (method, path) in [
        ("query", "enrollment.enroll"),
        ("mutation", "session.me"),
        ("query", "enrollment.onChange"),
        ("subscription", "session.me"),
        ("query", "no.such"),
    ] {
        let answer = call(&mut socket, json!(9), method, path, &json!({})).await;
        assert_eq!((&answer["id"], code_of(&answer["error"])), (&json!(9), "NOT_FOUND"), "{method} {path}");
    }

    // Of a stop, only the subscription's end is told; of an unknown one's, nothing.
    socket.send_json(&json!({ "id": 77, "method": "subscription.stop" })).await;
    socket.send_json(&json!({ "id": 1, "method": "subscription.stop" })).await;
    assert_eq!(socket.next().await, json!({ "id": 1, "result": { "type": "stopped" } }));
    lena.ok("enrollment.unenroll", input.clone()).await;
    let resumed = json!({
        "id": 1, "method": "subscription",
        "params": { "path": "enrollment.onChange", "input": {}, "lastEventId": event["id"] },
    });
    socket.send_json(&resumed).await;
    assert_eq!(socket.next().await["result"]["type"], "started", "the id is free again");
    assert_eq!(socket.next().await["result"]["data"]["data"]["kind"], "cancelled");
}

/// A page whose filter changes quickly stops what it has only just begun, and begins anew.
async fn stopped_before_it_has_started(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let course = site.course(1).await;
    let mut socket = Socket::open_at(&lena, "/trpc").await;
    let subscribe = |id: usize| frame(json!(id), "subscription", "enrollment.onChange", &json!({}));
    for id in 0..40 {
        socket.send_json(&subscribe(id)).await;
        socket.send_json(&json!({ "id": id, "method": "subscription.stop" })).await;
    }
    // All of them have started and stopped, in this order, and none is left.
    let mut started = BTreeSet::new();
    let mut stopped = BTreeSet::new();
    while stopped.len() < 40 {
        let message = socket.next().await;
        let id = message["id"].as_u64().expect("an id");
        match message["result"]["type"].as_str() {
            Some("started") => assert!(started.insert(id)),
            Some("stopped") => assert!(started.contains(&id) && stopped.insert(id)),
            other => panic!("{other:?}: {message}"),
        }
    }
    for id in 100..116 {
        socket.send_json(&subscribe(id)).await;
        assert_eq!(socket.next().await["result"]["type"], "started");
    }
    let one_more = call(&mut socket, json!(116), "subscription", "enrollment.onChange", &json!({})).await;
    assert_eq!(code_of(&one_more["error"]), "TOO_MANY_REQUESTS");
    lena.ok("enrollment.enroll", json!({ "courseId": course })).await;
    let mut told = BTreeSet::new();
    for _ in 100..116 {
        told.insert(socket.next().await["id"].as_u64());
    }
    assert_eq!(told, (100..116).map(Some).collect());
}

async fn a_session_that_ends(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let liam = site.person("wire-other", "learner").await;
    let mut calling = Socket::open_at(&lena, "/trpc").await;
    let mut following = Socket::open_at(&liam, "/trpc").await;
    call(&mut following, json!(1), "subscription", "enrollment.onChange", &Value::Null).await;
    let moved = site.dev("clock", &json!({ "advanceSeconds": 3600 + 60 })).await;
    assert_eq!(moved.status, 200);
    let refused = call(&mut calling, json!(2), "query", "session.me", &Value::Null).await;
    assert_eq!((&refused["id"], code_of(&refused["error"])), (&json!(2), "UNAUTHORIZED"));
    assert_eq!(calling.close_code().await, POLICY);
    // Who only listens is told too, by the subscription.
    let ended = following.next().await;
    assert_eq!((&ended["id"], code_of(&ended["error"])), (&json!(1), "UNAUTHORIZED"));
    assert_eq!(following.next().await, json!({ "id": 1, "result": { "type": "stopped" } }));
    assert_eq!(following.close_code().await, POLICY);
}

async fn connection_params(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let nobody = Client::anonymous(site.address());
    let params = |data: Value| json!({ "method": "connectionParams", "data": data });
    let me = frame(json!(1), "query", "session.me", &Value::Null);
    let session = json!({ "token": lena.token, "organizationId": lena.organization_id });

    // A call that comes first waits for them.
    let mut socket = Socket::open_at(&nobody, "/trpc?connectionParams=1").await;
    socket.send_json(&me).await;
    socket.send_json(&params(session.clone())).await;
    assert_eq!(socket.next().await["result"]["data"]["userId"], lena.user_id);
    socket.send_json(&params(Value::Null)).await;
    assert_eq!(code_of(&socket.next().await["error"]), "BAD_REQUEST", "they come once");
    socket.send_json(&me).await;
    assert_eq!(socket.next().await["result"]["data"]["userId"], lena.user_id);

    // Null is no session: public procedures alone.
    let mut socket = Socket::open_at(&nobody, "/trpc?connectionParams=1").await;
    socket.send_json(&params(Value::Null)).await;
    socket.send_json(&me).await;
    assert_eq!(code_of(&socket.next().await["error"]), "UNAUTHORIZED");

    let foreign = json!({ "token": lena.token, "organizationId": "01a20000-0000-7000-8000-000000000000" });
    for (wrong, code) in [
        (json!({ "token": "garbage" }), "UNAUTHORIZED"),
        (json!({ "token": format!("{}x", lena.token) }), "UNAUTHORIZED"),
        (foreign, "FORBIDDEN"),
        (json!("text"), "BAD_REQUEST"),
        (json!({ "token": 5 }), "BAD_REQUEST"),
    ] {
        let mut socket = Socket::open_at(&nobody, "/trpc?connectionParams=1").await;
        socket.send_json(&params(wrong.clone())).await;
        let refused = socket.next().await;
        assert_eq!((&refused["id"], code_of(&refused["error"])), (&Value::Null, code), "{wrong}");
        // The calls of a client that has not heard of it yet are told by their ids.
        socket.send_json(&me).await;
        assert_eq!(socket.next().await["id"], 1);
        assert_eq!(socket.close_code().await, POLICY, "{wrong}");
    }

    let wrong = Client::bearing(site.address(), "garbage");
    let refused = upgrade_at(&wrong, "/trpc", &[]).await;
    assert_eq!((refused.status, code_of(&refused.json()["error"])), (401, "UNAUTHORIZED"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    let not_one = [header("sec-websocket-version", "7")];
    assert_eq!(upgrade_at(&lena, "/trpc", &not_one).await.status, 400);
}

async fn messages_that_are_none(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut socket = Socket::open_at(&lena, "/trpc").await;
    for (message, code) in [
        ("{", "PARSE_ERROR"),
        ("[{", "PARSE_ERROR"),
        ("", "PARSE_ERROR"),
        ("[]", "BAD_REQUEST"),
        ("5", "BAD_REQUEST"),
        ("[5]", "BAD_REQUEST"),
        (r#"{"id":1}"#, "BAD_REQUEST"),
        (r#"{"id":{},"method":"query","params":{"path":"session.me"}}"#, "BAD_REQUEST"),
        (r#"{"method":"query","params":{"path":"session.me"}}"#, "BAD_REQUEST"),
    ] {
        socket.send(message).await;
        let answer = socket.next().await;
        assert_eq!((&answer["id"], code_of(&answer["error"])), (&Value::Null, code), "{message}");
    }
    for (message, code) in [
        (r#"{"id":1,"method":"query"}"#, "BAD_REQUEST"),
        (r#"{"id":1,"method":"dance","params":{"path":"session.me"}}"#, "BAD_REQUEST"),
        (r#"{"id":1,"method":"query","params":{"path":"enrollment.find","input":[]}}"#, "BAD_REQUEST"),
        (
            r#"{"id":1,"method":"subscription","params":{"path":"enrollment.onChange","input":5}}"#,
            "BAD_REQUEST",
        ),
    ] {
        socket.send(message).await;
        let answer = socket.next().await;
        assert_eq!((&answer["id"], code_of(&answer["error"])), (&json!(1), code), "{message}");
    }
    // However many calls a client has to make at once, each is answered.
    let many: Vec<Value> = (0..100).map(|id| frame(json!(id), "query", "session.me", &Value::Null)).collect();
    socket.send_json(&json!(many)).await;
    let mut answered = BTreeSet::new();
    for _ in &many {
        let answer = socket.next().await;
        assert_eq!(answer["result"]["data"]["userId"], lena.user_id);
        answered.insert(answer["id"].as_u64());
    }
    assert_eq!(answered.len(), many.len());
    // Bytes are taken for a text; the answer is one.
    let me = frame(json!(2), "query", "session.me", &Value::Null);
    socket.send(Message::binary(me.to_string().into_bytes())).await;
    assert_eq!(socket.next().await["result"]["data"]["userId"], lena.user_id, "it stays open");
    let large = json!({ "id": 3, "method": "query", "params": { "path": "x".repeat(300_000) } });
    socket.send_json(&large).await;
    let refused = socket.next().await;
    assert_eq!((&refused["id"], code_of(&refused["error"])), (&Value::Null, "PAYLOAD_TOO_LARGE"));
    assert_eq!(socket.close_code().await, TOO_LARGE);
}

async fn pings(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut socket = Socket::open_at(&lena, "/trpc").await;
    socket.send("PONG").await;
    socket.send("PING").await;
    assert_eq!(socket.message().await, Message::text("PONG"));
}

async fn the_server_stops(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut idle = Socket::open_at(&lena, "/trpc").await;
    let mut following = Socket::open_at(&lena, "/trpc").await;
    call(&mut following, json!(1), "subscription", "enrollment.onChange", &Value::Null).await;
    site.server.terminate().await;
    for socket in [&mut idle, &mut following] {
        assert_eq!(socket.next().await, json!({ "id": null, "method": "reconnect" }));
        assert_eq!(socket.close_code().await, AWAY);
    }
}

/// The connection goes with the close, whatever was going on over it.
async fn closed_by_the_client(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    for path in ["/trpc", "/rpc"] {
        let mut socket = Socket::open_at(&lena, path).await;
        let subscribe = match path {
            "/trpc" => frame(json!(1), "subscription", "enrollment.onChange", &Value::Null),
            _ => json!({ "jsonrpc": "2.0", "id": 1, "method": "enrollment.onChange", "params": {} }),
        };
        socket.send_json(&subscribe).await;
        socket.next().await;
        socket.send(Message::Close(None)).await;
        assert!(matches!(socket.message().await, Message::Close(_)), "{path}");
        assert!(socket.ends().await, "{path}");
    }
}

fn frame(id: Value, method: &str, path: &str, input: &Value) -> Value {
    let mut params = json!({ "path": path });
    if !input.is_null() {
        params["input"] = input.clone();
    }
    json!({ "id": id, "method": method, "params": params })
}

async fn call(socket: &mut Socket, id: Value, method: &str, path: &str, input: &Value) -> Value {
    socket.send_json(&frame(id, method, path, input)).await;
    socket.next().await
}
