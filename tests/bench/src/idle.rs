//! What connections cost that say nothing: WebSockets of people who are signed in.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::contender::{Contender, Server};
use crate::progress::Progress;
use crate::sample::Memory;
use crate::suite::Suite;

/// How many are opened at a time.
const AT_ONCE: usize = 64;

/// The longest message that a server sends to one that says nothing.
const MOST_BYTES: usize = 125;

#[derive(Clone, Debug)]
pub struct Idle {
    pub who: String,
    pub sockets: usize,
    /// How long they were idle.
    pub idle: Duration,
    pub without: Memory,
    pub with: Memory,
}

/// Opens so many, waits so long, and looks at the server's memory.
pub async fn run(
    suite: &mut Suite<'_>,
    contender: &Contender,
    sockets: usize,
    idle: Duration,
    progress: &Progress,
) -> Result<Idle> {
    progress.say(format!("{sockets} idle WebSockets, {}", contender.name));
    let url = suite.fresh(contender.database).await?;
    let log = suite.workshop.directory.join("server.log");
    let server = Server::start(contender, suite.workshop.rollbook, &url, &log).await?;
    let without = Memory::of_tree(server.id)?;
    let tokens = suite.tokens.iter().cycle().take(sockets);
    let opening = tokens.map(|token| open(server.port, token));
    let opened: Vec<TcpStream> = stream::iter(opening).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut listening: JoinSet<Result<()>> = opened.into_iter().map(listen).collect();
    let ended = tokio::select! {
        ended = listening.join_next() => ended,
        () = sleep(idle) => None,
    };
    if let Some(ended) = ended {
        ended?.context("an idle WebSocket was ended")?;
    }
    let with = Memory::of_tree(server.id)?;
    listening.shutdown().await;
    server.stop().await?;
    progress.step();
    Ok(Idle { who: contender.name.clone(), sockets, idle, without, with })
}

/// Opens a WebSocket (RFC 6455, section 4.1); that the server has understood it is enough.
async fn open(port: u16, token: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!(
        "GET /rpc HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.context("a WebSocket was not opened")?);
    }
    match head.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(stream),
        false => bail!("a WebSocket was refused: {}", String::from_utf8_lossy(&head)),
    }
}

/// Answers pings (RFC 6455, section 5.5), until the connection ends.
async fn listen(mut stream: TcpStream) -> Result<()> {
    loop {
        let [kind, length] = [stream.read_u8().await?, stream.read_u8().await?];
        let length = usize::from(length);
        if length > MOST_BYTES {
            bail!("a message of more than {MOST_BYTES} bytes");
        }
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        match kind {
            // A final frame, a ping; what is sent is masked, here with zeroes.
            0x89 => {
                let mut pong = vec![0x8a, 0x80 | length as u8, 0, 0, 0, 0];
                pong.extend(payload);
                stream.write_all(&pong).await?;
            }
            0x88 => bail!("closed: {payload:?}"),
            _ => {}
        }
    }
}
