//! The HTTP client that webhooks are sent with: to addresses that organizations name, so it trusts none of them.
//!
//! It follows no redirect, asks no proxy, reads little of an answer, and gives up soon. Each request has a connection of
//! its own, so that a name is resolved, and its addresses judged, each time.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use procedures::webhook::may_be_called;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::limits::{MAX_WEBHOOK_ANSWER, WEBHOOK_CONNECT_TIMEOUT, WEBHOOK_TIMEOUT};

pub struct Client(reqwest::Client);

/// What is sent.
pub struct Message {
    pub id: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    pub signature: String,
    /// JSON.
    pub body: Vec<u8>,
}

impl Client {
    pub fn new(on_loopback: bool) -> Self {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config())
            .dns_resolver(Resolver { on_loopback })
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .https_only(!on_loopback)
            .pool_max_idle_per_host(0)
            .connect_timeout(WEBHOOK_CONNECT_TIMEOUT)
            .timeout(WEBHOOK_TIMEOUT)
            .user_agent(concat!("rollbook/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("its TLS is configured, and it reads no configuration of the system");
        Client(client)
    }

    /// Posts a message to an address that [may be called](procedures::webhook::callable_url); answers with the status, or
    /// with what went wrong, in words that do not tell the address.
    pub async fn post(&self, url: Url, message: Message) -> Result<StatusCode, String> {
        let request = self
            .0
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body);
        let mut response = request.send().await.map_err(problem)?;
        // The status says all; a short answer is heard out, so that its sender is not cut off.
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            if read >= MAX_WEBHOOK_ANSWER {
                break;
            }
        }
        Ok(response.status())
    }
}

/// The innermost cause; those around it say only that there was one, and name the address.
fn problem(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn tls_config() -> ClientConfig {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Finds only addresses that may be called. A literal address is never resolved: it is judged with its URL.
struct Resolver {
    on_loopback: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(addresses(name, self.on_loopback))
    }
}

async fn addresses(name: Name, on_loopback: bool) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    // The port is that of the URL, whatever is said here.
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    let called: Vec<SocketAddr> = found.filter(|found| may_be_called(found.ip(), on_loopback)).collect();
    match called.is_empty() {
        true => Err("its name stands for no public address".into()),
        false => Ok(Box::new(called.into_iter())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    fn message() -> Message {
        Message { id: "id".into(), timestamp: 1, signature: "v1,".into(), body: b"{}".to_vec() }
    }

    /// Posts to a receiver that answers so; with what the receiver then makes of it.
    async fn posted<T>(answer: impl AsyncFnOnce(TcpStream) -> T) -> (Result<StatusCode, String>, T) {
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/hook?token=hidden", receiver.local_addr().unwrap().port());
        let client = Client::new(true);
        let answering = async {
            let (mut connection, _) = receiver.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n{}") {
                head.push(connection.read_u8().await.unwrap());
            }
            answer(connection).await
        };
        tokio::join!(client.post(url.parse().unwrap(), message()), answering)
    }

    #[tokio::test]
    async fn names_are_judged_by_their_addresses() {
        let resolved = |on_loopback| Resolver { on_loopback }.resolve("localhost".parse().unwrap());
        assert!(resolved(true).await.unwrap().all(|address| address.ip().is_loopback()));
        let refused = resolved(false).await.err().unwrap();
        assert_eq!(refused.to_string(), "its name stands for no public address");
        let sent = Client::new(false).post("https://localhost:1/".parse().unwrap(), message()).await;
        assert_eq!(sent, Err("its name stands for no public address".into()));
    }

    #[tokio::test]
    async fn a_long_answer_is_not_read_to_its_end() {
        let (sent, written) = posted(async |mut connection| {
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut written = 0;
            while connection.write_all(&[b'x'; 1024]).await.is_ok() {
                written += 1024;
            }
            written
        })
        .await;
        assert_eq!(sent, Ok(StatusCode::OK));
        assert!(written >= MAX_WEBHOOK_ANSWER);
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_without_the_address() {
        let (cut, ()) = posted(async |connection| drop(connection)).await;
        let (garbled, ()) = posted(async |mut connection| {
            connection.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").await.unwrap();
        })
        .await;
        let nobody = "http://127.0.0.1:1/?token=hidden".parse().unwrap();
        let refused = Client::new(true).post(nobody, message()).await;
        for problem in [cut, garbled, refused] {
            let problem = problem.unwrap_err();
            assert!(!problem.is_empty(), "{problem}");
            for part in ["token", "localhost", "127.0.0.1"] {
                assert!(!problem.contains(part), "{problem}");
            }
        }
    }
}
