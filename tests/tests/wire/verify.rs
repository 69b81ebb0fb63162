//! `rollbook verify`, run beside the server on its database.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary};
use procedures::Database;
use procedures::admin::Invariant;
use procedures::db::{Lease, PoolSizes};
use serde_json::json;
use tests::Kind;
use tests::process::command;
use tokio::time::{Instant, sleep, timeout};

use crate::on_both;
use crate::site::Site;

on_both![
    every_invariant_holds,
    violations_are_named_with_their_ids,
    an_altered_event_is_named,
    the_schema_is_to_be_current,
];

/// The server seals its events within so long.
const SEALED_WITHIN: Duration = Duration::from_secs(5);

/// The command's exit code, and what it has printed to its output and as errors.
async fn verified(site: &Site) -> (Option<i32>, String, String) {
    let running = command(&["verify", "--database-url", &site.database_url]).output();
    let output = timeout(Duration::from_secs(60), running).await.expect("it ends").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Changes one row as no procedure does.
async fn plant(site: &Site, sql: &str) {
    let changed = connection(site).await.execute(diesel::sql_query(sql)).await.expect("a statement");
    assert_eq!(changed, 1, "{sql}");
}

async fn connection(site: &Site) -> Lease {
    let db = Database::open(&site.database_url, PoolSizes::default()).expect("the server's database");
    db.read().await.expect("a connection")
}

#[derive(QueryableByName)]
struct Seal {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
}

/// The seals of an organization, as they are printed.
async fn seals(site: &Site, organization: &str) -> Vec<String> {
    let organization = literal(site, organization);
    let all = format!("SELECT number, digest FROM event_seals WHERE organization_id = {organization}");
    let seals: Vec<Seal> = connection(site).await.load(diesel::sql_query(all)).await.expect("seals");
    let printed = |Seal { number, digest }: Seal| {
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("  sealed up to event {number:016}: {digest}")
    };
    seals.into_iter().map(printed).collect()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Waits until the server has sealed every event there is.
async fn sealed(site: &Site) {
    let unsealed = "SELECT count(*) AS count FROM event_heads AS head
        WHERE head.last_number > 0 AND NOT EXISTS (
            SELECT 1 FROM event_seals AS seal
            WHERE seal.organization_id = head.organization_id AND seal.number = head.last_number
        )";
    let (begun, mut connection) = (Instant::now(), connection(site).await);
    loop {
        let Count { count } = connection.one(diesel::sql_query(unsealed)).await.expect("a count");
        if count == 0 {
            return;
        }
        assert!(begun.elapsed() < SEALED_WITHIN, "{count} logs are not sealed within {SEALED_WITHIN:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// An id as a literal of the site's database.
fn literal(site: &Site, id: &str) -> String {
    match site.kind {
        Kind::Postgres => format!("'{id}'"),
        Kind::Sqlite => format!("x'{}'", id.replace('-', "")),
    }
}

/// Of the demo data too, in which there is an enrollment in every status.
async fn every_invariant_holds(site: Site) {
    sealed(&site).await;
    let (code, output, errors) = verified(&site).await;
    let mut printed = output.lines();
    for (place, slug) in (1..).zip(["acme", "globex"]) {
        let organization = site.person_of(slug, "ada", "admin").await.organization_id;
        let first = format!("{slug}, organization {organization} ({place} of 2)");
        assert_eq!(printed.next(), Some(&*first), "{output}");
        for invariant in Invariant::ALL {
            let holds = format!("  {}: holds", invariant.as_str());
            assert_eq!(printed.next(), Some(&*holds), "{output}");
        }
        // Its last one, unless the scheduler has brought more about since.
        let seal = printed.next().expect("one more line").to_owned();
        assert!(seals(&site, &organization).await.contains(&seal), "{output}");
    }
    let rest: Vec<&str> = printed.collect();
    assert_eq!(rest, ["every invariant holds; organizations verified: 2"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
}

async fn violations_are_named_with_their_ids(site: Site) {
    let course = site.course(1).await;
    let lena = site.person("wire-learner", "learner").await;
    let enrolled = lena.ok("enrollment.enroll", json!({ "courseId": course })).await;
    let enrollment = enrolled["id"].as_str().expect("an id");
    let id = literal(&site, enrollment);
    plant(&site, &format!("UPDATE course_enrollments SET version = version + 1 WHERE id = {id}")).await;
    let id = literal(&site, &course);
    plant(&site, &format!("UPDATE courses SET modules_total = 3 WHERE id = {id}")).await;

    let (code, output, errors) = verified(&site).await;
    let counters = format!("3 modules are counted, but there are 1 (course {course})");
    let ids = format!("course {course}, enrollment {enrollment}, user {}", lena.user_id);
    let events = format!("changed 2 times by its version, 1 times by its events ({ids})");
    for (check, told) in [("counters_equal_rows", counters), ("events_match_changes", events)] {
        assert!(output.contains(&format!("\n  {check}: violated\n    {told}\n  ")), "{output}");
    }
    let of_both = 2 * Invariant::ALL.len();
    assert_eq!(output.matches(": holds\n").count(), of_both - 2, "{output}");
    // Each of them on a line of its own, and nothing else but the names of the organizations and their last seals.
    assert_eq!(output.lines().count(), 2 + of_both + 2 + 2, "{output}");
    let summary = "rollbook: violations found: 2; organizations with violations: 1 of 2\n";
    assert_eq!((code, errors.as_str()), (Some(1), summary));
}

/// Past the triggers that refuse it, in the database of the running server.
async fn an_altered_event_is_named(site: Site) {
    let course = site.course(1).await;
    let lena = site.person("wire-learner", "learner").await;
    let enrolled = lena.ok("enrollment.enroll", json!({ "courseId": course })).await;
    let enrollment = enrolled["id"].as_str().expect("an id");
    let admin = site.person("ada", "admin").await;
    let history = admin.ok("enrollment.history", json!({ "enrollmentId": enrollment })).await;
    let event = history["items"][0]["id"].as_str().expect("an id");
    sealed(&site).await;

    let unguarded = match site.kind {
        Kind::Postgres => "SET session_replication_role = replica",
        Kind::Sqlite => "DROP TRIGGER events_are_not_updated",
    };
    let id = literal(&site, enrollment);
    let altered =
        format!("UPDATE events SET request_id = 'another' WHERE enrollment_id = {id} AND kind = 'enrolled'");
    let mut connection = connection(&site).await;
    connection.execute(diesel::sql_query(unguarded)).await.expect("no triggers");
    let changed = connection.execute(diesel::sql_query(&altered)).await.expect("a statement");
    assert_eq!(changed, 1, "{altered}");
    drop(connection);

    let (code, output, errors) = verified(&site).await;
    let problem = "the event, its seal, or what came right before them is not what it was";
    let ids = format!("course {course}, enrollment {enrollment}, user {}, event {event}", lena.user_id);
    let told = format!("\n  event_log_unaltered: violated\n    {problem} ({ids})\n  sealed up to event ");
    assert!(output.contains(&told), "{output}");
    let of_both = 2 * Invariant::ALL.len();
    assert_eq!(output.matches(": holds\n").count(), of_both - 1, "{output}");
    let summary = "rollbook: violations found: 1; organizations with violations: 1 of 2\n";
    assert_eq!((code, errors.as_str()), (Some(1), summary));
}

async fn the_schema_is_to_be_current(site: Site) {
    let latest = "(SELECT max(version) FROM __diesel_schema_migrations)";
    plant(&site, &format!("DELETE FROM __diesel_schema_migrations WHERE version = {latest}")).await;
    let told = "rollbook: the database's schema is not current: run `rollbook migrate`\n";
    assert_eq!(verified(&site).await, (Some(1), String::new(), told.to_owned()));
}
