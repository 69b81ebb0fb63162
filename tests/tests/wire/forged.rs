//! Forged tokens, on every wire, over HTTP, over the upgrade to a WebSocket and over its connection parameters. Most are signed with the issuer's real key, so that
//! nothing but what is wrong with them can be the reason that they are refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use p256::ecdsa::Signature;
use p256::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::http::request;
use crate::mint::{Mint, encoded, merged, new_key};
use crate::shape::{assert_refused, code_of};
use crate::site::{Client, Site};
use crate::socket::{Socket, upgrade_at};
use crate::{on_both, on_sqlite};

on_both![forgeries_are_refused_alike, other_spellings_of_a_valid_session];
on_sqlite![no_forgery_has_a_provider_asked];

/// How often a provider is asked for its keys at most, whoever calls.
const KEYS_COOL_DOWN: Duration = Duration::from_secs(30);

/// `Authorization` with each forgery, by what is wrong with it.
async fn forgeries(site: &Site, mint: &Mint) -> BTreeMap<String, String> {
    let mut tokens = of_headers(mint);
    tokens.extend(of_claims(mint, site).await);
    tokens.extend(of_forms(mint));
    let mut values = borne(tokens);
    let token = mint.token();
    for (name, value) in [
        ("basic scheme", format!("Basic {token}")),
        ("no scheme", token.clone()),
        ("only a scheme", "Bearer".into()),
        ("a scheme and a tab", format!("Bearer\t{token}")),
        ("two schemes", format!("Bearer Bearer {token}")),
        ("two tokens", format!("Bearer {token}, Bearer {token}")),
        ("quoted", format!("Bearer \"{token}\"")),
        ("empty", String::new()),
        ("bytes beyond ASCII", format!("Bearer {token}\u{e9}")),
        // Each of which would do.
        (TWO_HEADERS, format!("Bearer {token}\r\nauthorization: Bearer {token}")),
    ] {
        values.insert(name.into(), value);
    }
    values
}

const TWO_HEADERS: &str = "two headers";

fn borne(tokens: Vec<(String, String)>) -> BTreeMap<String, String> {
    tokens.into_iter().map(|(name, token)| (name, format!("Bearer {token}"))).collect()
}

fn of_headers(mint: &Mint) -> Vec<(String, String)> {
    let own = new_key();
    let own_jwk = mint.jwk(&own);
    let elsewhere = |path: &str| format!("{}/{path}", mint.elsewhere);
    let public = mint.key.public_key();
    let public_pem = public.to_public_key_pem(LineEnding::LF).expect("a key");
    let public_der = public.to_public_key_der().expect("a key");
    let unsigned = |alg: &str| {
        let header = merged(&mint.header, json!({ "alg": alg }));
        format!("{}.{}.", encoded(&header.to_string()), encoded(&mint.claims.to_string()))
    };
    let with_own_key = |members: Value| {
        mint.sign(&merged(&mint.header, members).to_string(), &mint.claims.to_string(), &own)
    };
    let header = mint.header.to_string();
    let with_header = |header: &str| mint.sign(header, &mint.claims.to_string(), &mint.key);
    let mut tokens = vec![
        ("hs256 with the public key in pem".into(), mint.hmac(public_pem.as_bytes())),
        ("hs256 with the public key in der".into(), mint.hmac(public_der.as_bytes())),
        ("hs256 with the public point".into(), mint.hmac(&public.to_sec1_bytes())),
        ("hs256 with nothing".into(), mint.hmac(b"")),
        ("another's key".into(), with_own_key(json!({}))),
        ("another's key and no kid".into(), with_own_key(json!({ "kid": null }))),
        ("no alg".into(), mint.header(json!({ "alg": null }))),
        ("alg is a list".into(), mint.header(json!({ "alg": ["ES256"] }))),
        ("a number as kid".into(), mint.header(json!({ "kid": 1 }))),
        ("crit".into(), mint.header(json!({ "crit": ["exp"] }))),
        ("crit that is empty".into(), mint.header(json!({ "crit": [] }))),
        ("b64 false".into(), mint.header(json!({ "b64": false }))),
        ("b64 false in crit".into(), mint.header(json!({ "b64": false, "crit": ["b64"] }))),
        ("compressed".into(), mint.header(json!({ "zip": "DEF" }))),
        ("jwk".into(), with_own_key(json!({ "jwk": own_jwk }))),
        ("jwk without kid".into(), with_own_key(json!({ "jwk": own_jwk, "kid": null }))),
        ("jwk beside the real key".into(), mint.header(json!({ "jwk": own_jwk }))),
        ("jku".into(), with_own_key(json!({ "jku": elsewhere("jku") }))),
        ("x5u".into(), with_own_key(json!({ "x5u": elsewhere("x5u") }))),
        ("jku beside the real key".into(), mint.header(json!({ "jku": elsewhere("jku") }))),
        ("x5u beside the real key".into(), mint.header(json!({ "x5u": elsewhere("x5u") }))),
        ("x5c".into(), with_own_key(json!({ "x5c": [STANDARD.encode(public_der.as_bytes())] }))),
        ("a null crit".into(), with_header(&format!("{},\"crit\":null}}", header.trim_end_matches('}')))),
        ("the header is a list".into(), with_header("[]")),
        ("the header is empty".into(), with_header("{}")),
        ("alg twice".into(), with_header(r#"{"alg":"none","alg":"ES256"}"#)),
    ];
    for alg in ["none", "None", "NONE", "nOnE", "", "ES256"] {
        tokens.push((format!("unsigned, alg {alg:?}"), unsigned(alg)));
    }
    for alg in ["none", "HS256", "RS256", "PS256", "ES384", "EdDSA", "es256"] {
        tokens.push((format!("signed, alg {alg}"), mint.header(json!({ "alg": alg }))));
    }
    let key = elsewhere("key");
    let kids = ["", "other", "../../../../dev/null", "/proc/self/environ", &key, "' OR 1=1 --"];
    for kid in kids {
        tokens.push((format!("kid {kid:?}"), mint.header(json!({ "kid": kid }))));
    }
    tokens
}

async fn of_claims(mint: &Mint, site: &Site) -> Vec<(String, String)> {
    let globex = site.person_of("globex", "wire-stranger", "admin").await;
    let payload = globex.token.split('.').nth(1).expect("three parts");
    let globex: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON");
    let issuer = mint.claims["iss"].as_str().expect("a text");
    let now = mint.claims["iat"].as_i64().expect("a number");
    let iss = [
        ("another organization's", globex["iss"].clone()),
        ("an unknown", json!("https://issuer.example/")),
        ("an empty", json!("")),
        ("one with U+0000", json!("issuer\u{0}")),
        ("one with U+0000 after the real", json!(format!("{issuer}\u{0}"))),
        ("a list as", json!([issuer])),
        ("a number as", json!(1)),
        ("one with a slash more as", json!(format!("{issuer}/"))),
        ("one in capitals as", json!(issuer.to_uppercase())),
        ("a very long", json!("x".repeat(5000))),
        ("no", Value::Null),
    ];
    let aud = [
        ("another", json!("other")),
        ("one in capitals as", json!("ROLLBOOK")),
        ("an empty", json!("")),
        ("an empty list as", json!([])),
        ("a list of others as", json!(["other", "rollbook2"])),
        ("an object as", json!({ "rollbook": true })),
        ("no", Value::Null),
    ];
    let sub = [
        ("no", Value::Null),
        ("an empty", json!("")),
        ("a blank", json!("  ")),
        ("a number as", json!(1)),
        ("a list as", json!(["wire-forged"])),
        ("one of 256 characters as", json!("s".repeat(256))),
        ("one with U+0000 as", json!("wire\u{0}forged")),
    ];
    let exp = [
        ("no", Value::Null),
        ("a past", json!(now - 31)),
        ("a zero as", json!(0)),
        ("a negative", json!(-1)),
        ("a text as", json!((now + 600).to_string())),
        ("a huge", json!(1e300)),
        ("a boolean as", json!(true)),
    ];
    let nbf = [("a future", json!(now + 120)), ("a text as", json!("1")), ("a huge", json!(1e300))];
    let claims: [(&str, &[(&str, Value)]); 5] =
        [("iss", &iss), ("aud", &aud), ("sub", &sub), ("exp", &exp), ("nbf", &nbf)];
    let mut tokens = Vec::new();
    for (claim, values) in claims {
        for (what, value) in values {
            tokens.push((format!("{what} {claim}"), mint.claims(json!({ claim: value }))));
        }
    }
    let whole = mint.claims.to_string();
    let open = whole.trim_end_matches('}');
    for (name, claims) in [
        ("exp beyond all numbers", format!("{open},\"nbf\":1e999}}")),
        ("sub twice", format!("{open},\"sub\":\"ada\"}}")),
        ("exp twice", format!("{open},\"exp\":{}}}", now + 900)),
        ("iss twice", format!("{open},\"iss\":\"{issuer}\"}}")),
        ("claims that are a list", format!("[{whole}]")),
        ("claims that are none", "null".into()),
        ("claims that are not JSON", "sub=ada".into()),
        ("no claims", String::new()),
        ("more after the claims", format!("{whole}{whole}")),
    ] {
        tokens.push((name.into(), mint.raw_claims(&claims)));
    }
    tokens
}

fn of_forms(mint: &Mint) -> Vec<(String, String)> {
    let token = mint.token();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let signed = format!("{header}.{claims}");
    let raw = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let der = Signature::from_slice(&raw).expect("a signature").to_der();
    let other_claims = encoded(&merged(&mint.claims, json!({ "sub": "ada" })).to_string());
    let signature_of = |bytes: &[u8]| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes));
    let mut flipped = raw.clone();
    flipped[40] ^= 1;
    let long = mint.claims(json!({ "more": "x".repeat(9000) }));
    [
        ("other claims under the signature", format!("{header}.{other_claims}.{signature}")),
        ("a bit of the signature flipped", signature_of(&flipped)),
        ("the signature cut short", signature_of(&raw[..63])),
        ("half of the signature", signature_of(&raw[..32])),
        ("the signature made longer", signature_of(&[raw.as_slice(), &[0]].concat())),
        ("the signature twice", signature_of(&[raw.as_slice(), &raw].concat())),
        ("the signature in DER", signature_of(der.as_bytes())),
        ("a signature of zeros", signature_of(&[0; 64])),
        ("a signature of ones", signature_of(&[0xff; 64])),
        ("an empty signature", format!("{signed}.")),
        ("two parts", signed.clone()),
        ("one part", header.to_owned()),
        ("four parts", format!("{token}.")),
        ("five parts", format!("{token}.{header}.{claims}")),
        ("only dots", "..".into()),
        ("a part too many in front", format!(".{token}")),
        ("an empty header", format!(".{claims}.{signature}")),
        ("empty claims", format!("{header}..{signature}")),
        ("padding", format!("{signed}.{}", URL_SAFE.encode(&raw))),
        ("a space in it", format!("{header}. {claims}.{signature}")),
        ("a tab in it", format!("{signed}\t.{signature}")),
        ("a percent sign in it", format!("{signed}%2e{signature}")),
        ("longer than a token may be", long),
        ("rbs_ and nothing", "rbs_".into()),
        ("rbs_ and garbage", format!("rbs_{}", "0".repeat(64))),
        ("rbs_ and a text", "rbs_' OR 1=1 --".into()),
        ("rbs_ and a token", format!("rbs_{token}")),
        ("RBS_", format!("RBS_{}", "0".repeat(64))),
        ("garbage", "garbage".into()),
        ("null", "null".into()),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into()
}

async fn forgeries_are_refused_alike(site: Site) {
    let mint = Mint::of(&site).await;
    let forgeries = forgeries(&site, &mint).await;
    assert!(forgeries.len() >= 100, "{} forgeries", forgeries.len());

    // The issuer's own token is accepted, so it is the forgery that is refused.
    let genuine = Client::bearing(site.address(), &mint.token());
    let person = genuine.ok("session.me", json!({})).await;
    let in_params = assert_refused_alike(&site, &forgeries).await;
    assert!(in_params >= 90, "{in_params} forgeries");
    assert_eq!(genuine.ok("session.me", json!({})).await, person, "a forgery has changed who it is");
}

/// Of a provider that publishes its keys over the network: it is asked for them once, because of a genuine token, and
/// nothing that a forgery names is called.
async fn no_forgery_has_a_provider_asked(site: Site) {
    let publisher = Publisher::start().await;
    let mint = &publisher.mint;
    let admin = json!({ "organization": "acme", "subject": "wire-global", "globalAdmin": true });
    let provider = json!({
        "issuer": mint.claims["iss"],
        "audience": mint.claims["aud"],
        "algorithm": mint.header["alg"],
        "jwksUri": format!("{}{KEYS}", mint.elsewhere),
    });
    site.signed_in(&admin).await.ok("organization.setIdentityProvider", provider).await;

    // What it takes no key to refuse is refused while there is none.
    let without_a_key = borne(of_claims(mint, &site).await);
    assert_refused_alike(&site, &without_a_key).await;
    assert_eq!(publisher.asked(), [""; 0]);

    let begun = Instant::now();
    let genuine = Client::bearing(site.address(), &mint.token());
    let person = genuine.ok("session.me", json!({})).await;
    let once = format!("GET {KEYS} HTTP/1.1");
    assert_eq!(publisher.asked(), [once.as_str()]);

    let forgeries = forgeries(&site, mint).await;
    assert!(forgeries.len() >= 60, "{} forgeries", forgeries.len());
    let in_params = assert_refused_alike(&site, &forgeries).await;
    assert!(in_params >= 60, "{in_params} forgeries");
    let asked = publisher.asked();
    // On a slow day its keys have been renewed meanwhile.
    let renewals = begun.elapsed().as_secs() / KEYS_COOL_DOWN.as_secs();
    assert!(asked.len() as u64 <= 1 + renewals && asked.iter().all(|line| *line == once), "{asked:?}");
    assert_eq!(genuine.ok("session.me", json!({})).await, person, "a forgery has changed who it is");
}

/// Fails unless each of these is refused on every wire, in the same words but for the request's id; how many were told
/// over connection parameters too.
async fn assert_refused_alike(site: &Site, forgeries: &BTreeMap<String, String>) -> usize {
    let nobody = Client::anonymous(site.address());
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "session.me" }).to_string();
    let (mut over_http, mut over_trpc, mut over_upgrade) = (Vec::new(), Vec::new(), Vec::new());
    let mut over_params = Vec::new();
    for (name, authorization) in forgeries {
        let client = presenting(site, authorization);
        let answer = client.post(call.as_bytes()).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{name}");
        assert_refused(&answer.json(), &json!(7), "UNAUTHORIZED");
        over_http.push((name, told(&answer.body)));

        let answer = request(site.address(), "GET", "/trpc/session.me", &client.headers, b"").await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{name}");
        assert_eq!(code_of(&answer.json()["error"]), "UNAUTHORIZED");
        over_trpc.push((name, told(&answer.body)));

        for path in ["/rpc", "/trpc"] {
            let answer = upgrade_at(&client, path, &[]).await;
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{name}");
            assert_eq!(code_of(&answer.json()["error"]), "UNAUTHORIZED");
            over_upgrade.push((name, told(&answer.body)));
        }

        if let Some(token) = authorization.strip_prefix("Bearer ").filter(|_| name != TWO_HEADERS) {
            let mut socket = Socket::open_at(&nobody, "/trpc?connectionParams=1").await;
            let params = json!({ "method": "connectionParams", "data": { "token": token } });
            socket.send_json(&params).await;
            let Message::Text(answer) = socket.message().await else { panic!("{name} is not answered") };
            let parsed: Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!(code_of(&parsed["error"]), "UNAUTHORIZED", "{name}");
            over_params.push((name, told(answer.as_bytes())));
        }
    }
    let in_params = over_params.len();
    for answers in [over_http, over_trpc, over_upgrade, over_params] {
        for (name, answer) in &answers {
            assert_eq!(answer, &answers[0].1, "{name} is told something else than {}", answers[0].0);
        }
    }
    let log = site.server.log();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    in_params
}

/// An answer letter by letter, but for the request's id.
fn told(body: &[u8]) -> String {
    let text = String::from_utf8(body.to_vec()).expect("a text");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let id = answer["error"]["data"]["requestId"].as_str().expect("an id");
    text.replace(id, "")
}

/// Where a provider on this machine has its keys.
const KEYS: &str = "/keys";

/// A provider on this machine that publishes a key, and notes what it is asked for.
struct Publisher {
    mint: Mint,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Publisher {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mint = Mint::of_issuer_at(&format!("http://{}", listener.local_addr().expect("its address")));
        let keys = json!({ "keys": [mint.jwk(&mint.key)] }).to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", keys.len());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = asked.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let mut lines = BufReader::new(connection).lines();
                let first = lines.next_line().await.ok().flatten();
                // A connection counts, whatever is said over it.
                noted.lock().expect("no test has failed").push(first.unwrap_or_default());
                while lines.next_line().await.is_ok_and(|line| line.is_some_and(|line| !line.is_empty())) {}
                let answered = lines.get_mut().write_all(format!("{head}{keys}").as_bytes()).await;
                answered.expect("the server listens");
            }
        });
        Publisher { mint, asked }
    }

    /// The first lines of all requests so far.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test has failed").clone()
    }
}

async fn other_spellings_of_a_valid_session(site: Site) {
    let mint = Mint::of(&site).await;
    let now = mint.claims["iat"].as_i64().expect("a number");
    let issuer = &mint.claims["iss"];
    let token = mint.token();
    for (name, authorization) in [
        ("as it is", format!("Bearer {token}")),
        ("lower case", format!("bearer {token}")),
        ("upper case", format!("BEARER {token}")),
        ("expired within the leeway", format!("Bearer {}", mint.claims(json!({ "exp": now - 20 })))),
        ("soon valid, within the leeway", format!("Bearer {}", mint.claims(json!({ "nbf": now + 20 })))),
        ("a fraction of a second", format!("Bearer {}", mint.claims(json!({ "exp": now as f64 + 60.5 })))),
        ("one of several audiences", format!("Bearer {}", mint.claims(json!({ "aud": ["x", "rollbook"] })))),
        // An issuer with one key need not name it (RFC 7515, section 4.1.4).
        ("no kid", format!("Bearer {}", mint.header(json!({ "kid": null })))),
        ("other claims", format!("Bearer {}", mint.claims(json!({ "azp": [issuer], "org": "globex" })))),
    ] {
        let client = presenting(&site, &authorization);
        let me = client.call("session.me", json!({})).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((&me["role"], &me["kind"]), (&json!("learner"), &json!("user")), "{name}");
        let answer = Socket::open(&client).await.call("session.me", json!({})).await;
        assert_eq!(answer["result"], me, "{name}");
    }
}

fn presenting(site: &Site, authorization: &str) -> Client {
    let headers = vec![crate::http::header("authorization", authorization)];
    Client { headers, ..Client::anonymous(site.address()) }
}
