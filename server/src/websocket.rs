//! WebSocket connections: how many messages are worked on at once, how much may wait to be read by the client, how
//! long it may be silent, and how it ends. What a message means is its wire's business.
//!
//! A connection that does not read what it asked for is not read from either: at most
//! [`MAX_CALLS_PER_CONNECTION`] calls are in flight, each of a batch counted, and an answer that finds no room in
//! [`MAX_QUEUED_ANSWERS`] waits holding its call's place. What a subscription tells waits too, but not for long.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, interval, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::{
    MAX_BODY, MAX_CALLS_PER_CONNECTION, MAX_QUEUED_ANSWERS, PING_INTERVAL, SILENCE_TIMEOUT,
    SLOW_READER_TIMEOUT, WRITE_TIMEOUT,
};

/// The bytes a connection reads at once; ten thousand idle ones should cost little.
const READ_BUFFER: usize = 4 * 1024;

/// What a wire does with a connection's messages.
pub trait Conversation: Send + Sync + 'static {
    /// How many calls a message makes.
    fn calls_in(&self, message: &[u8]) -> usize;

    /// Works on one message; several are worked on at a time, but this is called in the order in which they came. Its
    /// answers, however many, go to the outbox.
    fn hear(self: Arc<Self>, message: Bytes, outbox: Outbox) -> impl Future<Output = ()> + Send;

    /// Waits until the session behind the connection has ended, whether or not anything is said meanwhile.
    fn session_over(self: Arc<Self>) -> impl Future<Output = ()> + Send;

    /// What is said to a message larger than one may be, before the connection is closed.
    fn too_large(&self) -> String;

    /// What is said before the server stops, if anything.
    fn farewell(&self) -> Option<String>;
}

/// Where the answers of a connection go.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::Sender<Outgoing>,
    room: Arc<Semaphore>,
    /// Why the connection is to end, said before `over` is.
    verdict: Arc<OnceLock<End>>,
    over: CancellationToken,
    ending: CancellationToken,
    /// What goes on by itself, such as subscriptions.
    going_on: TaskTracker,
}

impl Outbox {
    fn new(queue: mpsc::Sender<Outgoing>) -> Self {
        Outbox {
            queue,
            room: Arc::new(Semaphore::new(MAX_QUEUED_ANSWERS)),
            verdict: Arc::default(),
            over: CancellationToken::new(),
            ending: CancellationToken::new(),
            going_on: TaskTracker::new(),
        }
    }

    /// Has something go on by itself. It must see to it that it ends when the connection [has](Self::ended): the
    /// connection waits for what it has still to say.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.going_on.spawn(work);
    }

    /// Queues a text as soon as there is room for it; one larger than all the room takes all of it. False if the
    /// connection is gone.
    pub async fn send(&self, text: String) -> bool {
        let size = u32::try_from(text.len().clamp(1, MAX_QUEUED_ANSWERS)).unwrap_or(u32::MAX);
        let found = tokio::select! {
            () = self.queue.closed() => return false,
            found = self.room.clone().acquire_many_owned(size) => found,
        };
        match found {
            Ok(room) => self.queue.send(Outgoing { text: text.into(), _room: room }).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Queues what a subscription tells. A client that reads too slowly for it is let go: what is queued is still sent,
    /// then the connection is closed with 1013 (IANA's registry for RFC 6455: try again later).
    pub async fn tell(&self, text: String) -> bool {
        match timeout(SLOW_READER_TIMEOUT, self.send(text)).await {
            Ok(sent) => sent,
            Err(_) => {
                self.end(End::TooSlow);
                false
            }
        }
    }

    /// The session is over: what is queued is still sent, then the connection is closed with 1008 (RFC 6455, section
    /// 7.4.1).
    pub fn end_session(&self) {
        self.end(End::SessionOver);
    }

    fn end(&self, end: End) {
        // The first reason is the reason.
        let _ = self.verdict.set(end);
        self.over.cancel();
    }

    /// How the connection is to end, once it is.
    async fn over(&self) -> End {
        self.over.cancelled().await;
        self.verdict.get().copied().unwrap_or(End::Gone)
    }

    /// Waits until the connection ends, or is about to: what goes on by itself stops then.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.ending.clone().cancelled_owned()
    }
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

    /// Takes a connection over.
    pub fn accept(&self, upgrade: WebSocketUpgrade, conversation: impl Conversation) -> Response {
        let Sockets { open, stop } = self.clone();
        // Counted from the answer to the upgrade on, so that a shutdown cannot miss it.
        let token = open.token();
        upgrade
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(MAX_BODY)
            .max_frame_size(MAX_BODY)
            .on_upgrade(move |socket| async move {
                run(socket, Arc::new(conversation), stop).await;
                drop(token);
            })
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The client closed it, or it broke.
    Gone,
    /// The client stayed silent.
    Silent,
    SessionOver,
    /// The client does not take what its subscriptions tell.
    TooSlow,
    MessageTooLarge,
    Stopping,
}

/// An answer on its way out, with the room it takes in the queue.
struct Outgoing {
    text: Utf8Bytes,
    _room: OwnedSemaphorePermit,
}

async fn run(socket: WebSocket, conversation: Arc<impl Conversation>, stop: CancellationToken) {
    let (sink, stream) = socket.split();
    let (queue, queued) = mpsc::channel(MAX_CALLS_PER_CONNECTION);
    let outbox = Outbox::new(queue);
    let said = CancellationToken::new();
    let writer = tokio::spawn(write(sink, queued, outbox.over.clone(), said.clone()));
    let calls = TaskTracker::new();
    let watch = tokio::spawn({
        let (over, outbox) = (conversation.clone().session_over(), outbox.clone());
        async move {
            over.await;
            outbox.end_session();
        }
    });

    let end = read(stream, &conversation, &stop, &calls, &outbox).await;

    // What was asked is answered before the connection closes, unless nobody is there to read it.
    watch.abort();
    outbox.ending.cancel();
    calls.close();
    outbox.going_on.close();
    if !matches!(end, End::Gone) {
        calls.wait().await;
        outbox.going_on.wait().await;
    }
    let last_words = match end {
        End::MessageTooLarge => Some(conversation.too_large()),
        End::Stopping => conversation.farewell(),
        End::Gone | End::Silent | End::SessionOver | End::TooSlow => None,
    };
    if let Some(words) = last_words {
        outbox.send(words).await;
    }
    said.cancel();
    if let Ok(Some(mut sink)) = writer.await {
        let closing = async {
            // After a client's own close frame there is nothing to say but the answer to it, which is waiting already.
            let _ = sink.send(Message::Close(Some(close_frame(end)))).await;
            sink.close().await
        };
        let _ = timeout(WRITE_TIMEOUT, closing).await;
    }
}

/// Reads messages as long as there is room to work on them, and has each worked on in a task of its own.
async fn read(
    mut stream: SplitStream<WebSocket>,
    conversation: &Arc<impl Conversation>,
    stop: &CancellationToken,
    calls: &TaskTracker,
    outbox: &Outbox,
) -> End {
    let places = Arc::new(Semaphore::new(MAX_CALLS_PER_CONNECTION));
    loop {
        let message = tokio::select! {
            () = stop.cancelled() => return End::Stopping,
            end = outbox.over() => return end,
            () = outbox.queue.closed() => return End::Gone,
            message = timeout_at(Instant::now() + SILENCE_TIMEOUT, stream.next()) => message,
        };
        let message: Bytes = match message {
            Err(_) => return End::Silent,
            Ok(Some(Ok(Message::Text(text)))) => text.into(),
            // Some clients send JSON as bytes.
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(Message::Close(_))) | None) => return End::Gone,
            Ok(Some(Err(error))) if is_capacity(&error) => return End::MessageTooLarge,
            Ok(Some(Err(_))) => return End::Gone,
        };
        let calls_in = conversation.calls_in(&message).clamp(1, MAX_CALLS_PER_CONNECTION);
        let needed = u32::try_from(calls_in).unwrap_or(u32::MAX);
        let place = tokio::select! {
            () = stop.cancelled() => return End::Stopping,
            end = outbox.over() => return end,
            () = outbox.queue.closed() => return End::Gone,
            place = places.clone().acquire_many_owned(needed) => place,
        };
        let hearing = conversation.clone().hear(message, outbox.clone());
        calls.spawn(async move {
            hearing.await;
            drop(place);
        });
    }
}

/// Writes answers and pings until all is said and written; answers with the sink, unless the client does not take
/// them.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queued: mpsc::Receiver<Outgoing>,
    over: CancellationToken,
    said: CancellationToken,
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
            () = said.cancelled(), if !queued.is_closed() => {
                // Whoever still has an outbox has nothing to say any more.
                queued.close();
                continue;
            }
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
        End::TooSlow => (close_code::AGAIN, "read too slowly; go on after the last event seen"),
        End::MessageTooLarge => (close_code::SIZE, "the message is too large"),
        End::Stopping => (close_code::AWAY, "the server is stopping"),
    };
    CloseFrame { code, reason: reason.into() }
}
