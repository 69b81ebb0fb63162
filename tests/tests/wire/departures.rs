//! Clients that go away before they are answered: only the answer is lost.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::hold::Hold;
use crate::http::{Connection, header};
use crate::on_both;
use crate::site::{Client, Site, envelope};
use crate::socket::Socket;

on_both![a_client_leaves_right_after_sending, a_client_leaves_while_its_call_waits];

async fn a_client_leaves_right_after_sending(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    for how in [Leaving::Closed, Leaving::HalfClosed, Leaving::Reset, Leaving::ClosedSocket] {
        for _ in 0..8 {
            let course = site.course(1).await;
            how.send(&lena, &course).await;
            enrolled(&lena, &course, how).await;
        }
    }
}

/// The call is certainly under way when its client leaves, and far from its end.
async fn a_client_leaves_while_its_call_waits(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    for how in [Leaving::Closed, Leaving::Reset, Leaving::ClosedSocket] {
        let course = site.course(1).await;
        let hold = Hold::course(&site, &course).await;
        how.send(&lena, &course).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(lena.ok("enrollment.find", json!({ "courseId": course })).await.is_null());
        hold.release().await;
        enrolled(&lena, &course, how).await;
    }
}

/// How a client leaves.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    Closed,
    /// It will not send any more, but could still read.
    HalfClosed,
    Reset,
    /// A WebSocket whose connection is simply gone.
    ClosedSocket,
}

impl Leaving {
    async fn send(self, client: &Client, course: &str) {
        let call = envelope("enrollment.enroll", json!({ "courseId": course }));
        if let Leaving::ClosedSocket = self {
            let mut socket = Socket::open(client).await;
            socket.send_json(&call).await;
            return;
        }
        let mut stream = posted(client, call.to_string().as_bytes()).await;
        match self {
            Leaving::Closed | Leaving::ClosedSocket => {}
            Leaving::HalfClosed => stream.shutdown().await.expect("a connection"),
            Leaving::Reset => stream.set_zero_linger().expect("a connection"),
        }
    }
}

async fn posted(client: &Client, body: &[u8]) -> TcpStream {
    let mut connection = Connection::open(client.address).await;
    let mut headers = client.json_headers();
    headers.push(header("content-length", &body.len().to_string()));
    connection.send_head("POST", "/rpc", &headers).await;
    connection.send(body).await;
    connection.into_stream()
}

async fn enrolled(client: &Client, course: &str, how: Leaving) {
    let there = async {
        while client.ok("enrollment.find", json!({ "courseId": course })).await.is_null() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(Duration::from_secs(5), there).await.is_ok(), "not enrolled after {how:?}");
}
