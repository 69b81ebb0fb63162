//! Sockets: accepting them, bounding what each may cost in time, and letting go of them at shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::addresses::Peer;
use crate::answer;
use crate::limits::{ACCEPT_REST, HEAD_TIMEOUT, IDLE_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD, WRITE_TIMEOUT};
use crate::metrics::OpenConnection;

/// Serves `app` on every connection until `stop`; then takes no new ones, and ends those that are idle. The
/// connections still busy are in `connections`.
pub async fn accept(listener: TcpListener, app: Router, connections: &TaskTracker, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
            let (stream, peer) = listener.accept().await?;
            io::Result::Ok((stream, Peer(peer.ip()), place))
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                // A client that is gone without a word is noticed by what it does not acknowledge.
                #[cfg(target_os = "linux")]
                if let Err(error) = SockRef::from(&stream).set_tcp_user_timeout(Some(WRITE_TIMEOUT)) {
                    tracing::debug!(%error, "a connection has no timeout of its own");
                }
                let stream = TimedStream::new(stream, place);
                connections.spawn(serve(stream, peer, app.clone(), connections.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn serve(
    stream: TimedStream,
    peer: Peer,
    app: Router,
    answering: TaskTracker,
    stop: CancellationToken,
) {
    let phase = stream.phase.clone();
    let io = TokioIo::new(stream);
    let service = service_fn(move |request: Request<Incoming>| {
        phase.set(Phase::ANSWERING);
        let received = Arc::new(AtomicBool::new(request.body().is_end_stream()));
        let mut request = request.map(|body| WatchedBody { body, received: received.clone() });
        request.extensions_mut().insert(peer);
        // In a task of its own: a client that goes away drops the answer, not what it has asked for.
        let (phase, answer) = (phase.clone(), answering.spawn(app.clone().call(request)));
        async move {
            let mut answer = match answer.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(never)) => match never {},
                Err(panic) => answer::panicked(Box::new(panic)),
            };
            if !received.load(Ordering::Relaxed) {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            phase.set(match answer.status() {
                StatusCode::SWITCHING_PROTOCOLS => Phase::UPGRADED,
                _ => Phase::IDLE,
            });
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .half_close(true)
        .max_buf_size(MAX_HEAD)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A request's body that notes when all of it has been received. A connection on which some has not cannot be used
/// for another request, which its client is told.
struct WatchedBody {
    body: Incoming,
    received: Arc<AtomicBool>,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || this.body.is_end_stream() {
            this.received.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a connection is at.
#[derive(Default)]
struct Phase(AtomicU8);

impl Phase {
    /// Receiving a request's head; so a connection begins.
    const HEAD: u8 = 0;
    /// Having a request answered, whose body has a limit of its own.
    const ANSWERING: u8 = 1;
    /// Between two requests, which hyper's own timer bounds.
    const IDLE: u8 = 2;
    /// Not HTTP any more, but a WebSocket, which has limits of its own.
    const UPGRADED: u8 = 3;

    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that fails when a request's head, or the client's reading, takes too long.
struct TimedStream {
    stream: TcpStream,
    phase: Arc<Phase>,
    head_deadline: Pin<Box<Sleep>>,
    /// Armed while a write waits for the client.
    write_deadline: Option<Pin<Box<Sleep>>>,
    /// Its place among [`MAX_CONNECTIONS`], which an upgrade does not give up.
    _place: OwnedSemaphorePermit,
    _open: OpenConnection,
}

impl TimedStream {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        TimedStream {
            stream,
            phase: Arc::default(),
            head_deadline: Box::pin(tokio::time::sleep(HEAD_TIMEOUT)),
            write_deadline: None,
            _place: place,
            _open: OpenConnection::counted(),
        }
    }

    /// Lets a write wait for the client no longer than [`WRITE_TIMEOUT`].
    fn bound_write<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let deadline = self.write_deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_TIMEOUT)));
        match deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        match (&read, this.phase.get()) {
            (Poll::Ready(_), Phase::IDLE) => {
                this.phase.set(Phase::HEAD);
                this.head_deadline.as_mut().reset(Instant::now() + HEAD_TIMEOUT);
                read
            }
            (Poll::Pending, Phase::HEAD) => match this.head_deadline.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
            _ => read,
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.bound_write(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        this.bound_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.bound_write(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
