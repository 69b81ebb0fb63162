//! `rollbook verify`, run beside the server on its database.

use std::time::Duration;

use procedures::Database;
use procedures::admin::Invariant;
use procedures::db::PoolSizes;
use serde_json::json;
use tests::Kind;
use tests::process::command;
use tokio::time::timeout;

use crate::on_both;
use crate::site::Site;

on_both![every_invariant_holds, violations_are_named_with_their_ids, the_schema_is_to_be_current];

/// The command's exit code, and what it has printed to its output and as errors.
async fn verified(site: &Site) -> (Option<i32>, String, String) {
    let running = command(&["verify", "--database-url", &site.database_url]).output();
    let output = timeout(Duration::from_secs(60), running).await.expect("it ends").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Changes one row as no procedure does.
async fn plant(site: &Site, sql: &str) {
    let db = Database::open(&site.database_url, PoolSizes::default()).expect("the server's database");
    let mut connection = db.read().await.expect("a connection");
    let changed = connection.execute(diesel::sql_query(sql)).await.expect("a statement");
    assert_eq!(changed, 1, "{sql}");
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
    let mut expected = String::new();
    for (place, slug) in (1..).zip(["acme", "globex"]) {
        let organization = site.person_of(slug, "ada", "admin").await.organization_id;
        expected += &format!("{slug}, organization {organization} ({place} of 2)\n");
        for invariant in Invariant::ALL {
            expected += &format!("  {}: holds\n", invariant.as_str());
        }
    }
    expected += "every invariant holds; organizations verified: 2\n";
    assert_eq!(verified(&site).await, (Some(0), expected, String::new()));
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
    // Each of them on a line of its own, and nothing else but the names of the organizations.
    assert_eq!(output.lines().count(), 2 + of_both + 2, "{output}");
    let summary = "rollbook: violations found: 2; organizations with violations: 1 of 2\n";
    assert_eq!((code, errors.as_str()), (Some(1), summary));
}

async fn the_schema_is_to_be_current(site: Site) {
    let latest = "(SELECT max(version) FROM __diesel_schema_migrations)";
    plant(&site, &format!("DELETE FROM __diesel_schema_migrations WHERE version = {latest}")).await;
    let told = "rollbook: the database's schema is not current: run `rollbook migrate`\n";
    assert_eq!(verified(&site).await, (Some(1), String::new(), told.to_owned()));
}
