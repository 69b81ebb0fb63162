//! SIGTERM: balancers are told, calls in flight are answered, nobody keeps the server from ending.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::hold::Hold;
use crate::http::{Connection, header};
use crate::site::{Site, envelope};
use crate::socket::Socket;
use crate::{on_both, on_sqlite};

on_both![calls_in_flight_are_answered];
on_sqlite![an_idle_server_ends_at_once, a_stalled_client_does_not_keep_the_server];

/// WebSocket close code 1001: the server is going away.
const AWAY: u16 = 1001;

async fn calls_in_flight_are_answered(site: Site) {
    let course = site.course(1).await;
    let (lena, liam) =
        (site.person("wire-http", "learner").await, site.person("wire-socket", "learner").await);
    let mut balancer = Connection::open(site.address()).await;
    assert_eq!(balancer.request("GET", "/readyz", &[], b"").await.status, 200);
    let mut idle = Socket::open(&liam).await;
    let mut socket = Socket::open(&liam).await;
    let mut server = site.server;
    let site = Site { server: tests::process::Process::start(&site.database_url).await, ..site };
    let hold = Hold::course(&site, &course).await;

    let over_socket = envelope("enrollment.enroll", json!({ "courseId": course }));
    socket.send_json(&over_socket).await;
    let over_http = lena.call("enrollment.enroll", json!({ "courseId": course }));
    let stopping = async {
        // Until both calls wait for the lock.
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.terminate().await;
        let told = Instant::now();
        let mut ready = balancer.request("GET", "/readyz", &[], b"").await;
        while ready.status == 200 && told.elapsed() < Duration::from_millis(400) {
            ready = balancer.request("GET", "/readyz", &[], b"").await;
        }
        assert_eq!((ready.status, ready.json()), (503, json!({ "status": "draining" })));
        assert_eq!(balancer.request("GET", "/healthz", &[], b"").await.status, 200);
        assert!(balancer.closes(Duration::from_secs(3)).await, "an idle connection is not let go of");
        assert_eq!(idle.close_code().await, AWAY);
        assert!(server.ended(Duration::from_millis(200)).await.is_none(), "calls are still in flight");
        hold.release().await;
    };
    let (enrolled, ()) = tokio::join!(over_http, stopping);
    assert_eq!(enrolled.expect("enrolled")["userId"], lena.user_id);
    let answer = socket.next().await;
    assert_eq!((&answer["id"], &answer["result"]["userId"]), (&over_socket["id"], &json!(liam.user_id)));
    assert_eq!(socket.close_code().await, AWAY);
    assert_eq!(server.ended(Duration::from_secs(5)).await.and_then(|status| status.code()), Some(0));
    // What was answered is there for the next server.
    for learner in [lena, liam] {
        let found = learner.at(site.address()).ok("enrollment.find", json!({ "courseId": course })).await;
        assert_eq!(found["status"], "enrolled");
    }
}

async fn an_idle_server_ends_at_once(mut site: Site) {
    site.server.terminate().await;
    let ended = site.server.ended(Duration::from_secs(5)).await;
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
}

async fn a_stalled_client_does_not_keep_the_server(mut site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut body = Connection::open(site.address()).await;
    let mut headers = lena.json_headers();
    headers.push(header("content-length", "100"));
    body.send_head("POST", "/rpc", &headers).await;
    let mut head = Connection::open(site.address()).await;
    head.send(b"POST /rpc HTTP/1.1\r\nhost:").await;
    // It asks, and neither reads its answers nor the close frame.
    let mut deaf = Socket::open(&lena).await;
    deaf.send_json(&envelope("rpc.discover", json!({}))).await;
    let mut idle = Socket::open(&lena).await;

    site.server.terminate().await;
    let told = Instant::now();
    assert_eq!(idle.close_code().await, AWAY);
    assert!(told.elapsed() < Duration::from_secs(5));
    let ended = site.server.ended(Duration::from_secs(25)).await;
    assert_eq!(ended.and_then(|status| status.code()), Some(0), "after {:?}", told.elapsed());
}
