//! Random bytes and calls that were meddled with, over a WebSocket and a kept-alive HTTP connection of each wire:
//! whatever comes, the answer is a refusal or a result, never a fault.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::http::Connection;
use crate::on_both;
use crate::shape::code_of;
use crate::site::{Client, Site};
use crate::socket::Socket;

on_both![twenty_thousand_messages];

/// Each database gets half of them, and each of four connections a quarter of those.
const MESSAGES: usize = 2_500;

/// How many are under way on the WebSocket at once.
const AT_ONCE: usize = 20;

const SEED: u64 = 0x526f_6c6c_626f_6f6b;

async fn twenty_thousand_messages(site: Site) {
    let course = site.course(2).await;
    let carol = site.person("carol", "coordinator").await;
    let seeds = seeds(&site, &carol, &course).await;
    let frames: Vec<Value> = seeds.iter().map(frame).collect();
    let mut generators = (SEED..).map(StdRng::seed_from_u64);
    let mut random = || generators.next().expect("endless");
    let (first, second, third, fourth) = (random(), random(), random(), random());
    let last = json!({ "jsonrpc": "2.0", "id": "last", "method": "no.such" });
    let last_frame = json!({ "id": "last", "method": "query", "params": { "path": "no.such" } });
    tokio::join!(
        over_a_websocket(&carol, "/rpc", first, &seeds, &last),
        over_http(&carol, second, &seeds),
        over_a_websocket(&carol, "/trpc", third, &frames, &last_frame),
        over_trpc_http(&carol, fourth, &seeds),
    );
    let log = site.server.log();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    assert_eq!(carol.ok("session.me", json!({})).await["userId"], carol.user_id);
}

/// The same call as tRPC's WebSocket has it.
fn frame(call: &Value) -> Value {
    let path = call["method"].as_str().expect("a method");
    let method = match path {
        "enrollment.onChange" => "subscription",
        _ if ["get", "list", "find", "count", "me"].iter().any(|part| path.contains(part)) => "query",
        _ => "mutation",
    };
    json!({ "id": 1, "method": method, "params": { "path": path, "input": input(call) } })
}

fn input(call: &Value) -> &Value {
    call["params"].get(0).unwrap_or(&call["params"])
}

/// One call of every procedure, as its OpenRPC description has it, with ids that exist.
async fn seeds(site: &Site, caller: &Client, course: &str) -> Vec<Value> {
    let enrollment = caller.ok("enrollment.enroll", json!({ "courseId": course })).await;
    let document = site.get("/openrpc.json").await.json();
    let methods = document["methods"].as_array().expect("methods");
    let params = json!({
        "courseId": course, "userId": caller.user_id, "enrollmentId": enrollment["id"], "limit": 5, "cursor": null,
        "idempotencyKey": "a-key", "title": "A title", "version": 1, "capacity": 3, "statuses": ["enrolled"],
        "search": "a", "notes": "some notes", "reason": "no time", "role": "learner", "slug": "slug",
    });
    let call =
        |method: &Value| json!({ "jsonrpc": "2.0", "id": 1, "method": method["name"], "params": params });
    let known = |method: &&Value| method["name"] != "rpc.discover";
    let mut seeds: Vec<_> = methods.iter().filter(known).map(call).collect();
    assert!(seeds.len() > 15, "{} methods", seeds.len());
    // The same with only what each takes, which gets beyond the first unknown field.
    for method in methods.iter().filter(known) {
        let of_course = json!({ "courseId": course, "limit": 3 });
        seeds.push(json!({ "jsonrpc": "2.0", "id": 1, "method": method["name"], "params": of_course }));
        let of_enrollment = json!({ "enrollmentId": enrollment["id"] });
        seeds.push(json!({ "jsonrpc": "2.0", "id": 1, "method": method["name"], "params": [of_enrollment] }));
    }
    seeds
}

async fn over_a_websocket(client: &Client, path: &str, mut random: StdRng, seeds: &[Value], last: &Value) {
    let mut socket = Socket::open_at(client, path).await;
    for _ in 0..MESSAGES / AT_ONCE {
        let mut sent = Vec::new();
        for _ in 0..AT_ONCE {
            let bytes = message(&mut random, seeds);
            sent.push(String::from_utf8_lossy(&bytes).into_owned());
            socket
                .send(match String::from_utf8(bytes) {
                    Ok(text) => Message::text(text),
                    Err(error) => Message::binary(error.into_bytes()),
                })
                .await;
        }
        // Not all are answered; when this one is, they have at least been read.
        socket.send_json(last).await;
        let mut answered = false;
        while !answered {
            let answer = socket.next().await;
            answered = answer["id"] == "last";
            assert_no_fault(&answer, &sent);
        }
    }
}

async fn over_http(client: &Client, mut random: StdRng, seeds: &[Value]) {
    let mut connection = Connection::open(client.address).await;
    for _ in 0..MESSAGES {
        let bytes = message(&mut random, seeds);
        let answer = connection.request("POST", "/rpc", &client.json_headers(), &bytes).await;
        assert!(answer.status < 500, "{}: {}", answer.status, String::from_utf8_lossy(&bytes));
        if answer.status != 204 {
            assert_no_fault(&answer.json(), &[String::from_utf8_lossy(&bytes).into_owned()]);
        }
    }
}

async fn over_trpc_http(client: &Client, mut random: StdRng, seeds: &[Value]) {
    let mut connection = Connection::open(client.address).await;
    for _ in 0..MESSAGES {
        let bytes = message(&mut random, seeds);
        let path = seeds.choose(&mut random).expect("seeds")["method"].as_str().expect("a method").to_owned();
        let path = match random.random_range(0..5) {
            0 => text(&mut random),
            1 => format!("{path},{path}"),
            _ => path,
        };
        let batch = random.random_range(0..3) == 0;
        // A subscription would go on for ever.
        let get = random.random() && (batch || path != "enrollment.onChange");
        let body: Vec<u8> = match (serde_json::from_slice::<Value>(&bytes), batch) {
            (Ok(call), true) => json!({ "0": input(&call), "1": call }).to_string().into(),
            (Ok(call), false) => input(&call).to_string().into(),
            (Err(_), _) => bytes,
        };
        let path = utf8_percent_encode(&path, NON_ALPHANUMERIC);
        let batch = if batch { "batch=1" } else { "" };
        let answer = if get {
            let query = percent_encode(&body, NON_ALPHANUMERIC).to_string();
            let query: String = query.chars().take(20_000).collect();
            let address = format!("/trpc/{path}?{batch}&input={query}");
            connection.request("GET", &address, &client.headers, b"").await
        } else {
            let address = format!("/trpc/{path}?{batch}");
            connection.request("POST", &address, &client.json_headers(), &body).await
        };
        assert!(answer.status < 500, "{}: {}", answer.status, String::from_utf8_lossy(&body));
        assert_no_fault(&answer.json(), &[String::from_utf8_lossy(&body).into_owned()]);
    }
}

fn assert_no_fault(answer: &Value, sent: &[String]) {
    let answers = answer.as_array().map_or(std::slice::from_ref(answer), Vec::as_slice);
    for answer in answers {
        if answer["error"].is_null() {
            let tells = answer.get("method").is_some();
            assert!(tells || answer.get("result").is_some(), "{answer}");
            continue;
        }
        let code = code_of(&answer["error"]);
        assert!(
            !["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"].contains(&code),
            "{answer}\nto one of {sent:#?}"
        );
    }
}

/// Noise, a call with bytes changed, a call with values changed, or a batch of such.
fn message(random: &mut StdRng, seeds: &[Value]) -> Vec<u8> {
    match random.random_range(0..10) {
        0 => (0..random.random_range(0..200)).map(|_| random.random()).collect(),
        1..=3 => {
            let mut bytes = seeds.choose(random).expect("seeds").to_string().into_bytes();
            for _ in 0..random.random_range(1..6) {
                let place = random.random_range(0..bytes.len());
                match random.random_range(0..4) {
                    0 => bytes[place] = random.random(),
                    1 => bytes[place] = *b"{}[]\",:\\0-.eE u".choose(random).expect("bytes"),
                    2 => bytes.truncate(place + 1),
                    _ => bytes.insert(place, random.random()),
                }
            }
            bytes
        }
        4 => {
            let calls = (0..random.random_range(0..6)).map(|_| meddled(random, seeds)).collect::<Vec<_>>();
            json!(calls).to_string().into_bytes()
        }
        _ => meddled(random, seeds).to_string().into_bytes(),
    }
}

/// A call with some of its values replaced, taken away or moved.
fn meddled(random: &mut StdRng, seeds: &[Value]) -> Value {
    let mut call = seeds.choose(random).expect("seeds").clone();
    for _ in 0..random.random_range(0..4) {
        let place = ["/params/0", "/params/input", "/params"];
        let place = place.iter().find(|place| call.pointer(place).is_some());
        let input = place.and_then(|place| call.pointer_mut(place));
        let object = match random.random_range(0..6) {
            0 => call.as_object_mut(),
            _ => input.and_then(Value::as_object_mut),
        };
        let Some(object) = object else { continue };
        let names: Vec<String> = object.keys().cloned().collect();
        let Some(name) = names.choose(random) else { continue };
        match random.random_range(0..3) {
            0 => drop(object.remove(name)),
            1 => drop(object.insert(name.clone(), value(random))),
            _ => drop(object.insert(text(random), value(random))),
        }
    }
    call
}

fn value(random: &mut StdRng) -> Value {
    match random.random_range(0..12) {
        0 => Value::Null,
        1 => random.random::<bool>().into(),
        2 => random.random::<i64>().into(),
        3 => random.random::<u64>().into(),
        4 => json!(random.random::<f64>() * 1e300),
        5 => json!([value(random), value(random)]),
        6 => json!({ text(random): value(random) }),
        7 => json!("01a20000-0000-7000-8000-000000000000"),
        8 => json!("9999-12-31T23:59:59.999999Z"),
        9 => (-3..300).collect::<Vec<i64>>().choose(random).copied().into(),
        10 => "é\u{0}😀".repeat(random.random_range(0..400)).into(),
        _ => text(random).into(),
    }
}

fn text(random: &mut StdRng) -> String {
    let characters = "aé😀\u{0}\u{7f}\u{200b}\\\"'%_0-{}$;\u{fffd}";
    let characters: Vec<char> = characters.chars().collect();
    (0..random.random_range(0..12)).filter_map(|_| characters.choose(random)).collect()
}
