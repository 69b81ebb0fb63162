//! A line to PostgreSQL that can be cut at a COMMIT, just before or just after the server has carried it out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::Host;

/// The query that ends a transaction, as the protocol has it.
const COMMIT: &[u8] = b"COMMIT\0";

/// Where the next COMMIT's line is cut.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// The server never hears of it.
    TheWayThere,
    /// The server has committed; its answer is lost.
    TheWayBack,
}

impl At {
    const NOWHERE: u8 = 0;

    const fn code(self) -> u8 {
        match self {
            At::TheWayThere => 1,
            At::TheWayBack => 2,
        }
    }
}

/// The line; each connection goes through it on its own.
pub struct Line {
    pub url: String,
    cut: Arc<AtomicU8>,
}

impl Line {
    /// A line to the database at this address.
    pub async fn to(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().expect("a PostgreSQL address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let cut = Arc::new(AtomicU8::new(At::NOWHERE));
        let user = config.get_user().unwrap_or("postgres");
        let database = config.get_dbname().expect("a database");
        let line = Line { url: format!("postgres://{user}@{address}/{database}"), cut: cut.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, config.clone(), cut.clone()));
            }
        });
        line
    }

    /// Cuts the line of whichever connection commits next.
    pub fn cut_next(&self, at: At) {
        self.cut.store(at.code(), Ordering::SeqCst);
    }

    /// Whether the cut has been made.
    pub fn was_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) == At::NOWHERE
    }
}

async fn carry(client: TcpStream, config: tokio_postgres::Config, cut: Arc<AtomicU8>) {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match &config.get_hosts()[0] {
        Host::Unix(directory) => {
            let socket = directory.join(format!(".s.PGSQL.{port}"));
            between(client, UnixStream::connect(socket).await.expect("the cluster's socket"), &cut).await;
        }
        Host::Tcp(host) => {
            between(client, TcpStream::connect((host.as_str(), port)).await.expect("the cluster"), &cut)
                .await;
        }
    }
}

/// Passes bytes on both ways until one side ends, or the line is cut.
async fn between(mut client: TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin, cut: &AtomicU8) {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(size @ 1..) = read else { return };
                let commits = asked[..size].windows(COMMIT.len()).any(|bytes| bytes == COMMIT);
                let at = if commits { cut.swap(At::NOWHERE, Ordering::SeqCst) } else { At::NOWHERE };
                if at == At::TheWayThere.code() {
                    return;
                }
                if server.write_all(&asked[..size]).await.is_err() {
                    return;
                }
                if at == At::TheWayBack.code() {
                    // The server answers once it has committed.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(size @ 1..) = read else { return };
                if client.write_all(&answered[..size]).await.is_err() {
                    return;
                }
            }
        }
    }
}
