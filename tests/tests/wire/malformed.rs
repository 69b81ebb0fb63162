//! Traffic that no client should send: each piece has its answer in the one error shape.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::http::{Connection, Header, header, request};
use crate::on_sqlite;
use crate::shape::{assert_refused, code_of};
use crate::site::{Client, JSON, Site};
use crate::socket::Socket;

on_sqlite![
    envelopes_over_http,
    envelopes_over_a_websocket,
    bodies_and_methods,
    bodies_that_are_too_large,
    large_messages_over_a_websocket,
    addresses_that_do_not_exist,
];

/// The body's limit, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// What is sent, the id that the answer carries, and its key.
fn envelopes() -> Vec<(Vec<u8>, Value, &'static str)> {
    let call = |id: &str| format!(r#"{{"jsonrpc":"2.0","method":"session.me","id":{id}}}"#);
    let params =
        |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"session.me","id":7,"params":{params}}}"#);
    let mut envelopes = Vec::new();
    for not_json in ["", " ", "{", "hello", "{\"a\":1}x", "[1,2", "\u{0}", "{'a':1}", "\u{feff}{}", "NaN"] {
        envelopes.push((not_json.as_bytes().to_vec(), Value::Null, "PARSE_ERROR"));
    }
    envelopes.push((b"\"\xff\xfe\"".to_vec(), Value::Null, "PARSE_ERROR"));
    for no_object in ["1", "\"text\"", "null", "true", "[]", "{}"] {
        envelopes.push((no_object.as_bytes().to_vec(), Value::Null, "BAD_REQUEST"));
    }
    for id in ["1.5", "-1", "{}", "true", "[1]", "1e3", "99999999999999999999"] {
        envelopes.push((call(id).into_bytes(), Value::Null, "BAD_REQUEST"));
    }
    for malformed in [
        r#"{"jsonrpc":"1.0","method":"session.me","id":1}"#,
        r#"{"jsonrpc":2.0,"method":"session.me","id":1}"#,
        r#"{"method":"session.me","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","method":null,"id":1}"#,
        r#"{"jsonrpc":"2.0","method":"session.me","id":1,"id":2}"#,
        r#"{"jsonrpc":"2.0","method":"session.me","method":"session.me","id":1}"#,
    ] {
        envelopes.push((malformed.as_bytes().to_vec(), Value::Null, "BAD_REQUEST"));
    }
    for input in [
        "1",
        "\"text\"",
        "true",
        "[1]",
        "[1,2]",
        "[[]]",
        "[{},{}]",
        r#"{"unknown":1}"#,
        r#"{"a":{"a":{"a":[[[[]]]]}}}"#,
    ] {
        envelopes.push((params(input).into_bytes(), json!(7), "BAD_REQUEST"));
    }
    for unknown in
        ["", "session", "session.", "rpc.", "session.me.", "SESSION.ME", "../etc", "session.me\\u0000"]
    {
        let call = format!(r#"{{"jsonrpc":"2.0","method":"{unknown}","id":"x"}}"#);
        envelopes.push((call.into_bytes(), json!("x"), "NOT_FOUND"));
    }
    envelopes
}

async fn envelopes_over_http(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut connection = Connection::open(site.address()).await;
    for (body, id, code) in envelopes() {
        let answer = connection.request("POST", "/rpc", &lena.json_headers(), &body).await;
        let json = answer.json();
        assert_refused(&json, &id, code);
        // A call's own error has status 200; what refuses the message as a whole, its own.
        let own = json["error"]["data"]["httpStatus"].as_u64().expect("a status");
        assert!([200, own].contains(&answer.status.into()), "{json}");
        assert_eq!(answer.header("x-request-id"), json["error"]["data"]["requestId"].as_str());
    }
    let answer = connection.request("POST", "/rpc", &lena.json_headers(), &me()).await;
    assert_eq!(answer.json()["result"]["userId"], lena.user_id, "the connection has gone through all this");
}

async fn envelopes_over_a_websocket(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut socket = Socket::open(&lena).await;
    for (message, id, code) in envelopes() {
        if let Ok(text) = String::from_utf8(message.clone()) {
            socket.send(Message::text(text)).await;
            assert_refused(&socket.next().await, &id, code);
        }
        socket.send(Message::binary(message)).await;
        assert_refused(&socket.next().await, &id, code);
    }
    assert_eq!(socket.call("session.me", json!({})).await["result"]["userId"], lena.user_id);
}

async fn bodies_and_methods(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let typed = |content_type: &str| -> Vec<Header> {
        let mut headers = lena.headers.clone();
        headers.push(header("content-type", content_type));
        headers
    };
    for other in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
    {
        let answer = request(site.address(), "POST", "/rpc", &typed(other), &me()).await;
        // The body is not read, so that the connection is of no use any more.
        assert_eq!((answer.status, answer.header("connection")), (415, Some("close")), "{other}");
        assert_refused(&answer.json(), &Value::Null, "UNSUPPORTED_MEDIA_TYPE");
    }
    let answer = request(site.address(), "POST", "/rpc", &lena.headers, &me()).await;
    assert_eq!(answer.status, 415, "without a content type");
    let mut connection = Connection::open(site.address()).await;
    for json in ["application/json; charset=utf-8", "Application/JSON", "application/json-rpc"] {
        assert_eq!(connection.request("POST", "/rpc", &typed(json), &me()).await.status, 200, "{json}");
    }
    // OPTIONS is for browsers that ask what they may.
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let answer = connection.request(method, "/rpc", &lena.headers, b"").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
        assert_eq!(answer.header("connection"), None);
        assert_refused(&answer.json(), &Value::Null, "METHOD_NOT_SUPPORTED");
    }
    let answer = connection.request("POST", "/openrpc.json", &typed("application/json"), &me()).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
    assert_eq!(code_of(&answer.json()["error"]), "METHOD_NOT_SUPPORTED");

    // A chunk that is none ends the body early.
    let mut connection = Connection::open(site.address()).await;
    connection.send_head("POST", "/rpc", &chunked(&lena)).await;
    connection.send(b"5\r\n{\"a\":\r\nnonsense\r\n").await;
    let answer = connection.answer().await;
    assert_eq!(answer.status, 400);
    assert_refused(&answer.json(), &Value::Null, "BAD_REQUEST");
}

async fn bodies_that_are_too_large(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let most = padded(MAX_BODY);
    let answer = lena.post(&most).await;
    assert_eq!((answer.status, &answer.json()["result"]["userId"]), (200, &json!(lena.user_id)));

    for size in [MAX_BODY + 1, 8 * MAX_BODY, 64 * MAX_BODY] {
        let mut connection = Connection::open(site.address()).await;
        let mut headers = lena.json_headers();
        headers.push(header("content-length", &size.to_string()));
        connection.send_head("POST", "/rpc", &headers).await;
        // The server need not read what it has refused already.
        let _ = connection.try_send(&padded(size)).await;
        let answer = connection.answer().await;
        assert_eq!(answer.status, 413, "{size} bytes");
        assert_refused(&answer.json(), &Value::Null, "PAYLOAD_TOO_LARGE");
    }
    // Announced, but never sent: refused at once.
    let mut connection = Connection::open(site.address()).await;
    let mut headers = lena.json_headers();
    headers.push(header("content-length", "1000000000000"));
    connection.send_head("POST", "/rpc", &headers).await;
    assert_eq!(connection.answer().await.status, 413);

    for size in [MAX_BODY + 1, 8 * MAX_BODY, 64 * MAX_BODY] {
        let mut connection = Connection::open(site.address()).await;
        connection.send_head("POST", "/rpc", &chunked(&lena)).await;
        for chunk in padded(size).chunks(16 * 1024) {
            let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
            if connection.try_send(&framed).await.is_err() {
                break;
            }
        }
        let _ = connection.try_send(b"0\r\n\r\n").await;
        let answer = connection.answer().await;
        assert_eq!(answer.status, 413, "{size} bytes in chunks");
        assert_refused(&answer.json(), &Value::Null, "PAYLOAD_TOO_LARGE");
    }
}

async fn large_messages_over_a_websocket(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    for size in [MAX_BODY + 1, 8 * MAX_BODY, 64 * MAX_BODY] {
        let mut socket = Socket::open(&lena).await;
        let text = |size| String::from_utf8(padded(size)).expect("a text");
        socket.send(text(MAX_BODY)).await;
        assert_eq!(socket.next().await["result"]["userId"], lena.user_id);
        let _ = socket.try_send(text(size)).await;
        assert_refused(&socket.next().await, &Value::Null, "PAYLOAD_TOO_LARGE");
        assert_eq!(socket.close_code().await, 1009);
    }
}

async fn addresses_that_do_not_exist(site: Site) {
    for path in
        ["/", "/rpc/", "/rpc/session.me", "/RPC", "/dev", "/dev/nothing", "/%00", "//", "/healthz/x", "/trpc"]
    {
        for method in ["GET", "POST"] {
            let answer = request(site.address(), method, path, &[JSON.header()], b"{}").await;
            assert_eq!(answer.status, 404, "{method} {path}");
            assert_eq!(code_of(&answer.json()["error"]), "NOT_FOUND");
        }
    }
    for path in ["/dev/idp/nobody/jwks.json", "/dev/idp/%00/jwks.json", "/dev/idp/%ff/jwks.json"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(code_of(&answer.json()["error"]), "NOT_FOUND");
    }
}

/// A call of exactly so many bytes.
fn padded(size: usize) -> Vec<u8> {
    let mut call = me();
    call.resize(size, b' ');
    call
}

fn me() -> Vec<u8> {
    br#"{"jsonrpc":"2.0","method":"session.me","id":7}"#.to_vec()
}

fn chunked(client: &Client) -> Vec<Header> {
    let mut headers = client.json_headers();
    headers.push(header("transfer-encoding", "chunked"));
    headers
}
