//! WebSocket connections: how many messages are worked on at once, how much may wait to be read by the client, how
//! long it may be silent, and how it ends. What a message means is its wire's business.
//!
//! A connection that does not read what it asked for is not read from either: at most
//! [`MAX_CALLS_PER_CONNECTION`] calls are in flight, and an answer that finds no room in [`MAX_QUEUED_ANSWERS`] waits
//! holding its call's place.

use std::future::Future;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, interval, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::jsonrpc::too_large;
use crate::limits::{
    MAX_BODY, MAX_CALLS_PER_CONNECTION, MAX_QUEUED_ANSWERS, PING_INTERVAL, SILENCE_TIMEOUT, WRITE_TIMEOUT,
};

/// The bytes a connection reads at once; ten thousand idle ones should cost little.
const READ_BUFFER: usize = 4 * 1024;

/// The wire's reply to one message.
#[derive(Default)]
pub struct Reply {
    pub text: Option<String>,
    /// Whether the session is over: the connection is closed with 1008 (RFC 6455, section 7.4.1).
    pub ends_session: bool,
}

/// All WebSocket connections, and the order to end them.
#[derive(Clone, Default)]
pub struct Sockets {
    open: TaskTracker,
    stop: CancellationToken,
}

impl Sockets {
    pub fn new(open: TaskTracker, stop: CancellationToken) -> Self {
        Sockets { open, stop }
    }

    /// Takes a connection over; `answer` is asked about each of its messages, several at a time.
    pub fn accept<F>(
        &self,
        upgrade: WebSocketUpgrade,
        answer: impl Fn(Message) -> F + Send + Sync + 'static,
    ) -> Response
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let Sockets { open, stop } = self.clone();
        // Counted from the answer to the upgrade on, so that a shutdown cannot miss it.
        let token = open.token();
        upgrade
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(MAX_BODY)
            .max_frame_size(MAX_BODY)
            .on_upgrade(move |socket| async move {
                run(socket, answer, stop).await;
                drop(token);
            })
    }
}

/// How a connection ends.
#[derive(Clone, Copy)]
enum End {
    /// The client closed it, or it broke.
    Gone,
    /// The client stayed silent.
    Silent,
    SessionOver,
    MessageTooLarge,
    Stopping,
}

/// An answer on its way out, with the room it takes in the queue.
struct Outgoing {
    text: Utf8Bytes,
    _room: OwnedSemaphorePermit,
}

async fn run<F>(socket: WebSocket, answer: impl Fn(Message) -> F, stop: CancellationToken)
where
    F: Future<Output = Reply> + Send + 'static,
{
    let (sink, stream) = socket.split();
    let (queue, queued) = mpsc::channel(MAX_CALLS_PER_CONNECTION);
    let over = CancellationToken::new();
    let room = Arc::new(Semaphore::new(MAX_QUEUED_ANSWERS));
    let writer = tokio::spawn(write(sink, queued, over.clone()));
    let calls = TaskTracker::new();

    let end = read(stream, answer, &stop, &over, &calls, &room, &queue).await;

    // What was asked is answered before the connection closes, unless nobody is there to read it.
    calls.close();
    if !matches!(end, End::Gone) {
        calls.wait().await;
    }
    if matches!(end, End::MessageTooLarge) {
        enqueue(&queue, &room, too_large()).await;
    }
    drop(queue);
    if let Ok(Some(mut sink)) = writer.await {
        let _ = timeout(WRITE_TIMEOUT, sink.send(Message::Close(Some(close_frame(end))))).await;
    }
}

/// Reads messages as long as there is room to work on them, and has each answered in a task of its own.
async fn read<F>(
    mut stream: SplitStream<WebSocket>,
    answer: impl Fn(Message) -> F,
    stop: &CancellationToken,
    over: &CancellationToken,
    calls: &TaskTracker,
    room: &Arc<Semaphore>,
    queue: &mpsc::Sender<Outgoing>,
) -> End
where
    F: Future<Output = Reply> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MAX_CALLS_PER_CONNECTION));
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => return End::Stopping,
            () = over.cancelled() => return End::SessionOver,
            () = queue.closed() => return End::Gone,
            place = places.clone().acquire_owned() => place,
        };
        let message = tokio::select! {
            () = stop.cancelled() => return End::Stopping,
            () = over.cancelled() => return End::SessionOver,
            () = queue.closed() => return End::Gone,
            message = timeout_at(Instant::now() + SILENCE_TIMEOUT, stream.next()) => message,
        };
        match message {
            Err(_) => return End::Silent,
            Ok(Some(Ok(message @ (Message::Text(_) | Message::Binary(_))))) => {
                let reply = answer(message);
                let (room, queue, over) = (room.clone(), queue.clone(), over.clone());
                calls.spawn(async move {
                    let reply = reply.await;
                    if let Some(text) = reply.text {
                        enqueue(&queue, &room, text).await;
                    }
                    if reply.ends_session {
                        over.cancel();
                    }
                    drop(place);
                });
            }
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            Ok(Some(Ok(Message::Close(_))) | None) => return End::Gone,
            Ok(Some(Err(error))) if is_capacity(&error) => return End::MessageTooLarge,
            Ok(Some(Err(_))) => return End::Gone,
        }
    }
}

/// Queues an answer as soon as there is room for it; one larger than all the room takes all of it.
async fn enqueue(queue: &mpsc::Sender<Outgoing>, room: &Arc<Semaphore>, text: String) {
    let size = u32::try_from(text.len().clamp(1, MAX_QUEUED_ANSWERS)).unwrap_or(u32::MAX);
    let found = tokio::select! {
        () = queue.closed() => return,
        found = room.clone().acquire_many_owned(size) => found,
    };
    if let Ok(room) = found {
        // A send fails only if the connection is gone, and the answer with it.
        let _ = queue.send(Outgoing { text: text.into(), _room: room }).await;
    }
}

/// Writes answers and pings until the queue ends; answers with the sink, unless the client does not take them.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queued: mpsc::Receiver<Outgoing>,
    over: CancellationToken,
) -> Option<SplitSink<WebSocket, Message>> {
    let mut pings = interval(PING_INTERVAL);
    pings.reset();
    loop {
        let (message, room) = tokio::select! {
            outgoing = queued.recv() => match outgoing {
                Some(Outgoing { text, _room }) => (Message::Text(text), Some(_room)),
                None => return Some(sink),
            },
            _ = pings.tick() => (Message::Ping(Default::default()), None),
        };
        match timeout(WRITE_TIMEOUT, sink.send(message)).await {
            Ok(Ok(())) => drop(room),
            Ok(Err(_)) | Err(_) => {
                over.cancel();
                return None;
            }
        }
    }
}

fn is_capacity(error: &axum::Error) -> bool {
    // axum wraps the protocol's error; its text is the only thing it lets through.
    error.to_string().contains("Space limit exceeded")
}

fn close_frame(end: End) -> CloseFrame {
    let (code, reason) = match end {
        End::Gone => (close_code::NORMAL, ""),
        End::Silent => (close_code::AWAY, "silent for too long"),
        End::SessionOver => (close_code::POLICY, "the session has ended"),
        End::MessageTooLarge => (close_code::SIZE, "the message is too large"),
        End::Stopping => (close_code::AWAY, "the server is stopping"),
    };
    CloseFrame { code, reason: reason.into() }
}
