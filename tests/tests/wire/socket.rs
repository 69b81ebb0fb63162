//! WebSockets, message by message.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderName;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::http::{Answer, Connection, Header, header};
use crate::site::{Client, envelope};

/// How long any message may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Socket(pub WebSocketStream<TcpStream>);

impl Socket {
    /// A connection on `/rpc`.
    pub async fn open(client: &Client) -> Self {
        Socket::open_at(client, "/rpc").await
    }

    pub async fn open_at(client: &Client, path: &str) -> Self {
        Socket::over(Connection::open(client.address).await, client, path).await
    }

    /// Upgrades a connection.
    pub async fn over(connection: Connection, client: &Client, path: &str) -> Self {
        let stream = connection.into_stream();
        let mut request = format!("ws://{}{path}", client.address).into_client_request().expect("a request");
        for (name, value) in &client.headers {
            let name: HeaderName = name.parse().expect("a header's name");
            request.headers_mut().append(name, value.parse().expect("a header's value"));
        }
        let upgraded = tokio_tungstenite::client_async(request, stream).await;
        Socket(upgraded.unwrap_or_else(|error| panic!("no upgrade: {error}")).0)
    }

    pub async fn send(&mut self, message: impl Into<Message>) {
        self.try_send(message).await.expect("the server reads");
    }

    pub async fn try_send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        timeout(PATIENCE, self.0.send(message.into())).await.expect("the server reads")
    }

    pub async fn send_json(&mut self, message: &Value) {
        self.send(message.to_string()).await;
    }

    /// The next answer; pings are passed over.
    pub async fn next(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("not an answer: {other:?}"),
        }
    }

    /// The code that the server closes the connection with, and that nothing comes after.
    pub async fn close_code(&mut self) -> u16 {
        let code = match self.message().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("not closed: {other:?}"),
        };
        // What the client had still to say is lost with the connection, and may be an error here.
        let end = timeout(PATIENCE, self.0.next()).await.expect("closed at last");
        assert!(matches!(end, None | Some(Err(_))), "more comes after the close frame: {end:?}");
        code
    }

    /// Whether the server closes the connection itself, once both sides have said that it is over.
    pub async fn ends(mut self) -> bool {
        // The protocol's own end comes with the connection's.
        matches!(timeout(PATIENCE, self.0.next()).await, Ok(None | Some(Err(_))))
    }

    pub async fn message(&mut self) -> Message {
        timeout(PATIENCE, self.message_at_last()).await.expect("a message in time")
    }

    async fn message_at_last(&mut self) -> Message {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return message,
                Some(Err(error)) => panic!("the connection broke: {error}"),
                None => panic!("the connection ended without a close frame"),
            }
        }
    }

    /// Makes one call and answers with the whole answer.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let call = envelope(method, params);
        self.send_json(&call).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], call["id"], "{answer}");
        answer
    }
}

/// Asks for an upgrade and answers with what is said to it.
pub async fn upgrade(client: &Client, more: &[Header]) -> Answer {
    upgrade_at(client, "/rpc", more).await
}

pub async fn upgrade_at(client: &Client, path: &str, more: &[Header]) -> Answer {
    let mut headers = client.headers.clone();
    headers.extend(more.iter().cloned());
    headers.push(header("connection", "upgrade"));
    headers.push(header("upgrade", "websocket"));
    headers.push(header("sec-websocket-version", "13"));
    headers.push(header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="));
    let mut connection = Connection::open(client.address).await;
    connection.send_head("GET", path, &headers).await;
    connection.answer().await
}
