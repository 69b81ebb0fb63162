//! What a client may keep the server waiting for, and how long. The waits run at the same time.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::http::{Answer, Connection, header};
use crate::on_sqlite;
use crate::shape::assert_refused;
use crate::site::{Client, Site};
use crate::socket::Socket;

on_sqlite![clients_that_keep_the_server_waiting];

// The server's limits, in seconds.
const HEAD: u64 = 10;
const BODY: u64 = 30;
const IDLE: u64 = 60;

/// What a busy machine may be late by, in seconds.
const LATE: u64 = 8;

async fn clients_that_keep_the_server_waiting(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    tokio::join!(
        a_head_that_never_comes(&lena),
        a_head_that_never_ends(&lena),
        a_head_that_comes_byte_by_byte(&lena),
        a_second_head_that_never_ends(&lena),
        a_body_that_never_ends(&lena),
        a_body_that_comes_byte_by_byte(&lena),
        an_idle_connection(&lena),
        a_connection_that_rests(&lena),
        a_quiet_websocket(&lena),
        a_hundred_stalled_connections(&lena),
    );
}

async fn a_head_that_never_comes(lena: &Client) {
    let mut connection = Connection::open(lena.address).await;
    closed_after(HEAD, &mut connection, Instant::now()).await;
}

async fn a_head_that_never_ends(lena: &Client) {
    let (mut connection, began) = (Connection::open(lena.address).await, Instant::now());
    connection.send(b"POST /rpc HTTP/1.1\r\nhost: here\r\ncontent-type: appl").await;
    closed_after(HEAD, &mut connection, began).await;
}

async fn a_head_that_comes_byte_by_byte(lena: &Client) {
    let (mut connection, began) = (Connection::open(lena.address).await, Instant::now());
    connection.send(b"GET /healthz HTTP/1.1\r\nx: ").await;
    while connection.try_send(b"a").await.is_ok() && !connection.closes(Duration::from_millis(500)).await {}
    assert_took(HEAD, began);
}

async fn a_second_head_that_never_ends(lena: &Client) {
    let mut connection = Connection::open(lena.address).await;
    assert_eq!(me(&mut connection, lena).await.status, 200);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    connection.send(b"POST /rpc HT").await;
    closed_after(HEAD, &mut connection, began).await;
}

async fn a_body_that_never_ends(lena: &Client) {
    let mut connection = Connection::open(lena.address).await;
    let mut headers = lena.json_headers();
    headers.push(header("content-length", "100"));
    let began = Instant::now();
    connection.send_head("POST", "/rpc", &headers).await;
    connection.send(b"{\"jsonrpc\":").await;
    timed_out(&mut connection, began).await;
}

async fn a_body_that_comes_byte_by_byte(lena: &Client) {
    let mut connection = Connection::open(lena.address).await;
    let mut headers = lena.json_headers();
    headers.push(header("content-length", "1000"));
    let began = Instant::now();
    connection.send_head("POST", "/rpc", &headers).await;
    while began.elapsed() < Duration::from_secs(BODY - 1) {
        connection.send(b" ").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    timed_out(&mut connection, began).await;
}

async fn an_idle_connection(lena: &Client) {
    let mut connection = Connection::open(lena.address).await;
    assert_eq!(me(&mut connection, lena).await.status, 200);
    closed_after(IDLE, &mut connection, Instant::now()).await;
}

async fn a_connection_that_rests(lena: &Client) {
    let mut connection = Connection::open(lena.address).await;
    for _ in 0..3 {
        assert_eq!(me(&mut connection, lena).await.status, 200);
        tokio::time::sleep(Duration::from_secs(HEAD + LATE)).await;
    }
    assert_eq!(me(&mut connection, lena).await.status, 200);
}

/// A WebSocket is pinged, and lives as long as it answers.
async fn a_quiet_websocket(lena: &Client) {
    let mut socket = Socket::open(lena).await;
    assert_eq!(socket.call("session.me", json!({})).await["result"]["userId"], lena.user_id);
    let mut pings = 0;
    let quiet = async {
        loop {
            match socket.0.next().await {
                Some(Ok(Message::Ping(_))) => pings += 1,
                other => panic!("{other:?} instead of a ping"),
            }
        }
    };
    assert!(timeout(Duration::from_secs(IDLE + 3), quiet).await.is_err());
    assert_eq!(pings, 2);
    assert_eq!(socket.call("session.me", json!({})).await["result"]["userId"], lena.user_id);
}

/// Others are served meanwhile.
async fn a_hundred_stalled_connections(lena: &Client) {
    let mut stalled = Vec::new();
    for _ in 0..100 {
        let mut connection = Connection::open(lena.address).await;
        let mut headers = lena.json_headers();
        headers.push(header("content-length", "100"));
        connection.send_head("POST", "/rpc", &headers).await;
        stalled.push(connection);
    }
    let began = Instant::now();
    assert_eq!(me(&mut Connection::open(lena.address).await, lena).await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(LATE));
}

async fn me(connection: &mut Connection, client: &Client) -> Answer {
    let call = br#"{"jsonrpc":"2.0","method":"session.me","id":1}"#;
    connection.request("POST", "/rpc", &client.json_headers(), call).await
}

async fn timed_out(connection: &mut Connection, began: Instant) {
    let answer = connection.answer().await;
    assert_took(BODY, began);
    assert_eq!(answer.status, 408);
    assert_refused(&answer.json(), &Value::Null, "TIMEOUT");
    assert!(connection.closes(Duration::from_secs(LATE)).await, "the connection is not let go of");
}

async fn closed_after(limit: u64, connection: &mut Connection, began: Instant) {
    assert!(connection.closes(Duration::from_secs(limit + LATE)).await, "not closed after {limit} s");
    assert_took(limit, began);
}

#[track_caller]
fn assert_took(limit: u64, began: Instant) {
    let took = began.elapsed().as_secs_f64();
    assert!(
        (limit as f64 - 1.0..limit as f64 + LATE as f64).contains(&took),
        "{took} s, for a limit of {limit} s"
    );
}
