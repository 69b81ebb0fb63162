//! The HTTP client that webhooks are sent with: it calls [`outside`], reads little of an answer, and gives up soon.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use url::Url;

use crate::limits::{MAX_WEBHOOK_ANSWER, WEBHOOK_CONNECT_TIMEOUT, WEBHOOK_TIMEOUT};
use crate::outside::{self, Patience, problem};

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
    pub fn new(trusts_loopback: bool) -> Self {
        let patience = Patience { connecting: WEBHOOK_CONNECT_TIMEOUT, altogether: WEBHOOK_TIMEOUT };
        Client(outside::client(trusts_loopback, patience))
    }

    /// Posts a message to an address that [may be called](procedures::outside::callable_url); answers with the status, or
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
