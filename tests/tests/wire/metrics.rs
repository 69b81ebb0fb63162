//! `GET /metrics`: what it says is true, has the text form's shape, and tells nobody's secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use procedures::Database;
use procedures::db::PoolSizes;
use procedures::metric::{METRICS, Shape};
use serde_json::{Value, json};
use tests::Kind;
use tokio::time::timeout;

use crate::http::{Connection, request};
use crate::shape::code_of;
use crate::site::{Client, Site};
use crate::socket::Socket;
use crate::{on_both, on_postgres, on_sqlite};

on_both![calls_are_counted_by_procedure_and_code, the_whole_is_known_beforehand];
on_sqlite![subscriptions_are_counted_as_they_begin, only_by_get];
on_postgres![there_while_the_database_is_out_of_reach];

async fn calls_are_counted_by_procedure_and_code(site: Site) {
    let course = site.course(1).await;
    let lena = site.person("wire-learner", "learner").await;
    let input = json!({ "courseId": course });
    let before = Exposition::of(&site).await;

    lena.ok("enrollment.enroll", input.clone()).await;
    assert_eq!(code_of(&lena.refused("enrollment.enroll", input.clone()).await), "CONFLICT");
    assert_eq!(by_trpc(&lena, "enrollment.enroll", &input).await, 409);
    assert_eq!(by_trpc(&lena, "enrollment.unenroll", &input).await, 200);
    assert_eq!(code_of(&lena.refused("enrollment.enroll", json!({})).await), "BAD_REQUEST");
    // Both wires' WebSockets too.
    let mut socket = Socket::open(&lena).await;
    assert_eq!(socket.call("session.me", json!({})).await["result"]["userId"], lena.user_id);
    let mut socket = Socket::open_at(&lena, "/trpc").await;
    socket.send_json(&json!({ "id": 1, "method": "query", "params": { "path": "session.me" } })).await;
    assert_eq!(socket.next().await["result"]["data"]["userId"], lena.user_id);

    let after = Exposition::of(&site).await;
    for (procedure, code, calls) in [
        ("enrollment.enroll", "OK", 1.0),
        ("enrollment.enroll", "CONFLICT", 2.0),
        ("enrollment.enroll", "BAD_REQUEST", 1.0),
        ("enrollment.unenroll", "OK", 1.0),
        ("enrollment.unenroll", "CONFLICT", 0.0),
        ("session.me", "OK", 2.0),
    ] {
        let labels = [("procedure", procedure), ("code", code)];
        let counted = after.count("rollbook_calls_total", &labels);
        assert_eq!(counted - before.count("rollbook_calls_total", &labels), calls, "{procedure} {code}");
    }
    for (procedure, calls) in [("enrollment.enroll", 4.0), ("enrollment.unenroll", 1.0), ("session.me", 2.0)]
    {
        let labels = [("procedure", procedure)];
        let timed = after.count("rollbook_call_duration_seconds_count", &labels);
        assert_eq!(
            timed - before.count("rollbook_call_duration_seconds_count", &labels),
            calls,
            "{procedure}"
        );
        assert!(after.count("rollbook_call_duration_seconds_sum", &labels) > 0.0, "{procedure}");
    }

    // What else a server does commits meanwhile, too.
    let grown = |name, labels: &[_]| after.count(name, labels) - before.count(name, labels);
    assert!(grown("rollbook_transactions_total", &[("outcome", "committed")]) >= 2.0);
    assert_eq!(grown("rollbook_transactions_total", &[("outcome", "unknown")]), 0.0);
    assert!(grown("rollbook_batch_commands_count", &[]) >= 2.0);
    assert!(after.count("rollbook_connections", &[]) >= 2.0, "two WebSockets are open");
}

/// Every metric of the table and no other; histograms with their buckets; and no label with a value that is not known
/// beforehand, so none that could be an id, an address or a tenant's.
async fn the_whole_is_known_beforehand(site: Site) {
    let course = site.course(1).await;
    let lena = site.person("wire-learner", "learner").await;
    lena.ok("enrollment.enroll", json!({ "courseId": course })).await;
    lena.refused("enrollment.get", json!({ "enrollmentId": course })).await;
    let told = Exposition::of(&site).await;

    let kind = |shape: Shape| match shape {
        Shape::Counter => "counter",
        Shape::Gauge => "gauge",
        Shape::Histogram(_) => "histogram",
    };
    let expected: BTreeMap<String, String> =
        METRICS.iter().map(|metric| (metric.name.to_owned(), kind(metric.shape).to_owned())).collect();
    assert_eq!(told.kinds, expected);
    assert_eq!(told.described, expected.keys().cloned().collect::<BTreeSet<_>>(), "each has its help");

    let router = procedures::router();
    for sample in &told.samples {
        for (label, value) in &sample.labels {
            let known = match label.as_str() {
                "procedure" => router.find(value).is_some(),
                "code" => {
                    ["OK", "BAD_REQUEST", "FORBIDDEN", "NOT_FOUND", "CONFLICT"].contains(&value.as_str())
                }
                "pool" => ["shared", "readers", "writer"].contains(&value.as_str()),
                "state" => ["inUse", "idle", "most"].contains(&value.as_str()),
                "reader" => ["webhook", "mail", "seal"].contains(&value.as_str()),
                "channel" => ["webhook", "mail"].contains(&value.as_str()),
                "by" => ["address", "caller"].contains(&value.as_str()),
                "sweep" => ["expiry", "closed waitlists", "reminders"].contains(&value.as_str()),
                "outcome" => ["committed", "rolledBack", "unknown", "delivered", "failed", "dead"]
                    .contains(&value.as_str()),
                "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                _ => false,
            };
            assert!(known, "{label}={value:?} of {}", sample.name);
        }
    }
    for metric in METRICS {
        if let Shape::Histogram(bounds) = metric.shape {
            told.has_buckets(metric.name, bounds);
        }
    }

    let most: Vec<(&str, f64)> = match site.kind {
        Kind::Postgres => vec![("shared", 16.0)],
        Kind::Sqlite => vec![("readers", 4.0), ("writer", 1.0)],
    };
    for (pool, most) in most {
        let of = |state| told.count("rollbook_pool_connections", &[("pool", pool), ("state", state)]);
        assert_eq!(of("most"), most);
        assert!(of("inUse") + of("idle") <= most);
    }
    for reader in ["webhook", "mail", "seal"] {
        assert!(told.count("rollbook_events_behind", &[("reader", reader)]) >= 0.0, "{reader}");
    }
    for channel in ["webhook", "mail"] {
        assert_eq!(told.count("rollbook_deliveries_pending", &[("channel", channel)]), 0.0, "{channel}");
        for outcome in ["delivered", "failed", "dead"] {
            let labels = [("channel", channel), ("outcome", outcome)];
            assert_eq!(told.value("rollbook_deliveries_total", &labels), Some(0.0), "from the beginning");
        }
    }
}

async fn subscriptions_are_counted_as_they_begin(site: Site) {
    let course = site.course(1).await;
    let carol = site.person("wire-coordinator", "coordinator").await;
    let labels = |code| [("procedure", "enrollment.onChange"), ("code", code)];
    let mut socket = Socket::open_at(&carol, "/trpc").await;
    let subscription = |id: u32, input: Value| {
        let params = json!({ "path": "enrollment.onChange", "input": input });
        json!({ "id": id, "method": "subscription", "params": params })
    };
    socket.send_json(&subscription(1, json!({ "courseId": course }))).await;
    assert_eq!(socket.next().await["result"]["type"], "started");
    socket.send_json(&subscription(2, json!({ "courseId": 1 }))).await;
    assert_eq!(code_of(&socket.next().await["error"]), "BAD_REQUEST");
    let told = Exposition::of(&site).await;
    assert_eq!(told.value("rollbook_calls_total", &labels("OK")), Some(1.0), "while it goes on");
    assert_eq!(told.value("rollbook_calls_total", &labels("BAD_REQUEST")), Some(1.0));
}

async fn only_by_get(site: Site) {
    let answer = site.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let posted = request(site.address(), "POST", "/metrics", &[], b"").await;
    assert_eq!((posted.status, code_of(&posted.json()["error"])), (405, "METHOD_NOT_SUPPORTED"));
    assert_eq!(posted.header("allow"), Some("GET,HEAD"));
    let mut connection = Connection::open(site.address()).await;
    connection.send_head("HEAD", "/metrics", &[]).await;
    assert_eq!(connection.head().await.status, 200);
}

/// Nobody is let into the database any more, and whoever is in is thrown out.
async fn there_while_the_database_is_out_of_reach(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    lena.ok("session.me", json!({})).await;
    let before = Exposition::of(&site).await;
    assert!(before.value("rollbook_events_behind", &[("reader", "seal")]).is_some_and(f64::is_finite));

    let name = database_of(&site.database_url);
    administrate(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let thrown_out =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    administrate(&thrown_out).await;
    let gone = async {
        while lena.call("session.me", json!({})).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("the database is out of reach");
    assert_eq!(code_of(&lena.refused("session.me", json!({})).await), "SERVICE_UNAVAILABLE");

    let asked = Instant::now();
    let told = Exposition::of(&site).await;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    for reader in ["webhook", "mail", "seal"] {
        let behind = told.value("rollbook_events_behind", &[("reader", reader)]);
        assert!(behind.is_some_and(f64::is_nan), "nobody knows: {behind:?}");
    }
    let ok = [("procedure", "session.me"), ("code", "OK")];
    assert!(told.count("rollbook_calls_total", &ok) >= before.count("rollbook_calls_total", &ok));
    assert_eq!(told.count("rollbook_pool_connections", &[("pool", "shared"), ("state", "most")]), 16.0);
}

/// Runs a statement in the cluster's own database.
async fn administrate(sql: &str) {
    let cluster = std::env::var("ROLLBOOK_TEST_POSTGRES").expect("./tests/run names the cluster");
    let db = Database::open(&cluster, PoolSizes::default()).expect("the cluster's address");
    let mut connection = db.read().await.expect("the cluster runs");
    connection.execute(diesel::sql_query(sql)).await.expect("a statement");
}

fn database_of(url: &str) -> &str {
    let (_, name) = url.rsplit_once('/').expect("an address that ends with a database's name");
    name.split_once('?').map_or(name, |(name, _)| name)
}

/// One call by tRPC over HTTP; the answer's status.
async fn by_trpc(client: &Client, path: &str, input: &Value) -> u16 {
    let body = input.to_string();
    let path = format!("/trpc/{path}");
    request(client.address, "POST", &path, &client.json_headers(), body.as_bytes()).await.status
}

/// One line of the text form that has a value.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// What `/metrics` says, once it is known to have the text form's shape (Prometheus, "Exposition formats").
struct Exposition {
    kinds: BTreeMap<String, String>,
    described: BTreeSet<String>,
    samples: Vec<Sample>,
}

impl Exposition {
    async fn of(site: &Site) -> Self {
        let answer = site.get("/metrics").await;
        assert_eq!(answer.status, 200);
        Exposition::parse(&String::from_utf8(answer.body).expect("UTF-8"))
    }

    /// Each metric is described once, its samples follow its type, and none is there twice.
    fn parse(text: &str) -> Self {
        let mut told = Exposition { kinds: BTreeMap::new(), described: BTreeSet::new(), samples: Vec::new() };
        let mut current = None;
        assert!(text.ends_with('\n'), "the last line has no end");
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect(line);
                assert!(!help.is_empty() && told.described.insert(name.to_owned()), "{line}");
                assert!(!told.kinds.contains_key(name), "a help after its type: {line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect(line);
                assert!(is_name(name) && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(told.kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
                current = Some((name, kind));
            } else {
                let (name, kind) = current.unwrap_or_else(|| panic!("a sample of no type: {line}"));
                let sample = sample(line);
                let suffix = sample.name.strip_prefix(name).expect(line);
                match kind {
                    "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                    _ => assert_eq!(suffix, "", "{line}"),
                }
                assert_eq!(
                    kind == "histogram" && suffix == "_bucket",
                    sample.labels.contains_key("le"),
                    "{line}"
                );
                told.samples.push(sample);
            }
        }
        let distinct: BTreeSet<_> =
            told.samples.iter().map(|sample| (&sample.name, &sample.labels)).collect();
        assert_eq!(distinct.len(), told.samples.len(), "a sample is there twice");
        told
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: BTreeMap<String, String> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = self.samples.iter().find(|sample| sample.name == name && sample.labels == labels);
        found.map(|sample| sample.value)
    }

    /// What is not there has not happened.
    fn count(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.value(name, labels).unwrap_or(0.0)
    }

    /// Every histogram of this name has these buckets, each with all that the smaller ones have, and the last with all.
    #[track_caller]
    fn has_buckets(&self, name: &str, bounds: &[f64]) {
        let named = |suffix: &str| {
            let name = format!("{name}{suffix}");
            self.samples.iter().filter(move |sample| sample.name == name)
        };
        assert!(named("_count").count() > 0, "{name} was never recorded");
        for whole in named("_count") {
            let buckets: Vec<(f64, f64)> = named("_bucket")
                .filter(|bucket| {
                    whole.labels.iter().all(|(label, value)| bucket.labels.get(label) == Some(value))
                })
                .map(|bucket| (bucket.labels["le"].parse().expect("a bound"), bucket.value))
                .collect();
            let (found, counts): (Vec<f64>, Vec<f64>) = buckets.into_iter().unzip();
            let expected: Vec<f64> = bounds.iter().copied().chain([f64::INFINITY]).collect();
            assert_eq!(found, expected, "{whole:?}");
            assert!(counts.is_sorted(), "{whole:?}: {counts:?}");
            assert_eq!(counts.last(), Some(&whole.value), "{whole:?}");
        }
    }
}

/// `name{label="value",…} number`; no value here needs an escape.
fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let value = value.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
    let (name, mut rest) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
        None => (series, ""),
    };
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").expect(line);
        let (value, after) = after.split_once('"').expect(line);
        assert!(is_name(label) && !value.is_empty() && !value.contains('\\'), "{line}");
        assert!(labels.insert(label.to_owned(), value.to_owned()).is_none(), "{label} twice: {line}");
        rest = match after.strip_prefix(',') {
            Some(more) => more,
            None => {
                assert_eq!(after, "", "{line}");
                after
            }
        };
    }
    Sample { name: name.to_owned(), labels, value }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|other| other.is_ascii_alphanumeric() || other == '_')
}
