//! Sessions over their lifetime: organizations, expiry, WebSockets that outlive their session.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::header;
use crate::shape::{assert_refused, code_of, without_request_id};
use crate::site::{Client, Site};
use crate::socket::{Socket, upgrade, upgrade_at};
use crate::{on_both, on_sqlite};

/// How often a silent WebSocket is looked at.
const LOOKED_AT: Duration = Duration::from_secs(30);

on_both![organizations_that_a_caller_names, a_websocket_outlives_its_session];
on_sqlite![expired_tokens, anonymous_callers, origins, an_ended_membership, silent_websockets, a_token_ends];

async fn organizations_that_a_caller_names(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let stranger = site.person_of("globex", "wire-stranger", "admin").await;
    let admin = json!({ "organization": "globex", "subject": "wire-global", "globalAdmin": true });
    let global_admin = site.signed_in(&admin).await;
    let (acme, globex) = (&lena.organization_id, &stranger.organization_id);

    assert_eq!(lena.choosing(acme).ok("session.me", json!({})).await, lena.ok("session.me", json!({})).await);
    assert_eq!(acting_in(&global_admin).await, (globex.clone(), true));
    assert_eq!(acting_in(&global_admin.choosing(globex)).await, (globex.clone(), true));
    assert_eq!(acting_in(&global_admin.choosing(acme)).await, (acme.clone(), true));
    assert_eq!(
        Socket::open(&global_admin.choosing(acme)).await.call("session.me", json!({})).await["result"]["organizationId"],
        **acme
    );

    let unknown = "01a20000-0000-7000-8000-000000000000";
    let mut refusals = Vec::new();
    for organization in
        [globex.as_str(), unknown, "garbage", "", "' OR 1=1 --", "*", &format!("{acme},{globex}")]
    {
        refusals.push(not_a_member(&lena.choosing(organization)).await);
    }
    for organization in [unknown, "garbage", ""] {
        refusals.push(not_a_member(&global_admin.choosing(organization)).await);
    }
    refusals.push(not_a_member(&stranger.choosing(acme)).await);
    let service =
        site.dev("service-token", &json!({ "organization": "acme", "scopes": ["enrollments:read"] })).await;
    let service = Client::bearing(site.address(), service.json()["token"].as_str().expect("a token"));
    assert_eq!(service.choosing(acme).ok("session.me", json!({})).await["organizationId"], **acme);
    for organization in [globex.as_str(), unknown, "garbage"] {
        refusals.push(not_a_member(&service.choosing(organization)).await);
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:#?}");
}

async fn acting_in(client: &Client) -> (String, bool) {
    let me = client.ok("session.me", json!({})).await;
    (me["organizationId"].as_str().expect("an id").to_owned(), me["globalAdmin"].as_bool().expect("a flag"))
}

/// The refusals over HTTP and over the upgrade, as texts without their request's id.
async fn not_a_member(client: &Client) -> (u16, String, u16, String) {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "session.me" }).to_string();
    let answer = client.post(call.as_bytes()).await;
    let refused = upgrade(client, &[]).await;
    assert_refused(&answer.json(), &json!(1), "FORBIDDEN");
    assert_eq!(answer.json()["error"]["data"]["reason"], json!({ "type": "notAMember" }));
    assert_eq!(code_of(&refused.json()["error"]), "FORBIDDEN");
    let text = |answer: &crate::http::Answer| {
        let id = answer.json()["error"]["data"]["requestId"].as_str().expect("an id").to_owned();
        String::from_utf8(answer.body.clone()).expect("a text").replace(&id, "")
    };
    (answer.status, text(&answer), refused.status, text(&refused))
}

async fn expired_tokens(site: Site) {
    let with = async |expires_in: i64| {
        let request = json!({ "organization": "acme", "subject": "wire-learner", "expiresIn": expires_in });
        site.signed_in(&request).await
    };
    for expired in [with(-31).await, with(-86_400).await] {
        assert_eq!(code_of(&expired.refused("session.me", json!({})).await), "UNAUTHORIZED");
    }
    // The clocks of issuer and server may differ by 30 seconds.
    with(-20).await.ok("session.me", json!({})).await;

    let lena = with(600).await;
    lena.ok("session.me", json!({})).await;
    move_clock(&site, 620).await;
    lena.ok("session.me", json!({})).await;
    move_clock(&site, 20).await;
    assert_eq!(code_of(&lena.refused("session.me", json!({})).await), "UNAUTHORIZED");
    with(600).await.ok("session.me", json!({})).await;
    move_clock(&site, -640).await;
    lena.ok("session.me", json!({})).await;
}

async fn a_websocket_outlives_its_session(site: Site) {
    let request = json!({ "organization": "acme", "subject": "wire-learner", "expiresIn": 600 });
    let lena = site.signed_in(&request).await;
    let (mut called, mut batched) = (Socket::open(&lena).await, Socket::open(&lena).await);
    for socket in [&mut called, &mut batched] {
        assert_eq!(socket.call("session.me", json!({})).await["result"]["userId"], lena.user_id);
    }
    move_clock(&site, 631).await;

    called.send_json(&json!({ "jsonrpc": "2.0", "id": "late", "method": "session.me" })).await;
    assert_refused(&called.next().await, &json!("late"), "UNAUTHORIZED");
    assert_eq!(called.close_code().await, 1008);

    batched.send_json(&json!([{ "jsonrpc": "2.0", "id": 1, "method": "session.me" }])).await;
    assert_refused(&batched.next().await, &Value::Null, "UNAUTHORIZED");
    assert_eq!(batched.close_code().await, 1008);

    let unauthorized = upgrade(&lena, &[]).await;
    assert_eq!(unauthorized.status, 401);
}

/// Nobody says anything over them: they are closed all the same.
async fn silent_websockets(site: Site) {
    let request = json!({ "organization": "acme", "subject": "wire-learner", "expiresIn": 600 });
    let lena = site.signed_in(&request).await;
    let mut ended = [Socket::open(&lena).await, Socket::open_at(&lena, "/trpc").await];
    let mut presented = Socket::open_at(&Client::anonymous(site.address()), "/trpc?connectionParams=1").await;
    presented.send_json(&json!({ "method": "connectionParams", "data": { "token": lena.token } })).await;
    let mut anonymous = Socket::open(&Client::anonymous(site.address())).await;
    move_clock(&site, 631).await;
    tokio::time::sleep(LOOKED_AT / 2).await;
    for socket in ended.iter_mut().chain([&mut presented]) {
        assert_eq!(socket.close_code().await, 1008);
    }
    // Whoever has no session has none that ends.
    let certificate = json!({ "number": "no such number" });
    assert!(anonymous.call("certificate.verify", certificate).await["error"].is_null());
}

/// A silent WebSocket is closed when its token ends, which the leeway of 30 seconds puts off.
async fn a_token_ends(site: Site) {
    let request = json!({ "organization": "acme", "subject": "wire-learner", "expiresIn": 600 });
    let lena = site.signed_in(&request).await;
    move_clock(&site, 600 + 20).await;
    let opened = Instant::now();
    let mut sockets = [Socket::open(&lena).await, Socket::open_at(&lena, "/trpc").await];
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, 1008);
    }
    assert!(opened.elapsed() < LOOKED_AT / 2, "closed only after {:?}", opened.elapsed());
}

/// Whoever is no member any more is refused at the next call, over either wire.
async fn an_ended_membership(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let mut socket = Socket::open(&lena).await;
    assert_eq!(socket.call("session.me", json!({})).await["result"]["userId"], lena.user_id);
    end_membership(&site, &lena);
    let answer = socket.call("session.me", json!({})).await;
    assert_refused(&answer, &answer["id"], "FORBIDDEN");
    assert_eq!(answer["error"]["data"]["reason"], json!({ "type": "notAMember" }));
    assert_eq!(socket.close_code().await, 1008);
    let refused = lena.refused("session.me", json!({})).await;
    assert_eq!(without_request_id(refused), without_request_id(answer)["error"]);
}

fn end_membership(site: &Site, member: &Client) {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let path = site.database_url.strip_prefix("sqlite:").expect("its address");
    let mut connection = SqliteConnection::establish(path).expect("the same file");
    let id = member.user_id.replace('-', "");
    // The server writes too.
    let ended = format!(
        "PRAGMA busy_timeout = 10000; UPDATE memberships SET status = 'ended' WHERE user_id = x'{id}'"
    );
    connection.batch_execute(&ended).expect("a membership");
}

/// Without a session nothing but the description is to be had, and a WebSocket says the same.
async fn anonymous_callers(site: Site) {
    let nobody = Client::anonymous(site.address());
    let answer = nobody.post(br#"{"jsonrpc":"2.0","id":1,"method":"session.me"}"#).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    assert_refused(&answer.json(), &json!(1), "UNAUTHORIZED");
    assert!(nobody.ok("rpc.discover", json!({})).await["methods"].is_array());

    let mut socket = Socket::open(&nobody).await;
    for method in ["session.me", "enrollment.enroll", "course.list"] {
        let answer = socket.call(method, json!({})).await;
        assert_refused(&answer, &answer["id"], "UNAUTHORIZED");
    }
    assert!(socket.call("rpc.discover", json!({})).await["result"]["methods"].is_array(), "it stays open");
}

async fn origins(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let port = site.address().port();
    for own in [
        "http://localhost",
        "http://localhost:3000",
        "https://localhost:5173",
        &format!("http://127.0.0.1:{port}"),
        "http://[::1]:8080",
    ] {
        assert_eq!(upgrade(&lena, &[header("origin", own)]).await.status, 101, "{own}");
    }
    assert_eq!(upgrade(&lena, &[]).await.status, 101);
    for foreign in [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://evil.example:80",
        "http://localhost:80:evil.example",
        "https://127.0.0.1.evil.example",
        "http://127.0.0.2",
        "file://",
        "null",
        "localhost",
        "",
    ] {
        for path in ["/rpc", "/trpc", "/trpc?connectionParams=1"] {
            let answer = upgrade_at(&lena, path, &[header("origin", foreign)]).await;
            assert_eq!(answer.status, 403, "{foreign}");
            assert_eq!(code_of(&answer.json()["error"]), "FORBIDDEN");
        }
    }
}

async fn move_clock(site: &Site, seconds: i64) {
    let moved = site.dev("clock", &json!({ "advanceSeconds": seconds })).await;
    assert_eq!(moved.status, 200);
}
