//! A receiver of webhooks on this machine: HTTP/1.1 by hand, which answers as a test says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long what is to arrive may take: longer than a request, its pause and the next one.
const PATIENCE: Duration = Duration::from_secs(40);

/// What comes of one post.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Status(u16),
    RedirectTo(String),
    /// The connection ends without an answer.
    Cut,
    /// The connection stays, and nothing is said.
    Silence,
}

/// What was posted, and what came of it.
#[derive(Clone, Debug)]
pub struct Post {
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub answer: Answer,
}

impl Post {
    /// The id of the message.
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The event that it tells.
    pub fn event(&self) -> Value {
        self.json()["data"].clone()
    }

    pub fn is_accepted(&self) -> bool {
        self.answer == Answer::Status(204)
    }
}

pub struct Receiver {
    address: SocketAddr,
    posts: mpsc::UnboundedReceiver<Post>,
}

impl Receiver {
    /// Answers so by turns, and then with 204.
    pub async fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (told, posts) = mpsc::unbounded_channel();
        let answers = Vec::from(answers);
        let mut answers = answers.into_iter();
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                let mut connection = BufReader::new(connection);
                let (headers, body) = read(&mut connection).await.expect("a request");
                let answer = answers.next().unwrap_or(Answer::Status(204));
                match &answer {
                    Answer::Status(status) => say(&mut connection, *status, "").await,
                    Answer::RedirectTo(url) => {
                        say(&mut connection, 307, &format!("location: {url}\r\n")).await;
                    }
                    Answer::Cut => {}
                    Answer::Silence => silent.push(connection),
                }
                if told.send(Post { headers, body, answer }).is_err() {
                    break;
                }
            }
        });
        Receiver { address, posts }
    }

    /// Its address, by number; it has a part that no log is to have.
    pub fn url(&self) -> String {
        format!("http://{}/hook?token=hidden", self.address)
    }

    /// The same by name.
    pub fn url_by_name(&self) -> String {
        format!("http://localhost:{}/hook", self.address.port())
    }

    /// The next post.
    pub async fn next(&mut self) -> Post {
        timeout(PATIENCE, self.posts.recv()).await.expect("in time").expect("it receives")
    }

    /// Nothing arrives within this time.
    pub async fn nothing(&mut self, within: Duration) {
        let next = timeout(within, self.posts.recv()).await;
        assert!(next.is_err(), "{next:?}");
    }
}

async fn read(connection: &mut BufReader<TcpStream>) -> std::io::Result<(BTreeMap<String, String>, String)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    assert!(lines.first().is_some_and(|line| line.starts_with("POST /hook")), "{lines:?}");
    let headers: BTreeMap<_, _> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers["content-length"].parse().expect("a length")];
    connection.read_exact(&mut body).await?;
    Ok((headers, String::from_utf8(body).expect("a text")))
}

async fn say(connection: &mut BufReader<TcpStream>, status: u16, headers: &str) {
    let answer = format!("HTTP/1.1 {status} so\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n");
    connection.write_all(answer.as_bytes()).await.expect("the server listens");
}
