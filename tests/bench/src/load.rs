//! The load: so many connections, each of which puts its next call as soon as the last one is answered.
//!
//! It runs in a thread of its own. HTTP is written by hand, so that it costs little beside what it measures; what it
//! costs is in the report.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, timeout};

use crate::histogram::Histogram;
use crate::operation::{Call, Calls, Wire};

/// How long an answer may take, before the benchmark has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many wrong answers are kept to be shown.
const SHOWN: usize = 3;

/// How much of each.
const SHOWN_BYTES: usize = 400;

/// Room for an answer; larger ones make more.
const ROOM: usize = 64 * 1024;

/// What is to be done, and when.
#[derive(Clone)]
pub struct Load {
    pub port: u16,
    pub wire: Wire,
    pub connections: usize,
    /// By user.
    pub tokens: Arc<Vec<String>>,
    pub window: Window,
}

/// The time that counts; what is before warms up.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub begins: Instant,
    pub ends: Instant,
}

impl Window {
    pub fn after(warm_up: Duration, length: Duration) -> Self {
        let begins = Instant::now() + warm_up;
        Window { begins, ends: begins + length }
    }

    pub fn has(&self, moment: Instant) -> bool {
        self.begins <= moment && moment < self.ends
    }

    pub fn seconds(&self) -> f64 {
        self.ends.duration_since(self.begins).as_secs_f64()
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Of the calls that were answered within the window.
    pub latencies: Histogram,
    /// Enrollments that were acknowledged, whenever.
    pub enrolled: u64,
    /// Answers that were not what they had to be.
    pub wrong: u64,
    /// The first of them.
    pub shown: Vec<String>,
}

struct Shared {
    calls: Calls,
    outcome: Outcome,
}

/// Puts calls until the window ends, and waits for every answer.
pub fn run(load: &Load, calls: Calls) -> Result<Outcome> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let shared = Rc::new(RefCell::new(Shared { calls, outcome: Outcome::default() }));
    runtime.block_on(LocalSet::new().run_until(async {
        let mut connections = JoinSet::new();
        for _ in 0..load.connections {
            connections.spawn_local(converse(load.clone(), shared.clone()));
        }
        while let Some(ended) = connections.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    }))?;
    Ok(std::mem::take(&mut shared.borrow_mut().outcome))
}

async fn converse(load: Load, shared: Rc<RefCell<Shared>>) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", load.port)).await.context("the server is not there")?;
    stream.set_nodelay(true)?;
    let (mut request, mut answer) = (Vec::new(), Answer::default());
    while Instant::now() < load.window.ends {
        let call = shared.borrow_mut().calls.next().context("every learner is enrolled everywhere")?;
        let token = usize::try_from(call.user).ok().and_then(|user| load.tokens.get(user));
        request.clear();
        call.put(load.wire, token.context("a user without a token")?, &mut request);
        let begun = Instant::now();
        stream.write_all(&request).await?;
        timeout(PATIENCE, answer.read(&mut stream)).await.context("an answer did not come")??;
        shared.borrow_mut().outcome.take(&load.window, begun, &call, &answer);
    }
    Ok(())
}

impl Outcome {
    fn take(&mut self, window: &Window, begun: Instant, call: &Call, answer: &Answer) {
        let now = Instant::now();
        if !call.is_answered_by(answer.status, answer.body()) {
            self.wrong += 1;
            if self.shown.len() < SHOWN {
                let body = answer.body();
                let body = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]);
                self.shown.push(format!("{call:?} was answered by {} {body}", answer.status));
            }
            return;
        }
        self.enrolled += u64::from(call.enrolls());
        if window.has(now) {
            self.latencies.record(now - begun);
        }
    }
}

/// The last answer on a connection (RFC 9112).
#[derive(Default)]
struct Answer {
    bytes: Vec<u8>,
    status: u16,
    /// Where the body begins.
    body: usize,
}

/// How it is told where a body ends.
enum Length {
    Bytes(usize),
    Chunks,
}

impl Answer {
    fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }

    async fn read(&mut self, stream: &mut TcpStream) -> Result<()> {
        self.bytes.clear();
        let (mut head, mut looked_at) = (None, 0);
        loop {
            self.bytes.reserve(ROOM);
            if stream.read_buf(&mut self.bytes).await? == 0 {
                bail!("the server has closed the connection");
            }
            if head.is_none() {
                if let Some(end) = memmem::find(&self.bytes[looked_at..], b"\r\n\r\n") {
                    self.body = looked_at + end + 4;
                    let (status, length) = read_head(&self.bytes[..self.body])?;
                    self.status = status;
                    head = Some(length);
                }
                looked_at = self.bytes.len().saturating_sub(3);
            }
            match head {
                Some(Length::Bytes(length)) if self.bytes.len() >= self.body + length => return Ok(()),
                Some(Length::Chunks) if self.bytes.ends_with(b"\r\n0\r\n\r\n") => return Ok(()),
                Some(Length::Bytes(_) | Length::Chunks) | None => {}
            }
        }
    }
}

fn read_head(head: &[u8]) -> Result<(u16, Length)> {
    let head = std::str::from_utf8(head).context("an answer's head is not text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.context("an answer without a status")?;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, Length::Bytes(value.trim().parse()?)));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok((status, Length::Chunks));
        }
    }
    bail!("an answer that does not say how long it is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_s_head_says_how_long_it_is() {
        let head = b"HTTP/1.1 409 Conflict\r\nContent-Type: x\r\nContent-Length: 17\r\n\r\n";
        assert!(matches!(read_head(head), Ok((409, Length::Bytes(17)))));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(matches!(read_head(chunked), Ok((200, Length::Chunks))));
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
