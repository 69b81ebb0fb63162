//! Signing in with an organization's own provider: a certified one, a real browser, and what comes of it on every wire.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::http;
use crate::shape::{assert_refused, code_of};
use crate::site::{Client, Site};
use crate::socket::Socket;
use crate::{on_both, on_sqlite};

on_both![
    from_a_browser_to_an_enrollment,
    a_membership_ends_under_open_sockets,
    a_provider_is_removed_under_open_sockets,
];
on_sqlite![keys_that_change_and_keys_that_cannot_be_had];

/// The WebSocket close code of a session that has ended (RFC 6455, section 7.4.1).
const POLICY: u16 = 1008;

/// How soon a provider that is removed is so.
const REMOVED_WITHIN: Duration = Duration::from_secs(5);

/// How soon a new key is known.
const ROTATED_WITHIN: Duration = Duration::from_secs(31);

/// How long a call takes at most whose key is known, whatever the provider does: one second's wait, and the call.
const CALL_TIMEOUT: Duration = Duration::from_secs(4);

/// How long the server waits for a provider's keys.
const KEYS_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the provider may take to say something, or to be asked for its keys again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long somebody may take to sign in.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(120);

async fn from_a_browser_to_an_enrollment(site: Site) {
    let provider = Provider::of_acme(&site).await;
    let admin = site.person("ada", "admin").await;
    let members = async || admin.ok("member.list", json!({ "search": "Cleo" })).await["items"].take();
    let cleo = provider.sign_in("cleo", &site).await;
    assert_eq!(members().await, json!([]), "nobody is a member before the first call");

    // The first call makes her one; later ones find her.
    let me = cleo.ok("session.me", json!({})).await;
    let session = json!({
        "kind": "user",
        "userId": me["userId"],
        "organizationId": admin.organization_id,
        "role": "coordinator",
        "globalAdmin": false,
        "displayName": "Cleo Coordinator",
        "scopes": [],
    });
    assert_eq!(me, session);
    assert_eq!(cleo.ok("session.me", json!({})).await, session);
    let members = members().await;
    assert_eq!(members.as_array().expect("a page").len(), 1, "{members}");
    assert_eq!(
        (&members[0]["userId"], &members[0]["role"], &members[0]["status"]),
        (&me["userId"], &json!("coordinator"), &json!("active"))
    );

    // A provider that says no role, or none that there is, has learners.
    for (name, display_name) in [("nils", "Nils Newcomer"), ("olga", "Olga Other")] {
        let me = provider.sign_in(name, &site).await.ok("session.me", json!({})).await;
        assert_eq!((&me["role"], &me["displayName"]), (&json!("learner"), &json!(display_name)));
    }

    let courses = [site.course(0).await, site.course(0).await, site.course(0).await];
    let inputs = courses.each_ref().map(|course| json!({ "courseId": course }));
    let by_rpc = cleo.ok("enrollment.enroll", inputs[0].clone()).await;
    let body = inputs[1].to_string();
    let path = "/trpc/enrollment.enroll";
    let answer = http::request(site.address(), "POST", path, &cleo.json_headers(), body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let by_trpc = answer.json()["result"]["data"].take();
    let mut socket = with_params(&site, &cleo).await;
    let params = json!({ "path": "enrollment.enroll", "input": inputs[2] });
    socket.send_json(&json!({ "id": 1, "method": "mutation", "params": params })).await;
    let by_socket = socket.next().await["result"]["data"].take();
    for (enrollment, course) in [by_rpc, by_trpc, by_socket].iter().zip(&courses) {
        assert_eq!(
            (&enrollment["userId"], &enrollment["courseId"], &enrollment["status"]),
            (&me["userId"], &json!(course), &json!("enrolled")),
            "{enrollment}"
        );
    }
    let log = site.server.log();
    assert!(!log.contains(&cleo.token) && !log.contains("Cleo"), "{log}");
}

async fn a_membership_ends_under_open_sockets(site: Site) {
    let provider = Provider::of_acme(&site).await;
    let nils = provider.sign_in("nils", &site).await;
    let open = Open::by(&site, &nils).await;
    let user_id = nils.ok("session.me", json!({})).await["userId"].take();
    site.person("ada", "admin").await.ok("member.end", json!({ "userId": user_id })).await;
    open.end("FORBIDDEN").await;
    // His provider still knows him; he does not come in as somebody new.
    let refused = nils.refused("session.me", json!({})).await;
    assert_eq!(code_of(&refused), "FORBIDDEN");
    assert_eq!(refused["data"]["reason"], json!({ "type": "notAMember" }));
}

async fn a_provider_is_removed_under_open_sockets(site: Site) {
    let provider = Provider::of_acme(&site).await;
    let nils = provider.sign_in("nils", &site).await;
    let open = Open::by(&site, &nils).await;
    let input = json!({ "issuer": provider.issuer });
    global_admin(&site).await.ok("organization.removeIdentityProvider", input).await;
    let removed = Instant::now();
    let refused = loop {
        let asked = removed.elapsed();
        match nils.call("session.me", json!({})).await {
            Ok(_) => assert!(asked < REMOVED_WITHIN, "still let in after {asked:?}"),
            Err(refused) => break refused,
        }
        sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(code_of(&refused), "UNAUTHORIZED");
    open.end("UNAUTHORIZED").await;
    // Others sign in as before.
    site.person("ada", "admin").await.ok("session.me", json!({})).await;
}

async fn keys_that_change_and_keys_that_cannot_be_had(site: Site) {
    let mut provider = Provider::of_acme(&site).await;
    let before = provider.sign_in("cleo", &site).await;
    let me = before.ok("session.me", json!({})).await;

    assert!(provider.told("rotate").await["rotated"].is_string());
    let rotated = Instant::now();
    let cleo = provider.sign_in("cleo", &site).await;
    loop {
        let asked = rotated.elapsed();
        match cleo.call("session.me", json!({})).await {
            Ok(found) => {
                assert_eq!(found, me);
                break;
            }
            Err(refused) => {
                assert_eq!(code_of(&refused), "UNAUTHORIZED");
                assert!(asked < ROTATED_WITHIN, "not let in {asked:?} after the key was changed");
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    // The provider has disowned the key of before.
    assert_eq!(code_of(&before.refused("session.me", json!({})).await), "UNAUTHORIZED");

    // A key that is known will do while the provider is asked, and does not answer.
    assert_eq!(provider.told("hang").await, json!({ "hangs": true }));
    let mut asked = pin!(provider.next());
    let unanswered = loop {
        assert_lets_in(&cleo, &me).await;
        if let Ok(unanswered) = timeout(Duration::from_millis(50), asked.as_mut()).await {
            break unanswered;
        }
    };
    assert_eq!(unanswered, json!({ "unanswered": "/jwks" }));
    let hanging = Instant::now();
    while hanging.elapsed() < KEYS_TIMEOUT + Duration::from_secs(1) {
        assert_lets_in(&cleo, &me).await;
        sleep(Duration::from_millis(50)).await;
    }

    // A server that has never had a key cannot tell whether the token is good, and says so.
    let site = site.crash().await;
    let cold = cleo.at(site.address());
    assert_eq!(code_of(&cold.refused("session.me", json!({})).await), "SERVICE_UNAVAILABLE");
    let answer = http::request(site.address(), "GET", "/trpc/session.me", &cold.headers, b"").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (503, None));
    assert_eq!(code_of(&answer.json()["error"]), "SERVICE_UNAVAILABLE");
}

async fn assert_lets_in(client: &Client, me: &Value) {
    let begun = Instant::now();
    assert_eq!(client.ok("session.me", json!({})).await, *me);
    let took = begun.elapsed();
    assert!(took < CALL_TIMEOUT, "it took {took:?}");
}

async fn global_admin(site: &Site) -> Client {
    let admin = json!({ "organization": "acme", "subject": "wire-global", "globalAdmin": true });
    site.signed_in(&admin).await
}

/// A WebSocket for tRPC as a browser opens it, which can send no header.
async fn with_params(site: &Site, client: &Client) -> Socket {
    let nobody = Client::anonymous(site.address());
    let mut socket = Socket::open_at(&nobody, "/trpc?connectionParams=1").await;
    socket.send_json(&json!({ "method": "connectionParams", "data": { "token": client.token } })).await;
    socket
}

/// `session.me` over tRPC's WebSocket.
async fn me(socket: &mut Socket) -> Value {
    socket.send_json(&json!({ "id": 1, "method": "query", "params": { "path": "session.me" } })).await;
    socket.next().await
}

/// Somebody's WebSockets, one of each wire.
struct Open {
    rpc: Socket,
    trpc: Socket,
}

impl Open {
    async fn by(site: &Site, client: &Client) -> Self {
        let mut open = Open { rpc: Socket::open(client).await, trpc: with_params(site, client).await };
        assert_eq!(open.rpc.call("session.me", json!({})).await["result"]["kind"], "user");
        assert_eq!(me(&mut open.trpc).await["result"]["data"]["kind"], "user");
        open
    }

    /// The next call is refused so, and the connection closed.
    async fn end(mut self, code: &str) {
        let answer = self.rpc.call("session.me", json!({})).await;
        assert_refused(&answer, &answer["id"], code);
        assert_eq!(self.rpc.close_code().await, POLICY);
        let answer = me(&mut self.trpc).await;
        assert_eq!((&answer["id"], code_of(&answer["error"])), (&json!(1), code));
        assert_eq!(self.trpc.close_code().await, POLICY);
    }
}

/// A certified OpenID Connect provider, with a page that signs in with it.
struct Provider {
    issuer: String,
    page: String,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// Killed when this is dropped.
    _process: Child,
}

impl Provider {
    /// One that people of acme sign in with.
    async fn of_acme(site: &Site) -> Self {
        let provider = Provider::start().await;
        let input =
            json!({ "issuer": provider.issuer, "audience": "rollbook", "roleClaim": "rollbook_role" });
        global_admin(site).await.ok("organization.setIdentityProvider", input).await;
        provider
    }

    async fn start() -> Self {
        let directory = directory().join("provider");
        let installed = directory.join("node_modules/oidc-provider").is_dir();
        assert!(installed, "{} has nothing installed; ./tests/run sees to it", directory.display());
        let mut process = Command::new("node")
            .arg(directory.join("provider.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is installed");
        let input = process.stdin.take().expect("piped");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let nowhere = String::new();
        let mut provider =
            Provider { issuer: nowhere.clone(), page: nowhere, input, lines, _process: process };
        let said = provider.next().await;
        let text = |field: &str| said[field].as_str().expect("a text").to_owned();
        (provider.issuer, provider.page) = (text("issuer"), text("page"));
        provider
    }

    /// Tells it something; what it says to that.
    async fn told(&mut self, line: &str) -> Value {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
        self.next().await
    }

    /// What it says next.
    async fn next(&mut self) -> Value {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("in time");
        let line = line.expect("a text").expect("it runs");
        serde_json::from_str(&line).expect("an object a line")
    }

    /// Somebody who has an account there signs in, in a browser.
    async fn sign_in(&self, name: &str, site: &Site) -> Client {
        let mut node = Command::new("node");
        node.arg(directory().join("sign_in.mjs")).args([&self.page, &self.issuer, name]).kill_on_drop(true);
        let ran = timeout(SIGN_IN_TIMEOUT, node.output()).await.expect("in time").expect("node is installed");
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{name} cannot sign in: {errors}");
        let token = String::from_utf8(ran.stdout).expect("a text");
        Client::bearing(site.address(), token.trim_end())
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/oidc")
}
