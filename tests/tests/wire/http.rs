//! HTTP/1.1 by hand: what a test says is what is sent.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long any answer may take that is not waited for on purpose.
const PATIENCE: Duration = Duration::from_secs(40);

/// A header by its name and value.
pub type Header = (String, String);

pub fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.to_owned())
}

/// A connection, kept alive between requests.
pub struct Connection {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<Header>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a header that may come more than once.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}: {:?}", self.status, String::from_utf8_lossy(&self.body)))
    }
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        Connection::try_open(address).await.expect("the server listens")
    }

    /// A connection whose client can hold little that it has not read; but more than a segment, or it would be slow.
    pub async fn open_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(128 * 1024).expect("a small buffer");
        let stream = socket.connect(address).await.expect("the server listens");
        Connection { stream: BufReader::new(stream), address }
    }

    async fn try_open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream), address })
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.expect("the server reads");
    }

    pub async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        timeout(PATIENCE, self.stream.get_mut().write_all(bytes)).await?
    }

    /// Sends a request's head, which its body is to follow.
    pub async fn send_head(&mut self, method: &str, path: &str, headers: &[Header]) {
        self.try_send_head(method, path, headers).await.expect("the server reads");
    }

    async fn try_send_head(&mut self, method: &str, path: &str, headers: &[Header]) -> std::io::Result<()> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        self.try_send(format!("{head}\r\n").as_bytes()).await
    }

    /// Sends a request with the body's length and receives its answer.
    pub async fn request(&mut self, method: &str, path: &str, headers: &[Header], body: &[u8]) -> Answer {
        self.try_request(method, path, headers, body).await.expect("an answer")
    }

    async fn try_request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[Header],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let mut headers = headers.to_vec();
        headers.push(header("content-length", &body.len().to_string()));
        self.try_send_head(method, path, &headers).await?;
        // The answer may be there before the body was read, and the connection gone.
        let _ = self.try_send(body).await;
        self.try_answer().await
    }

    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer")
    }

    /// The next answer, unless the connection ends before it does.
    async fn try_answer(&mut self) -> std::io::Result<Answer> {
        timeout(PATIENCE, self.read_answer()).await?
    }

    async fn read_answer(&mut self) -> std::io::Result<Answer> {
        let mut answer = self.read_head().await?;
        if answer.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.read_chunk().await? {
                answer.body.extend(chunk);
            }
            return Ok(answer);
        }
        let length = answer.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        answer.body.resize(length, 0);
        self.stream.read_exact(&mut answer.body).await?;
        Ok(answer)
    }

    /// The next answer's head; its body comes in chunks.
    pub async fn head(&mut self) -> Answer {
        timeout(PATIENCE, self.read_head()).await.expect("in time").expect("an answer")
    }

    /// The next chunk (RFC 9112, section 7.1); none at the body's end.
    pub async fn chunk(&mut self) -> Option<String> {
        let chunk = timeout(PATIENCE, self.read_chunk()).await.expect("in time").expect("the body goes on");
        chunk.map(|bytes| String::from_utf8(bytes).expect("a text"))
    }

    /// The next chunk, unless the connection is cut before its end.
    pub async fn try_chunk(&mut self) -> Option<String> {
        let chunk = timeout(PATIENCE, self.read_chunk()).await.expect("in time").ok().flatten();
        chunk.map(|bytes| String::from_utf8(bytes).expect("a text"))
    }

    async fn read_chunk(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut size = String::new();
        if self.stream.read_line(&mut size).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk's size");
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).await?;
        chunk.truncate(size);
        Ok(if size == 0 { None } else { Some(chunk) })
    }

    async fn read_head(&mut self) -> std::io::Result<Answer> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines.first().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers: Vec<Header> = lines[1..]
            .iter()
            .map(|line| line.split_once(": ").expect("a header"))
            .map(|(name, value)| header(&name.to_ascii_lowercase(), value))
            .collect();
        Ok(Answer { status, headers, body: Vec::new() })
    }

    /// Whether the server closes the connection within this time, without another word.
    pub async fn closes(&mut self, within: Duration) -> bool {
        let mut byte = [0];
        match timeout(within, self.stream.read(&mut byte)).await {
            Ok(Ok(read)) => read == 0,
            Ok(Err(_)) => true,
            Err(_) => false,
        }
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}

/// One request on a connection of its own.
pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[Header],
    body: &[u8],
) -> Answer {
    try_request(address, method, path, headers, body).await.expect("an answer")
}

/// One request to a server that may be gone.
pub async fn try_request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[Header],
    body: &[u8],
) -> std::io::Result<Answer> {
    Connection::try_open(address).await?.try_request(method, path, headers, body).await
}
