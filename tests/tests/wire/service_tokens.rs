//! Service tokens: made by an admin or an operator, used on every wire, and ended under open WebSockets.

use std::time::Duration;

use procedures::values::Moment;
use serde_json::{Value, json};
use tests::process::command;
use tokio::time::{Instant, sleep, timeout};

use crate::http;
use crate::on_both;
use crate::shape::{assert_refused, code_of};
use crate::site::{Client, Site};
use crate::socket::{Socket, upgrade_at};

on_both![
    on_every_wire,
    revoked_under_open_sockets,
    expired_under_open_sockets,
    made_by_the_command,
    what_the_command_refuses,
];

/// The WebSocket close code of a session that has ended (RFC 6455, section 7.4.1).
const POLICY: u16 = 1008;

/// How soon it is to be seen that a token was used.
const NOTED_WITHIN: Duration = Duration::from_secs(10);

/// How long the command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// An admin of acme makes a token that reads enrollments; the service that has it, and the token.
async fn made(site: &Site, expires_at: Option<Moment>) -> (Client, Value) {
    let admin = site.person("ada", "admin").await;
    let input = json!({ "name": "wire", "scopes": ["enrollments:read"], "expiresAt": expires_at });
    let made = admin.ok("serviceToken.create", input).await;
    let secret = made["secret"].as_str().expect("a secret");
    (Client::bearing(site.address(), secret), made["serviceToken"].clone())
}

/// What `session.me` says to a service of acme with these scopes.
async fn session(site: &Site, scopes: &[&str]) -> Value {
    json!({
        "kind": "service",
        "userId": null,
        "organizationId": site.person("ada", "admin").await.organization_id,
        "role": null,
        "globalAdmin": false,
        "displayName": null,
        "scopes": scopes,
    })
}

/// `session.me` over tRPC's WebSocket.
async fn me(socket: &mut Socket) -> Value {
    socket.send_json(&json!({ "id": 1, "method": "query", "params": { "path": "session.me" } })).await;
    socket.next().await
}

async fn on_every_wire(site: Site) {
    let (service, token) = made(&site, None).await;
    let session = session(&site, &["enrollments:read"]).await;
    assert_eq!(service.ok("session.me", json!({})).await, session);
    let answer = http::request(site.address(), "GET", "/trpc/session.me", &service.headers, b"").await;
    assert_eq!((answer.status, &answer.json()["result"]["data"]), (200, &session));
    let mut socket = Socket::open(&service).await;
    assert_eq!(socket.call("session.me", json!({})).await["result"], session);
    let mut socket = Socket::open_at(&service, "/trpc").await;
    assert_eq!(me(&mut socket).await["result"]["data"], session);
    let nobody = Client::anonymous(site.address());
    let mut socket = Socket::open_at(&nobody, "/trpc?connectionParams=1").await;
    socket.send_json(&json!({ "method": "connectionParams", "data": { "token": service.token } })).await;
    assert_eq!(me(&mut socket).await["result"]["data"], session);

    // What it may do, and what not.
    service.ok("enrollment.listByOrganization", json!({})).await;
    let refused = service.refused("course.create", json!({ "title": "Wire" })).await;
    assert_eq!(code_of(&refused), "FORBIDDEN");
    assert_eq!(refused["data"]["reason"], json!({ "type": "scopeRequired", "scope": "courses:write" }));

    let begun = Instant::now();
    while listed(&site, &token).await["lastUsedAt"].is_null() {
        assert!(begun.elapsed() < NOTED_WITHIN, "its use is not noted");
        sleep(Duration::from_millis(50)).await;
    }
    let log = site.server.log();
    assert!(!log.contains(&service.token), "{log}");
}

/// A token of acme as an admin sees it.
async fn listed(site: &Site, token: &Value) -> Value {
    let admin = site.person("ada", "admin").await;
    let page = admin.ok("serviceToken.list", json!({ "limit": 200 })).await;
    let found = page["items"].as_array().expect("a page").iter().find(|listed| listed["id"] == token["id"]);
    found.expect("it is listed").clone()
}

/// WebSockets of one service: one that calls on each wire, and one that only listens, to a course where nothing happens.
struct Open {
    rpc: Socket,
    trpc: Socket,
    following: Socket,
}

impl Open {
    async fn by(site: &Site, service: &Client) -> Self {
        let mut following = Socket::open_at(service, "/trpc").await;
        let params = json!({ "path": "enrollment.onChange", "input": { "courseId": site.course(0).await } });
        following.send_json(&json!({ "id": 1, "method": "subscription", "params": params })).await;
        assert_eq!(following.next().await["result"]["type"], "started");
        let (rpc, trpc) = (Socket::open(service).await, Socket::open_at(service, "/trpc").await);
        let mut open = Open { rpc, trpc, following };
        open.goes_on().await;
        open
    }

    async fn goes_on(&mut self) {
        assert_eq!(self.rpc.call("session.me", json!({})).await["result"]["kind"], "service");
        assert_eq!(me(&mut self.trpc).await["result"]["data"]["kind"], "service");
    }

    /// The next call is refused and the connection closed; who only listens is told too.
    async fn ends(mut self) {
        let answer = self.rpc.call("session.me", json!({})).await;
        assert_refused(&answer, &answer["id"], "UNAUTHORIZED");
        assert_eq!(self.rpc.close_code().await, POLICY);
        let answer = me(&mut self.trpc).await;
        assert_eq!((&answer["id"], code_of(&answer["error"])), (&json!(1), "UNAUTHORIZED"));
        assert_eq!(self.trpc.close_code().await, POLICY);
        let answer = self.following.next().await;
        assert_eq!((&answer["id"], code_of(&answer["error"])), (&json!(1), "UNAUTHORIZED"));
        assert_eq!(self.following.next().await, json!({ "id": 1, "result": { "type": "stopped" } }));
        assert_eq!(self.following.close_code().await, POLICY);
    }
}

/// Whoever presents the token is nobody, over HTTP and on every upgrade.
async fn assert_no_session(service: &Client) {
    assert_eq!(code_of(&service.refused("session.me", json!({})).await), "UNAUTHORIZED");
    let answer = http::request(service.address, "GET", "/trpc/session.me", &service.headers, b"").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    for path in ["/rpc", "/trpc"] {
        assert_eq!(upgrade_at(service, path, &[]).await.status, 401, "{path}");
    }
}

async fn revoked_under_open_sockets(site: Site) {
    let (service, token) = made(&site, None).await;
    let open = Open::by(&site, &service).await;
    let admin = site.person("ada", "admin").await;
    let revoked = admin.ok("serviceToken.revoke", json!({ "serviceTokenId": token["id"] })).await;
    assert!(revoked["revokedAt"].is_string(), "{revoked}");
    open.ends().await;
    assert_no_session(&service).await;
}

async fn expired_under_open_sockets(site: Site) {
    let now = move_clock(&site, 0).await;
    let (service, _) = made(&site, Some(now.plus(Duration::from_secs(3600)))).await;
    let mut open = Open::by(&site, &service).await;
    move_clock(&site, 3000).await;
    open.goes_on().await;
    move_clock(&site, 600).await;
    open.ends().await;
    assert_no_session(&service).await;
}

/// Moves the server's clock; what it says then.
async fn move_clock(site: &Site, seconds: i64) -> Moment {
    let moved = site.dev("clock", &json!({ "advanceSeconds": seconds })).await;
    assert_eq!(moved.status, 200);
    moved.json()["now"].as_str().and_then(|now| now.parse().ok()).expect("a moment")
}

/// The exit code of `rollbook service-token create`, and what it has printed to its output and as errors.
async fn run(site: &Site, arguments: &str) -> (Option<i32>, String, String) {
    let all = ["service-token", "create", "--database-url", site.database_url.as_str()];
    let all: Vec<&str> = all.into_iter().chain(arguments.split(' ')).collect();
    let running = command(&all).output();
    let output = timeout(COMMAND_TIMEOUT, running).await.expect("it ends").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn made_by_the_command(site: Site) {
    for (more, end) in [
        ("--scope enrollments:read --scope events:read", json!(null)),
        ("--scope enrollments:read,events:read", json!(null)),
        (
            "--scope enrollments:read events:read --expires-at 2100-01-01T00:00:00Z",
            json!("2100-01-01T00:00:00.000000Z"),
        ),
    ] {
        let (code, output, errors) =
            run(&site, &format!("--organization acme --name nightly-sync {more}")).await;
        assert_eq!(code, Some(0), "{errors}");
        // The secret alone, so that it can be handed on without being seen.
        let secret = output.strip_suffix('\n').expect("a line");
        let digits = secret.strip_prefix("rbs_").expect("a service token");
        assert!(digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert!(!errors.contains(digits) && errors.lines().count() == 1, "{errors}");

        let service = Client::bearing(site.address(), secret);
        let expected = session(&site, &["enrollments:read", "events:read"]).await;
        assert_eq!(service.ok("session.me", json!({})).await, expected);
        let admin = site.person("ada", "admin").await;
        let page = admin.ok("serviceToken.list", json!({ "limit": 200 })).await;
        let token = page["items"].as_array().expect("a page").last().expect("a token");
        assert_eq!((&token["name"], &token["expiresAt"]), (&json!("nightly-sync"), &end));
        assert!(errors.contains(token["id"].as_str().expect("an id")), "{errors}");
        admin.ok("serviceToken.revoke", json!({ "serviceTokenId": token["id"] })).await;
        assert_no_session(&service).await;
    }
}

async fn what_the_command_refuses(site: Site) {
    // Tokens end by the server's clock.
    let yesterday = move_clock(&site, 2 * 24 * 60 * 60).await.minus(Duration::from_secs(24 * 60 * 60));
    let past = format!("--organization acme --scope events:read --expires-at {yesterday}");
    for (arguments, told) in [
        ("--organization initech --scope events:read", "there is no organization initech"),
        (past.as_str(), "expiresAt: not in the future"),
        ("--organization acme --scope events:read,events:read", "scopes[1]: named before"),
    ] {
        let refused = run(&site, &format!("--name nightly-sync {arguments}")).await;
        assert_eq!(refused, (Some(1), String::new(), format!("rollbook: {told}\n")));
    }
    for (arguments, told) in [
        ("--organization acme", "--scope"),
        ("--organization acme --scope all", "cohorts:write"),
        ("--organization Acme --scope events:read", "inner hyphens"),
        ("--organization acme --scope events:read --expires-at soon", "RFC 3339"),
    ] {
        let (code, output, errors) = run(&site, &format!("--name nightly-sync {arguments}")).await;
        assert_eq!((code, output.as_str()), (Some(2), ""), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
}
