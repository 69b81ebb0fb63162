//! tRPC over HTTP, as clients other than the official one see it too: statuses, headers, bodies, frames.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::http::{Answer, Connection, Header, header};
use crate::shape::{code_of, without_request_id};
use crate::site::{Client, Site};
use crate::{on_both, on_sqlite};

on_both![single_calls, batches, json_lines, events, events_resumed];
on_sqlite![refused_as_a_whole, events_that_are_errors, events_until_the_server_stops, web_pages];

async fn single_calls(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let course = site.course(1).await;
    let input = json!({ "courseId": course });

    let enrolled = post(&lena, "enrollment.enroll", "", &input).await;
    assert_eq!((enrolled.status, enrolled.header("content-type")), (200, Some("application/json")));
    assert_eq!(enrolled.header("cache-control"), Some("no-store"));
    assert_eq!(enrolled.header("vary"), Some("trpc-accept, accept"));
    let enrolled = enrolled.json()["result"]["data"].take();
    assert_eq!(enrolled["userId"], lena.user_id);

    let found = get(&lena, &format!("enrollment.find?input={}", encoded(&input))).await;
    assert_eq!((found.status, found.json()), (200, json!({ "result": { "data": enrolled } })));
    let by_post = post(&lena, "enrollment.find", "", &input).await;
    assert_eq!(by_post.json(), found.json(), "a query may be a POST");
    let left_out = get(&lena, "enrollment.listByUser").await.json();
    assert_eq!(left_out["result"]["data"]["items"], json!([enrolled]));

    let conflict = post(&lena, "enrollment.enroll", "", &input).await;
    assert_eq!(conflict.status, 409);
    let expected = json!({
        "message": "Already enrolled in this course.",
        "code": -32009,
        "data": {
            "code": "CONFLICT", "httpStatus": 409, "path": "enrollment.enroll", "requestId": null,
            "rule": "unique_enrollment_per_user_per_course",
            "reason": { "type": "alreadyEnrolled", "enrollmentId": enrolled["id"], "status": "enrolled" },
        },
    });
    assert_eq!(without_request_id(conflict.json()["error"].take()), expected);
}

async fn batches(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let (one, other) = (site.course(1).await, site.course(1).await);
    let inputs = json!({ "0": { "courseId": one }, "1": { "courseId": other } });
    let enrolled = post(&lena, "enrollment.enroll,enrollment.enroll", "batch=1", &inputs).await;
    assert_eq!(enrolled.status, 200);
    assert_eq!(enrolled.json()[1]["result"]["data"]["courseId"], other);
    let conflicts = post(&lena, "enrollment.enroll,enrollment.enroll", "batch=1", &inputs).await;
    assert_eq!(conflicts.status, 409, "all of them end so");
    let some = post(&lena, "enrollment.enroll,enrollment.unenroll", "batch=1", &inputs).await;
    assert_eq!((some.status, codes(&some.json())), (207, vec![Some("CONFLICT".into()), None]));

    // In the order of the request, whatever was done first; `,` may come encoded.
    let inputs = encoded(&json!({ "1": { "courseId": other } }));
    let path = format!("session.me%2Cenrollment.find,enrollment.listByUser?batch=1&input={inputs}");
    let answer = get(&lena, &path).await;
    assert_eq!(answer.status, 200);
    let answers = answer.json();
    assert_eq!(answers[0]["result"]["data"]["userId"], lena.user_id);
    assert_eq!(answers[1]["result"]["data"]["courseId"], other);
    assert!(answers[2]["result"]["data"]["items"].is_array());

    let one_alone = get(&lena, "session.me?batch=1").await;
    assert_eq!(one_alone.json()[0]["result"]["data"]["userId"], lena.user_id);
    let unknown = get(&lena, "no.such,nor.this?batch=1&input={}").await;
    assert_eq!(unknown.status, 404);
    let unlike = get(&lena, "session.me,no.such?batch=1&input={}").await;
    assert_eq!(unlike.status, 207);
    assert_eq!(codes(&unlike.json()), [None, Some("NOT_FOUND".into())]);
    let mutation = get(&lena, "session.me,enrollment.enroll?batch=1").await;
    assert_eq!((mutation.status, code_of(&mutation.json()["error"])), (400, "BAD_REQUEST"), "mixed");
    let unreadable = get(&lena, "session.me,session.me?batch=1&input=[]").await;
    assert_eq!(codes(&unreadable.json()), [Some("BAD_REQUEST".into()), Some("BAD_REQUEST".into())]);
    let subscribing = get(&lena, "session.me,enrollment.onChange?batch=1").await;
    assert_eq!(codes(&subscribing.json()), [None, Some("METHOD_NOT_SUPPORTED".into())]);

    let twenty = vec!["session.me"; 20].join(",");
    assert_eq!(get(&lena, &format!("{twenty}?batch=1")).await.status, 200);
    let too_many = get(&lena, &format!("{twenty},session.me?batch=1")).await;
    assert_eq!((too_many.status, code_of(&too_many.json()["error"])), (400, "BAD_REQUEST"));
}

async fn json_lines(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut headers = lena.headers.clone();
    headers.push(header("trpc-accept", "application/jsonl"));
    let answer = request(&lena, "GET", "session.me,no.such?batch=1", &headers, b"").await;
    assert_eq!((answer.status, answer.header("content-length")), (200, None));
    assert_eq!(answer.header("vary"), Some("trpc-accept, accept"));
    let text = String::from_utf8(answer.body).expect("a text");
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(r#"{"0":[[0],[null,0,0]],"1":[[0],[null,0,1]]}"#));
    let mut chunks: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
    chunks.sort_by_key(|chunk| chunk[0].as_i64());
    assert_eq!((&chunks[0][0], &chunks[0][1]), (&json!(0), &json!(0)));
    assert_eq!(chunks[0][2][0][0]["result"]["data"]["userId"], lena.user_id);
    assert_eq!((&chunks[1][0], code_of(&chunks[1][2][0][0]["error"])), (&json!(1), "NOT_FOUND"));
    assert_eq!(chunks.len(), 2);

    let mixed = request(&lena, "GET", "session.me,enrollment.enroll?batch=1", &headers, b"").await;
    assert_eq!((mixed.status, code_of(&mixed.json()["error"])), (400, "BAD_REQUEST"));
    let nobody = [header("trpc-accept", "application/jsonl"), header("authorization", "Bearer x")];
    let refused = request(&lena, "GET", "session.me?batch=1", &nobody, b"").await;
    assert_eq!((refused.status, code_of(&refused.json()["error"])), (401, "UNAUTHORIZED"));
}

async fn events(site: Site) {
    let carol = site.person("wire-coordinator", "coordinator").await;
    let lena = site.person("wire-learner", "learner").await;
    let course = site.course(1).await;
    let input = encoded(&json!({ "courseId": course }));
    let mut events = listen(&carol, &format!("enrollment.onChange?input={input}"), &carol.headers).await;
    let head = events.head().await;
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(head.header("cache-control"), Some("no-cache, no-transform"));
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    let connected = events.chunk().await.expect("a frame");
    let begun_after = connected
        .strip_prefix("event: connected\ndata: {\"reconnectAfterInactivityMs\":45000}\nid: ")
        .and_then(|id| id.strip_suffix("\n\n"))
        .unwrap_or_else(|| panic!("{connected}"));
    let enrolled = lena.ok("enrollment.enroll", json!({ "courseId": course })).await;
    let frame = events.chunk().await.expect("an event");
    let (id, data) = tracked(&frame);
    assert_eq!(
        (&data["id"], &data["kind"], &data["enrollmentId"]),
        (&json!(id), &json!("enrolled"), &enrolled["id"])
    );

    // Who is cut off before the first event goes on after where it began, and misses nothing.
    let headers = [carol.headers.clone(), vec![header("last-event-id", begun_after)]].concat();
    let mut again = listen(&carol, &format!("enrollment.onChange?input={input}"), &headers).await;
    again.head().await;
    again.chunk().await.expect("connected");
    assert_eq!(again.chunk().await.as_deref(), Some(frame.as_str()));

    // A browser has no headers to put a session into.
    let params = encoded(&json!({ "token": lena.token, "organizationId": lena.organization_id }));
    let mut own = listen(&lena, &format!("enrollment.onChange?connectionParams={params}"), &[]).await;
    assert_eq!(own.head().await.status, 200);
    own.chunk().await.expect("connected");
    lena.ok("enrollment.unenroll", json!({ "courseId": course })).await;
    assert_eq!(tracked(&own.chunk().await.expect("an event")).1["kind"], "cancelled");
    // Not even while nothing happens does it look dead.
    assert_eq!(own.chunk().await.as_deref(), Some("event: ping\ndata: \n\n"));
}

/// The header comes before the address, and that before the input.
async fn events_resumed(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let course = site.course(1).await;
    for method in ["enrollment.enroll", "enrollment.unenroll", "enrollment.enroll"] {
        lena.ok(method, json!({ "courseId": course })).await;
    }
    let enrollment = lena.ok("enrollment.find", json!({ "courseId": course })).await;
    let history = lena.ok("enrollment.history", json!({ "enrollmentId": enrollment["id"] })).await;
    let ids: Vec<&str> = history["items"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    let [first, second, third] = ids[..] else { panic!("{history}") };
    let first_after = async |header_id: Option<&str>, query: &str| {
        let mut headers = lena.headers.clone();
        headers.extend(header_id.map(|id| header("last-event-id", id)));
        let mut events = listen(&lena, &format!("enrollment.onChange?{query}"), &headers).await;
        events.head().await;
        events.chunk().await.expect("connected");
        tracked(&events.chunk().await.expect("an event")).0
    };
    let input = format!("input={}", encoded(&json!({ "lastEventId": first })));
    assert_eq!(first_after(None, &input).await, second);
    assert_eq!(first_after(None, &format!("{input}&lastEventId={second}")).await, third);
    assert_eq!(first_after(Some(second), &format!("{input}&lastEventId={first}")).await, third);
}

async fn events_that_are_errors(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let wrong = [
        ("enrollment.onChange?input=%7B", "PARSE_ERROR", true),
        ("enrollment.onChange?input=[]", "BAD_REQUEST", true),
        ("enrollment.onChange?lastEventId=x", "BAD_REQUEST", true),
        ("enrollment.onChange?connectionParams=5", "BAD_REQUEST", true),
        ("enrollment.onChange", "UNAUTHORIZED", false),
        ("enrollment.onChange?connectionParams=%7B%22token%22:%22x%22%7D", "UNAUTHORIZED", true),
        ("enrollment.onChange?connectionParams=null", "UNAUTHORIZED", true),
    ];
    for (path, code, with_session) in wrong {
        let headers: &[Header] = if with_session { &lena.headers } else { &[] };
        let mut events = listen(&lena, path, headers).await;
        let head = events.head().await;
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")), "{path}");
        assert!(events.chunk().await.expect("connected").starts_with("event: connected\n"));
        let frame = events.chunk().await.expect("an error");
        let error = frame.strip_prefix("event: serialized-error\ndata: ").expect("an error");
        let error: Value = serde_json::from_str(error.trim_end()).expect("JSON");
        assert_eq!(
            (code_of(&error), &error["data"]["path"]),
            (code, &json!("enrollment.onChange")),
            "{path}"
        );
        assert_eq!(events.chunk().await, None, "the error is the last of it");
    }
}

async fn events_until_the_server_stops(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut events = listen(&lena, "enrollment.onChange", &lena.headers).await;
    events.head().await;
    events.chunk().await.expect("connected");
    site.server.terminate().await;
    // No `return`, after which a client would not come back.
    assert_eq!(events.chunk().await, None);
}

/// A request by its method, path, headers and body, and the status, code and `allow` of its refusal.
type Row<'a> = (&'a str, &'a str, Vec<Header>, &'a [u8], u16, &'a str, Option<&'a str>);

async fn refused_as_a_whole(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let json = |extra: &[Header]| [lena.json_headers(), extra.to_vec()].concat();
    let plain = [lena.headers.clone(), vec![header("content-type", "text/plain")]].concat();
    let garbage = vec![header("authorization", "Bearer garbage"), header("content-type", "application/json")];
    let large = vec![b' '; 256 * 1024 + 1];
    let rows: [Row<'_>; 13] = [
        ("GET", "enrollment.enroll?input=%7B%7D", json(&[]), b"", 405, "METHOD_NOT_SUPPORTED", Some("POST")),
        ("POST", "enrollment.onChange", json(&[]), b"{}", 405, "METHOD_NOT_SUPPORTED", Some("GET")),
        ("PUT", "session.me", json(&[]), b"", 405, "METHOD_NOT_SUPPORTED", Some("GET, HEAD, POST")),
        ("DELETE", "no.such", json(&[]), b"", 405, "METHOD_NOT_SUPPORTED", Some("GET, HEAD, POST")),
        ("GET", "no.such", json(&[]), b"", 404, "NOT_FOUND", None),
        ("GET", "", json(&[]), b"", 404, "NOT_FOUND", None),
        ("GET", "session.me/", json(&[]), b"", 404, "NOT_FOUND", None),
        ("GET", "session.me?input=%7B", json(&[]), b"", 400, "PARSE_ERROR", None),
        ("POST", "enrollment.enroll", json(&[]), b"{\"courseId\":", 400, "PARSE_ERROR", None),
        ("POST", "enrollment.enroll", plain, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE", None),
        ("POST", "enrollment.enroll", json(&[]), &large, 413, "PAYLOAD_TOO_LARGE", None),
        ("POST", "enrollment.enroll", garbage, b"{}", 401, "UNAUTHORIZED", None),
        ("POST", "enrollment.enroll", json(&[]), b"\"a text\"", 400, "BAD_REQUEST", None),
    ];
    for (method, path, headers, body, status, code, allow) in rows {
        let answer = request(&lena, method, path, &headers, body).await;
        let error = answer.json()["error"].take();
        assert_eq!((answer.status, code_of(&error)), (status, code), "{method} {path}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        assert_eq!(answer.header("vary"), Some("trpc-accept, accept"));
        assert_eq!(answer.header("x-request-id"), error["data"]["requestId"].as_str());
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
    let mut connection = Connection::open(site.address()).await;
    connection.send_head("HEAD", "/trpc/session.me", &[]).await;
    assert_eq!(connection.answer().await.status, 204);
    let no_upgrade = connection.request("GET", "/trpc", &lena.headers, b"").await;
    assert_eq!((no_upgrade.status, code_of(&no_upgrade.json()["error"])), (404, "NOT_FOUND"));
}

/// Pages of this machine may call, others are not told the answer (the Fetch standard's CORS protocol).
async fn web_pages(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let (own, foreign) = ("http://localhost:5173", "https://evil.example");
    for path in ["/trpc/session.me", "/rpc", "/dev/token", "/openrpc.json"] {
        let asked = [
            header("access-control-request-method", "POST"),
            header("access-control-request-headers", "authorization"),
        ];
        let preflight = async |origin| {
            let headers = [asked.to_vec(), vec![header("origin", origin)]].concat();
            crate::http::request(site.address(), "OPTIONS", path, &headers, b"").await
        };
        let allowed = preflight(own).await;
        assert_eq!(allowed.status, 200);
        assert_eq!(allowed.header("access-control-allow-origin"), Some(own), "{path}");
        assert_eq!(
            allowed.header("access-control-allow-headers"),
            Some("content-type,authorization,trpc-accept,last-event-id,x-rollbook-organization")
        );
        assert_eq!(allowed.header("access-control-allow-methods"), Some("GET,HEAD,POST"));
        assert_eq!(preflight(foreign).await.header("access-control-allow-origin"), None, "{path}");
    }
    for (origin, allowed) in [(own, Some(own)), (foreign, None), ("null", None)] {
        let headers = [lena.headers.clone(), vec![header("origin", origin)]].concat();
        let answer = request(&lena, "GET", "session.me", &headers, b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let varies: Vec<&str> = answer.headers("vary").collect();
        assert_eq!(varies, ["trpc-accept, accept", "origin"]);
    }
}

async fn get(client: &Client, path: &str) -> Answer {
    request(client, "GET", path, &client.headers, b"").await
}

async fn post(client: &Client, path: &str, query: &str, input: &Value) -> Answer {
    let body = input.to_string();
    request(client, "POST", &format!("{path}?{query}"), &client.json_headers(), body.as_bytes()).await
}

async fn request(client: &Client, method: &str, path: &str, headers: &[Header], body: &[u8]) -> Answer {
    crate::http::request(client.address, method, &format!("/trpc/{path}"), headers, body).await
}

async fn listen(client: &Client, path: &str, headers: &[Header]) -> Connection {
    let mut connection = Connection::open(client.address).await;
    connection.send_head("GET", &format!("/trpc/{path}"), headers).await;
    connection
}

/// An item's id and its payload.
fn tracked(frame: &str) -> (String, Value) {
    let (id, data) =
        frame.strip_prefix("id: ").and_then(|rest| rest.split_once("\ndata: ")).expect("an item");
    (id.to_owned(), serde_json::from_str(data.trim_end()).expect("JSON"))
}

fn codes(answers: &Value) -> Vec<Option<String>> {
    let code = |answer: &Value| answer["error"]["data"]["code"].as_str().map(str::to_owned);
    answers.as_array().expect("an array").iter().map(code).collect()
}

fn encoded(input: &Value) -> String {
    utf8_percent_encode(&input.to_string(), NON_ALPHANUMERIC).to_string()
}
