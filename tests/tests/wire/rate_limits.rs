//! Too many calls, by caller and by address, on every wire: refused with the time to come back, and not before.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tests::process::Process;
use tokio::time::sleep;

use crate::http::{Answer, Connection, header, request};
use crate::on_sqlite;
use crate::shape::code_of;
use crate::site::{Client, Site, envelope};
use crate::socket::{Socket, upgrade_at};

on_sqlite![
    json_rpc_over_http,
    trpc_over_http,
    json_rpc_over_websocket,
    trpc_over_websocket,
    server_sent_events,
    upgrades,
    an_introduction_that_comes_too_soon,
    services_are_counted_too,
    addresses_before_sign_in,
    what_is_not_counted,
];

/// Five calls a second, and 25 at once: two batches of 20 are three seconds apart.
const LIMIT: &str = "5:25";

/// As many calls as a batch may have.
const BATCH: usize = 20;

/// After so many calls in a row there has been a refusal, on the slowest machine too.
const MANY: usize = 500;

/// The site, with a server that has these limits.
async fn limited(site: Site, flags: &[&str]) -> Site {
    let Site { kind, database_url, server } = site;
    server.kill().await;
    let server = Process::start_with(&database_url, flags).await;
    Site { kind, database_url, server }
}

/// Fails unless this is the error of too many calls; answers with the seconds to wait.
#[track_caller]
fn seconds_of(error: &Value) -> u64 {
    assert_eq!(code_of(error), "TOO_MANY_REQUESTS");
    assert_eq!(error["message"], "Too many calls.");
    let reason = &error["data"]["reason"];
    let seconds = reason["retryAfterSeconds"].as_u64().unwrap_or_else(|| panic!("{error}"));
    assert_eq!(*reason, json!({ "type": "rateLimited", "retryAfterSeconds": seconds }));
    assert!((1..=4).contains(&seconds), "{error}");
    seconds
}

/// The same of a whole request that was refused, whose header says so too.
#[track_caller]
fn seconds_of_answer(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{:?}", answer.json());
    let seconds = seconds_of(&answer.json()["error"]);
    assert_eq!(answer.header("retry-after"), Some(seconds.to_string().as_str()));
    seconds
}

fn batch() -> Value {
    (0..BATCH).map(|_| envelope("session.me", json!({}))).collect()
}

async fn post_batch(client: &Client) -> Answer {
    client.post(batch().to_string().as_bytes()).await
}

async fn json_rpc_over_http(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    let lena = site.person("wire-learner", "learner").await;
    let carol = site.person("wire-coordinator", "coordinator").await;
    let first = post_batch(&lena).await;
    assert_eq!((first.status, first.json().as_array().map(Vec::len)), (200, Some(BATCH)));
    assert!(first.json().as_array().is_some_and(|all| all.iter().all(|one| one.get("result").is_some())));

    let refused = post_batch(&lena).await;
    let seconds = seconds_of_answer(&refused);
    assert_eq!((&refused.json()["id"], refused.header("x-request-id").is_some()), (&Value::Null, true));
    assert_eq!(refused_calls(&site, "caller").await, BATCH.to_string(), "each of its calls");
    assert_eq!(refused_calls(&site, "address").await, "0");
    assert_eq!(post_batch(&carol).await.status, 200, "another may");

    sleep(Duration::from_secs(seconds)).await;
    assert_eq!(post_batch(&lena).await.status, 200);

    // Call by call, and with the id of the call.
    for _ in 0..MANY {
        let call = envelope("session.me", json!({}));
        let answer = lena.post(call.to_string().as_bytes()).await;
        if answer.status != 200 {
            assert_eq!(seconds_of_answer(&answer), 1);
            assert_eq!(answer.json()["id"], call["id"]);
            return;
        }
    }
    panic!("no call was refused");
}

/// What `/metrics` says of the calls that were refused.
async fn refused_calls(site: &Site, by: &str) -> String {
    let told = String::from_utf8(site.get("/metrics").await.body).expect("a text");
    let name = format!("rollbook_rate_limited_total{{by=\"{by}\"}} ");
    let line = told.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("{told}")).to_owned()
}

async fn trpc_over_http(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    let lena = site.person("wire-learner", "learner").await;
    let path = format!("/trpc/{}?batch=1", vec!["session.me"; BATCH].join(","));
    let first = request(site.address(), "GET", &path, &lena.headers, b"").await;
    assert_eq!((first.status, first.json().as_array().map(Vec::len)), (200, Some(BATCH)));
    let refused = request(site.address(), "GET", &path, &lena.headers, b"").await;
    let seconds = seconds_of_answer(&refused);
    let by_post = request(site.address(), "POST", &path, &lena.json_headers(), b"{}").await;
    seconds_of_answer(&by_post);
    let lines = [lena.headers.clone(), vec![header("trpc-accept", "application/jsonl")]].concat();
    let refused = request(site.address(), "GET", &path, &lines, b"").await;
    assert_eq!(refused.header("content-type"), Some("application/json"));
    seconds_of_answer(&refused);
    sleep(Duration::from_secs(seconds)).await;
    assert_eq!(request(site.address(), "GET", &path, &lines, b"").await.status, 200);
}

/// No status tells of a whole message, so each call is told, by its id.
async fn json_rpc_over_websocket(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    let lena = site.person("wire-learner", "learner").await;
    let mut socket = Socket::open(&lena).await;
    socket.send_json(&batch()).await;
    let answers = socket.next().await;
    let answers = answers.as_array().expect("a batch");
    assert!(answers.iter().all(|answer| answer.get("result").is_some()), "{answers:?}");

    let (calls, mut longest) = (batch(), 0);
    socket.send_json(&calls).await;
    let answers = socket.next().await;
    let (calls, answers) = (calls.as_array().expect("a batch"), answers.as_array().expect("a batch"));
    assert_eq!(answers.len(), BATCH);
    for (call, answer) in calls.iter().zip(answers) {
        assert_eq!((&answer["id"], &answer["jsonrpc"]), (&call["id"], &json!("2.0")));
        assert_eq!(answer["error"]["data"]["path"], "session.me");
        longest = longest.max(seconds_of(&answer["error"]));
    }
    sleep(Duration::from_secs(longest)).await;
    socket.send_json(&batch()).await;
    assert!(socket.next().await[0].get("result").is_some());
    // Call by call.
    for _ in 0..MANY {
        let answer = socket.call("session.me", json!({})).await;
        if answer.get("error").is_some() {
            assert_eq!(seconds_of(&answer["error"]), 1);
            return;
        }
    }
    panic!("no call was refused");
}

fn query(id: usize) -> Value {
    json!({ "id": id, "method": "query", "params": { "path": "session.me" } })
}

/// Each call counts for itself, in a message of many too.
async fn trpc_over_websocket(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    let lena = site.person("wire-learner", "learner").await;
    let mut socket = Socket::open_at(&lena, "/trpc").await;
    let all: Value = (0..2 * BATCH).map(query).collect();
    socket.send_json(&all).await;
    let (mut answered, mut longest) = (0, 0);
    for _ in 0..2 * BATCH {
        let answer = socket.next().await;
        assert!(answer["id"].is_u64(), "{answer}");
        match answer.get("error") {
            None => answered += 1,
            Some(error) => longest = longest.max(seconds_of(error)),
        }
    }
    // The upgrade was a call, too; and a few more may be made in the time that all of this takes.
    assert!((24..2 * BATCH).contains(&answered), "{answered} were answered");
    sleep(Duration::from_secs(longest)).await;
    socket.send_json(&query(1)).await;
    assert!(socket.next().await.get("result").is_some());
}

/// The status is 200, as of every subscription: a browser would not tell its page of another one.
async fn server_sent_events(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    let lena = site.person("wire-learner", "learner").await;
    for _ in 0..MANY {
        let mut events = Connection::open(site.address()).await;
        events.send_head("GET", "/trpc/enrollment.onChange", &lena.headers).await;
        let head = events.head().await;
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
        assert!(events.chunk().await.expect("connected").starts_with("event: connected\n"));
        if let Some(seconds) = head.header("retry-after") {
            let frame = events.chunk().await.expect("an error");
            let error = frame.strip_prefix("event: serialized-error\ndata: ").expect("an error");
            let error: Value = serde_json::from_str(error.trim_end()).expect("JSON");
            assert_eq!(seconds_of(&error).to_string(), seconds);
            assert_eq!(events.chunk().await, None, "the error is the last of it");
            return;
        }
    }
    panic!("no subscription was refused");
}

async fn upgrades(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    for (subject, path) in [("wire-rpc", "/rpc"), ("wire-trpc", "/trpc")] {
        let client = site.person(subject, "learner").await;
        let mut refused = None;
        for _ in 0..MANY {
            let answer = upgrade_at(&client, path, &[]).await;
            if answer.status != 101 {
                refused = Some(answer);
                break;
            }
        }
        assert_eq!(seconds_of_answer(&refused.expect("an upgrade is refused")), 1, "{path}");
    }
}

/// It is told so, but its connection stays: what it calls a little later is answered.
async fn an_introduction_that_comes_too_soon(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    let lena = site.person("wire-learner", "learner").await;
    let nobody = Client::anonymous(site.address());
    for _ in 0..MANY {
        let mut socket = Socket::open_at(&nobody, "/trpc?connectionParams=1").await;
        let params = json!({ "method": "connectionParams", "data": { "token": lena.token } });
        socket.send_json(&params).await;
        let (answer, mut others) = answer_to(&mut socket, 1).await;
        let Some(error) = answer.get("error") else { continue };
        sleep(Duration::from_secs(seconds_of(error))).await;
        let (answer, more) = answer_to(&mut socket, 2).await;
        assert_eq!(answer["result"]["data"]["userId"], lena.user_id, "{answer}");
        others.extend(more);
        if let Some(other) = others.first() {
            seconds_of(&other["error"]);
            assert_eq!((&other["id"], others.len()), (&Value::Null, 1));
            return;
        }
    }
    panic!("no introduction was refused");
}

/// The answer to a query with this id, and what else came before it.
async fn answer_to(socket: &mut Socket, id: usize) -> (Value, Vec<Value>) {
    socket.send_json(&query(id)).await;
    let mut others = Vec::new();
    loop {
        let answer = socket.next().await;
        if answer["id"] == json!(id) {
            return (answer, others);
        }
        others.push(answer);
    }
}

async fn services_are_counted_too(site: Site) {
    let site = limited(site, &["--rate-limit-caller", LIMIT]).await;
    let mut services = Vec::new();
    for _ in 0..2 {
        let scopes = json!({ "organization": "acme", "scopes": ["enrollments:read"] });
        let token = site.dev("service-token", &scopes).await.json();
        services.push(Client::bearing(site.address(), token["token"].as_str().expect("a token")));
    }
    assert_eq!(post_batch(&services[0]).await.status, 200);
    seconds_of_answer(&post_batch(&services[0]).await);
    assert_eq!(post_batch(&services[1]).await.status, 200, "another token is another caller");
}

/// The same client, from this address as its proxy says.
fn from(client: &Client, address: &str) -> Client {
    let mut client = client.clone();
    client.headers.push(header("x-forwarded-for", address));
    client
}

async fn addresses_before_sign_in(site: Site) {
    let site = limited(site, &["--rate-limit-address", LIMIT, "--trusted-proxy", "127.0.0.1"]).await;
    let lena = site.person("wire-learner", "learner").await;
    let nobody = Client::anonymous(site.address());

    assert_eq!(post_batch(&from(&nobody, "198.51.100.7")).await.status, 200);
    let seconds = seconds_of_answer(&post_batch(&from(&nobody, "198.51.100.7")).await);
    assert_eq!(refused_calls(&site, "address").await, BATCH.to_string());
    seconds_of_answer(&post_batch(&from(&lena, "198.51.100.7")).await);
    // What a client says itself stands before what its proxy says.
    seconds_of_answer(&post_batch(&from(&nobody, "192.0.2.1, 198.51.100.7")).await);
    assert_eq!(post_batch(&from(&lena, "198.51.100.8")).await.status, 200, "another address may");
    assert_eq!(post_batch(&lena).await.status, 200, "so may the proxy's own");
    sleep(Duration::from_secs(seconds)).await;
    assert_eq!(post_batch(&from(&lena, "198.51.100.7")).await.status, 200);

    // Whoever has an address of IPv6 has all of a /64.
    assert_eq!(post_batch(&from(&nobody, "2001:db8::1")).await.status, 200);
    seconds_of_answer(&post_batch(&from(&nobody, "2001:db8::ffff:2")).await);
    assert_eq!(post_batch(&from(&nobody, "2001:db8:0:1::1")).await.status, 200);

    // Guessing tokens, and saying what is nothing, are counted on every wire.
    let guess = Client::bearing(site.address(), "rbs_guess");
    let params = utf8_percent_encode(r#"{"token":"x"}"#, NON_ALPHANUMERIC).to_string();
    let (subscribe, garbage) = (format!("/trpc/session.me?connectionParams={params}"), b"{".as_slice());
    let attempts: [(&Client, &str, &str, &[u8], u16); 6] = [
        (&guess, "POST", "/rpc", b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.me\"}", 401),
        (&guess, "GET", "/trpc/session.me", b"", 401),
        (&nobody, "GET", &subscribe, b"", 401),
        (&nobody, "POST", "/rpc", garbage, 400),
        (&nobody, "POST", "/trpc/enrollment.enroll", garbage, 400),
        (&nobody, "GET", "/trpc/session.me?connectionParams=x", b"", 400),
    ];
    for (place, (client, method, path, body, status)) in attempts.into_iter().enumerate() {
        let client = from(client, &format!("203.0.113.{place}"));
        let mut refused = None;
        for _ in 0..MANY {
            let answer = request(site.address(), method, path, &client.json_headers(), body).await;
            if answer.status != status {
                refused = Some(answer);
                break;
            }
        }
        assert_eq!(seconds_of_answer(&refused.expect(path)), 1, "{method} {path}");
    }

    // Over a WebSocket, the address is that of its upgrade.
    let mut socket = Socket::open_at(&from(&nobody, "203.0.113.100"), "/trpc").await;
    let all: Value = (0..2 * BATCH).map(query).collect();
    socket.send_json(&all).await;
    let mut refused = 0;
    for _ in 0..2 * BATCH {
        match code_of(&socket.next().await["error"]) {
            "UNAUTHORIZED" => {}
            "TOO_MANY_REQUESTS" => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused > 0, "no call was refused");
}

async fn what_is_not_counted(site: Site) {
    let flags = ["--rate-limit-address", "1:20", "--rate-limit-caller", "1:20"];
    let site = limited(site, &flags).await;
    for path in ["/healthz", "/readyz", "/metrics", "/openrpc.json"] {
        for _ in 0..2 * BATCH {
            assert_eq!(site.get(path).await.status, 200, "{path}");
        }
    }
    assert_eq!(post_batch(&Client::anonymous(site.address())).await.status, 200, "all of it is left");
}
