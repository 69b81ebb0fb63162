//! What a provider is asked, and how often, whatever it answers. Each test counts the requests that arrived.

use std::time::Duration;

use futures_util::future::join_all;
use procedures::error::{Code, Reason};
use procedures::values::{IdentityProviderId, Moment, OrganizationId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

const CONFIGURATION: &str = "/idp/.well-known/openid-configuration";
const KEYS: &str = "/idp/keys";

/// What a provider answers to a request.
#[derive(Clone)]
enum Answer {
    /// 200 with this body.
    Body(String),
    /// These bytes, whatever they are.
    Bytes(String),
    /// Nothing, and the connection stays open.
    Silence,
    /// Nothing, and the connection is closed.
    Cut,
}

/// An identity provider on this machine.
struct Idp {
    issuer: String,
    told: Arc<Mutex<Told>>,
    serving: JoinHandle<()>,
}

struct Told {
    configuration: Answer,
    keys: Answer,
    /// The paths that were asked for.
    requests: Vec<String>,
}

impl Idp {
    /// One that publishes keys by these ids.
    async fn start(ids: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/idp", listener.local_addr().unwrap());
        let configuration = configuration(&issuer, &format!("{issuer}/keys"));
        let told = Told { configuration, keys: published(ids), requests: Vec::new() };
        let told = Arc::new(Mutex::new(told));
        let serving = tokio::spawn(serve(listener, told.clone()));
        Idp { issuer, told, serving }
    }

    fn provider(&self) -> Provider {
        Provider {
            id: IdentityProviderId::new(),
            organization_id: OrganizationId::new(),
            issuer: self.issuer.clone(),
            audience: "rollbook".into(),
            algorithm: Algorithm::Es256,
            role_claim: None,
            jwks_uri: None,
            created_at: Moment::EPOCH,
            removed_at: None,
            platform: false,
        }
    }

    fn configures(&self, answer: Answer) {
        self.told.lock().unwrap().configuration = answer;
    }

    fn publishes(&self, answer: Answer) {
        self.told.lock().unwrap().keys = answer;
    }

    /// What was asked for since this was asked the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap().requests)
    }

    /// Nobody listens there any more.
    async fn disappear(&self) {
        self.serving.abort();
        while !self.serving.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

async fn serve(listener: TcpListener, told: Arc<Mutex<Told>>) {
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        tokio::spawn(answer(connection, told.clone()));
    }
}

async fn answer(mut connection: TcpStream, told: Arc<Mutex<Told>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = connection.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let answer = {
        let mut told = told.lock().unwrap();
        told.requests.push(path.clone());
        match path.as_str() {
            CONFIGURATION => told.configuration.clone(),
            KEYS => told.keys.clone(),
            _ => Answer::Bytes("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".into()),
        }
    };
    let bytes = match answer {
        Answer::Body(body) => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        Answer::Bytes(bytes) => bytes,
        Answer::Silence => std::future::pending().await,
        Answer::Cut => return,
    };
    // Whoever has read enough hangs up.
    let _ = connection.write_all(bytes.as_bytes()).await;
}

fn configuration(issuer: &str, jwks_uri: &str) -> Answer {
    Answer::Body(
        json!({ "issuer": issuer, "jwks_uri": jwks_uri, "scopes_supported": ["openid"] }).to_string(),
    )
}

fn published(ids: &[&str]) -> Answer {
    Answer::Body(set(ids.iter().map(|id| key(id)).collect()))
}

fn set(keys: Vec<Value>) -> String {
    json!({ "keys": keys }).to_string()
}

/// The key of RFC 7517, appendix A.1, by this id.
fn key(id: &str) -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "kid": id, "use": "sig",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    })
}

/// The ids of the keys at hand.
async fn ids(
    source: &PublishedKeys,
    provider: &Provider,
    wanted: Option<&str>,
) -> Result<Vec<String>, String> {
    match source.keys(provider, wanted).await {
        Ok(keys) => Ok(keys.iter().map(|key| key.id.clone().unwrap_or_default()).collect()),
        Err(error) => {
            assert_eq!(error.code(), Code::ServiceUnavailable);
            assert_eq!(error.reason(), Some(&Reason::Unavailable { outcome: Outcome::NotApplied }));
            Err(error.cause().unwrap().to_string())
        }
    }
}

fn out_of_reach(provider: &Provider) -> Result<Vec<String>, String> {
    Err(format!("the keys of {} are out of reach", provider.issuer))
}

fn having(ids: &[&str]) -> Result<Vec<String>, String> {
    Ok(ids.iter().map(|id| (*id).to_owned()).collect())
}

/// Time passes, but for what is on its way: nothing may be.
async fn passes(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// The answer to the first question to a provider that is like this; with what arrived there.
async fn cold(configured: impl FnOnce(&Idp)) -> (bool, Vec<String>) {
    let idp = Idp::start(&["a"]).await;
    configured(&idp);
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    let first = ids(&source, &provider, Some("a")).await;
    let asked = idp.asked();
    // Whatever it was, it is not asked again.
    assert_eq!(ids(&source, &provider, Some("a")).await, first);
    assert_eq!(idp.asked(), [""; 0]);
    if first.is_err() {
        assert_eq!(first, out_of_reach(&provider));
    }
    (first.is_ok(), asked)
}

#[tokio::test]
async fn once_for_all_who_wait() {
    let idp = Idp::start(&["a", "b"]).await;
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    let wanted = [None, Some("a"), Some("b"), Some("unknown")];
    let all = join_all((0..100).map(|call| ids(&source, &provider, wanted[call % 4]))).await;
    assert!(all.iter().all(|ids| *ids == having(&["a", "b"])));
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);
}

#[tokio::test]
async fn a_registered_address_needs_no_configuration() {
    let idp = Idp::start(&["a"]).await;
    let source = PublishedKeys::new(true);
    let provider = Provider { jwks_uri: Some(format!("{}/keys", idp.issuer)), ..idp.provider() };
    idp.configures(Answer::Cut);
    assert_eq!(ids(&source, &provider, None).await, having(&["a"]));
    assert_eq!(idp.asked(), [KEYS]);

    // Another registration is another question, and what was found for the former is not used.
    let moved = Provider { jwks_uri: Some(format!("{}/elsewhere", idp.issuer)), ..provider.clone() };
    assert_eq!(ids(&source, &moved, None).await, out_of_reach(&moved));
    let other = Provider { algorithm: Algorithm::EdDsa, ..provider };
    assert_eq!(ids(&source, &other, None).await, having(&[]));
    assert_eq!(idp.asked(), ["/idp/elsewhere", KEYS]);
}

/// A slash at the issuer's end is part of its name, but not of where its configuration is.
#[tokio::test]
async fn an_issuer_with_a_slash_at_its_end() {
    let idp = Idp::start(&["a"]).await;
    let provider = Provider { issuer: format!("{}/", idp.issuer), ..idp.provider() };
    idp.configures(configuration(&provider.issuer, &format!("{}/keys", idp.issuer)));
    assert_eq!(ids(&PublishedKeys::new(true), &provider, None).await, having(&["a"]));
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);
}

#[tokio::test]
async fn rotation() {
    let idp = Idp::start(&["a"]).await;
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    assert_eq!(ids(&source, &provider, Some("a")).await, having(&["a"]));
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);
    idp.publishes(published(&["b"]));

    // Unknown ids, however many, do not have it asked any sooner.
    for unknown in ["b", "c", "d"] {
        assert_eq!(ids(&source, &provider, Some(unknown)).await, having(&["a"]));
    }
    passes(28).await;
    assert_eq!(ids(&source, &provider, Some("b")).await, having(&["a"]));
    assert_eq!(idp.asked(), [""; 0]);

    // The new key is there within 31 seconds, and the old one gone: also if that is what is asked for.
    passes(2).await;
    let all = join_all(["a", "b", "c", "d"].map(|id| ids(&source, &provider, Some(id)))).await;
    assert!(all.iter().all(|ids| *ids == having(&["b"])), "{all:?}");
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);
}

#[tokio::test]
async fn not_sooner_after_a_failure() {
    let idp = Idp::start(&["a"]).await;
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    idp.configures(Answer::Cut);
    let all = join_all((0..20).map(|_| ids(&source, &provider, Some("a")))).await;
    assert!(all.iter().all(|ids| *ids == out_of_reach(&provider)));
    assert_eq!(idp.asked(), [CONFIGURATION]);

    idp.configures(configuration(&idp.issuer, &format!("{}/keys", idp.issuer)));
    idp.publishes(Answer::Cut);
    passes(28).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, out_of_reach(&provider));
    assert_eq!(idp.asked(), [""; 0]);
    passes(2).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, out_of_reach(&provider));
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);

    idp.publishes(published(&["a"]));
    passes(28).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, out_of_reach(&provider));
    passes(2).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, having(&["a"]));
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);
}

#[tokio::test]
async fn the_last_good_keys_for_a_day() {
    let idp = Idp::start(&["a"]).await;
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    assert_eq!(ids(&source, &provider, None).await, having(&["a"]));
    idp.asked();
    idp.configures(Answer::Cut);
    passes(31).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, having(&["a"]));
    assert_eq!(ids(&source, &provider, Some("new")).await, having(&["a"]));
    assert_eq!(idp.asked(), [CONFIGURATION]);

    idp.disappear().await;
    passes(23 * 60 * 60).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, having(&["a"]));
    passes(60 * 60).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, out_of_reach(&provider));
    assert_eq!(idp.asked(), [""; 0]);
}

#[tokio::test]
async fn one_that_is_gone() {
    let idp = Idp::start(&["a"]).await;
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    idp.disappear().await;
    assert_eq!(ids(&source, &provider, None).await, out_of_reach(&provider));
}

#[tokio::test]
async fn one_that_is_slow() {
    let idp = Idp::start(&["a"]).await;
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    idp.publishes(Answer::Silence);
    let begun = Instant::now();
    assert_eq!(ids(&source, &provider, None).await, out_of_reach(&provider));
    let took = begun.elapsed().as_secs_f64();
    assert!((4.9..8.0).contains(&took), "{took} s");
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);

    // Whoever has a key that would do does not wait so long, and not again.
    idp.publishes(published(&["a"]));
    passes(31).await;
    assert_eq!(ids(&source, &provider, Some("a")).await, having(&["a"]));
    idp.asked();
    idp.configures(Answer::Silence);
    passes(31).await;
    let begun = Instant::now();
    for most in [3.0, 0.5] {
        let asked = Instant::now();
        assert_eq!(ids(&source, &provider, Some("a")).await, having(&["a"]));
        assert!(asked.elapsed().as_secs_f64() < most);
    }
    // Whoever has another one waits to the end.
    assert_eq!(ids(&source, &provider, Some("new")).await, having(&["a"]));
    let took = begun.elapsed().as_secs_f64();
    assert!((4.9..8.0).contains(&took), "{took} s");
    assert_eq!(idp.asked(), [CONFIGURATION]);
}

/// Whoever asked may go away: what was begun is brought to its end, for the next.
#[tokio::test]
async fn nobody_needs_to_wait_for_it() {
    let idp = Idp::start(&["a"]).await;
    let (source, provider) = (PublishedKeys::new(true), idp.provider());
    let impatient = timeout(Duration::ZERO, source.keys(&provider, None)).await;
    assert!(impatient.is_err());
    assert_eq!(ids(&source, &provider, None).await, having(&["a"]));
    assert_eq!(idp.asked(), [CONFIGURATION, KEYS]);
}

#[tokio::test]
async fn one_that_is_huge() {
    let sized = |size: usize| {
        let keys = set(vec![key("a")]);
        Answer::Body(format!("{keys}{}", " ".repeat(size - keys.len())))
    };
    let most = 64 * 1024;
    assert!(cold(|idp| idp.publishes(sized(most))).await.0);
    assert!(!cold(|idp| idp.publishes(sized(most + 1))).await.0);
    let endless = || Answer::Bytes(format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(1024 * 1024)));
    assert!(!cold(|idp| idp.publishes(endless())).await.0);
    assert_eq!(cold(|idp| idp.configures(endless())).await, (false, vec![CONFIGURATION.to_owned()]));
}

#[tokio::test]
async fn one_with_too_many_keys() {
    let many = |count: usize| Answer::Body(set((0..count).map(|number| key(&number.to_string())).collect()));
    assert!(cold(|idp| idp.publishes(many(32))).await.0);
    assert!(!cold(|idp| idp.publishes(many(33))).await.0);
}

#[tokio::test]
async fn one_that_points_elsewhere() {
    let redirect = |idp: &Idp, to: &str| {
        Answer::Bytes(format!(
            "HTTP/1.1 302 Found\r\nlocation: {}{to}\r\ncontent-length: 0\r\n\r\n",
            idp.issuer
        ))
    };
    let asked = cold(|idp| idp.configures(redirect(idp, "/elsewhere"))).await;
    assert_eq!(asked, (false, vec![CONFIGURATION.to_owned()]));
    let asked = cold(|idp| idp.publishes(redirect(idp, "/elsewhere"))).await;
    assert_eq!(asked, (false, vec![CONFIGURATION.to_owned(), KEYS.to_owned()]));
}

#[tokio::test]
async fn one_that_lies_about_its_issuer() {
    for change in ["/", "/other", "?", " "] {
        let lying =
            |idp: &Idp| configuration(&format!("{}{change}", idp.issuer), &format!("{}/keys", idp.issuer));
        let asked = cold(|idp| idp.configures(lying(idp))).await;
        assert_eq!(asked, (false, vec![CONFIGURATION.to_owned()]), "{change:?}");
    }
}

/// Its keys are nowhere that this server could be led to.
#[tokio::test]
async fn one_that_leads_into_the_network() {
    for address in [
        "http://10.0.0.1/keys",
        "https://10.0.0.1/keys",
        "https://169.254.169.254/keys",
        "http://idp.example/keys",
        "file:///etc/passwd",
        "keys",
        "",
    ] {
        let asked = cold(|idp| idp.configures(configuration(&idp.issuer, address))).await;
        assert_eq!(asked, (false, vec![CONFIGURATION.to_owned()]), "{address}");
    }
    // Nor is this machine trusted outside development mode.
    let idp = Idp::start(&["a"]).await;
    let source = PublishedKeys::new(false);
    let registered = Provider { jwks_uri: Some(format!("{}/keys", idp.issuer)), ..idp.provider() };
    for provider in [idp.provider(), registered] {
        assert_eq!(ids(&source, &provider, None).await, out_of_reach(&provider));
    }
    assert_eq!(idp.asked(), [""; 0]);
}

#[tokio::test]
async fn one_that_answers_something_else() {
    let nothing = "HTTP/1.1 204 No Content\r\n\r\n";
    let error = format!("HTTP/1.1 500 Oops\r\ncontent-length: 11\r\n\r\n{}", r#"{"keys":[]}"#);
    for wrong in [
        Answer::Bytes(nothing.into()),
        Answer::Bytes(error),
        Answer::Bytes("SSH-2.0-OpenSSH\r\n\r\n".into()),
        Answer::Body(String::new()),
        Answer::Body("<html></html>".into()),
        Answer::Body("[]".into()),
        Answer::Body(r#"{"keys":{}}"#.into()),
        Answer::Body("[".repeat(60 * 1024)),
    ] {
        assert!(!cold(|idp| idp.publishes(wrong.clone())).await.0);
        assert!(!cold(|idp| idp.configures(wrong)).await.0);
    }
}

/// What is not for this algorithm, or not known here, does not spoil the rest.
#[tokio::test]
async fn keys_of_other_kinds() {
    let with = |changes: Value| {
        let mut key = key("other");
        for (member, value) in changes.as_object().unwrap() {
            key[member] = value.clone();
        }
        key
    };
    let keys = vec![
        with(json!({ "use": "enc" })),
        with(json!({ "alg": "ES384" })),
        with(json!({ "crv": "P-256K" })),
        with(json!({ "kty": "none" })),
        json!({ "kty": "oct", "kid": "a", "k": "c2VjcmV0" }),
        json!({ "kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB" }),
        json!({ "kty": "XYZ" }),
        json!(null),
        with(json!({ "kid": "a", "alg": "ES256" })),
    ];
    let idp = Idp::start(&[]).await;
    idp.publishes(Answer::Body(set(keys)));
    assert_eq!(ids(&PublishedKeys::new(true), &idp.provider(), None).await, having(&["a"]));
}
