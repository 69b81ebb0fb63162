//! A server with its database, and the clients that call it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tests::process::Process;
use tests::{Fresh, Kind};

use crate::http::{self, Answer, Header, header};

pub struct Site {
    pub kind: Kind,
    pub database_url: String,
    pub server: Process,
}

impl Site {
    /// Runs one test with a server of its own on a fresh database.
    pub async fn run(kind: Kind, test: impl AsyncFnOnce(Site)) {
        let database = Fresh::create(kind).await;
        let database_url = database.url.clone();
        let server = Process::start(&database_url).await;
        test(Site { kind, database_url, server }).await;
        database.remove().await;
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// `POST /dev/…`.
    pub async fn dev(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        http::request(self.address(), "POST", &format!("/dev/{path}"), &[JSON.header()], body.as_bytes())
            .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        http::request(self.address(), "GET", path, &[], b"").await
    }

    /// Someone of acme.
    pub async fn person(&self, subject: &str, role: &str) -> Client {
        self.person_of("acme", subject, role).await
    }

    pub async fn person_of(&self, organization: &str, subject: &str, role: &str) -> Client {
        self.signed_in(&json!({ "organization": organization, "subject": subject, "role": role })).await
    }

    /// Whoever `POST /dev/token` makes of this.
    pub async fn signed_in(&self, request: &Value) -> Client {
        let answer = self.dev("token", request).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        let issued = answer.json();
        let text = |field: &str| issued[field].as_str().expect("a text").to_owned();
        let (user_id, organization_id) = (text("userId"), text("organizationId"));
        Client { user_id, organization_id, ..Client::bearing(self.address(), &text("token")) }
    }

    /// A published course of acme with so many modules; its id.
    pub async fn course(&self, modules: usize) -> String {
        let admin = self.person("ada", "admin").await;
        let course = admin.ok("course.create", json!({ "title": "Wire" })).await;
        let id = course["id"].as_str().expect("an id").to_owned();
        for number in 0..modules {
            let module = json!({ "courseId": id, "title": format!("Module {number}"), "kind": "lesson" });
            admin.ok("course.addModule", module).await;
        }
        admin.ok("course.publish", json!({ "courseId": id })).await;
        id
    }

    /// Kills the server without a warning and starts it again on the same database.
    pub async fn crash(self) -> Self {
        let Site { kind, database_url, server } = self;
        server.kill().await;
        let server = Process::start(&database_url).await;
        Site { kind, database_url, server }
    }
}

/// A content type.
pub struct ContentType(&'static str);

pub const JSON: ContentType = ContentType("application/json");

impl ContentType {
    pub fn header(&self) -> Header {
        header("content-type", self.0)
    }
}

/// A client with a session, or without.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub token: String,
    pub user_id: String,
    pub organization_id: String,
    /// Sent with every call, and with the upgrade to a WebSocket.
    pub headers: Vec<Header>,
}

impl Client {
    pub fn anonymous(address: SocketAddr) -> Self {
        let nobody = String::new();
        Client {
            address,
            token: nobody.clone(),
            user_id: nobody.clone(),
            organization_id: nobody,
            headers: Vec::new(),
        }
    }

    pub fn bearing(address: SocketAddr, token: &str) -> Self {
        let headers = vec![header("authorization", &format!("Bearer {token}"))];
        Client { token: token.to_owned(), headers, ..Client::anonymous(address) }
    }

    /// The same client, naming an organization to act in.
    pub fn choosing(&self, organization: &str) -> Self {
        let mut client = self.clone();
        client.headers.push(header("x-rollbook-organization", organization));
        client
    }

    /// The same client's view of another server.
    pub fn at(&self, address: SocketAddr) -> Self {
        Client { address, ..self.clone() }
    }

    pub fn json_headers(&self) -> Vec<Header> {
        let mut headers = self.headers.clone();
        headers.push(JSON.header());
        headers
    }

    /// Posts these bytes as JSON.
    pub async fn post(&self, body: &[u8]) -> Answer {
        http::request(self.address, "POST", "/rpc", &self.json_headers(), body).await
    }

    /// Makes one call; answers with its result or its error.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, Value> {
        let call = envelope(method, params);
        let mut answer = self.post(call.to_string().as_bytes()).await.json();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &call["id"]), "{answer}");
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Makes one call that is to succeed.
    pub async fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        answer.unwrap_or_else(|error| panic!("{method} was refused: {error:#}"))
    }

    /// Makes one call that is to be refused.
    pub async fn refused(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        answer.map_or_else(|error| error, |answer| panic!("{method} was not refused: {answer:#}"))
    }
}

/// A call with an id of its own.
pub fn envelope(method: &str, params: Value) -> Value {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}
