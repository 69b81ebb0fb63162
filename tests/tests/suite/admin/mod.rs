//! The procedures of `admin`, an organization for them to look at, and what plants in it what must not be.

mod verify;

mod log;

use std::time::Duration;

use procedures::Database;
use procedures::db::{Lease, PoolSizes};
use procedures::member::Role;
use serde_json::{Value, json};
use tests::{Kind, World};

/// Acme after a lively while: enrollments in every status, waitlists, certificates of every kind, a cohort,
/// modules that came and went, members that did. Someone's enrollment in a course is called
/// `<someone in course>`, its first certificate `<someone's certificate>`. Globex has an enrollment too.
async fn furnish(world: &World) {
    let act = async |path: &str, input: Value| {
        world.call(&world.acme.admin, path, input).await.expect("no reason to refuse");
    };
    for name in
        ["graduate", "leaver", "late", "doubtful", "again", "third", "fourth", "loner", "gone", "expert"]
    {
        world.person(name, Role::Learner).await;
    }

    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    for module in ["first", "second", "old"] {
        world.module("<course>", module).await;
    }
    for person in ["learner", "peer", "graduate", "leaver", "late", "doubtful", "again"] {
        enroll(world, person, "course").await;
    }
    act("course.retireModule", json!({ "moduleId": "<old>" })).await;
    let first = json!({ "enrollmentId": "<learner in course>", "moduleId": "<first>" });
    world.call(&world.acme.learner, "module.complete", first).await.expect("their own lesson");
    act("module.unassign", json!({ "enrollmentId": "<learner in course>", "moduleId": "<second>" })).await;
    world.cancelled("<leaver in course>").await;
    world.expired("<late in course>").await;
    for person in ["peer", "graduate", "doubtful", "again"] {
        complete(world, person, "course").await;
    }
    for person in ["doubtful", "again"] {
        let input = json!({ "enrollmentId": format!("<{person} in course>"), "reason": "a mistake" });
        act("enrollment.revoke", input).await;
    }
    enroll(world, "again", "course").await;

    world.course("full", json!({ "capacity": 2 })).await;
    for person in ["learner", "peer", "third", "fourth"] {
        enroll(world, person, "full").await;
    }
    let notes = json!({ "enrollmentId": "<peer in full>", "notes": "calls back", "version": 1 });
    act("enrollment.setNotes", notes).await;
    // Lowered below what is taken (D10).
    world.course("crowded", json!({ "capacity": 2 })).await;
    for person in ["learner", "peer"] {
        enroll(world, person, "crowded").await;
    }
    world.capacity("<crowded>", json!(1)).await;
    // A seat was freed that is not given away before the course is published again (D16).
    world.course("paused", json!({ "capacity": 1 })).await;
    for person in ["learner", "third"] {
        enroll(world, person, "paused").await;
    }
    act("course.unpublish", json!({ "courseId": "<paused>" })).await;
    world.cancelled("<learner in paused>").await;

    world.course("plain", json!({ "certificate": false })).await;
    enroll(world, "learner", "plain").await;
    complete(world, "learner", "plain").await;
    act("cohort.create", json!({ "name": "team", "userIds": ["<fourth>"], "courseIds": ["<plain>"] })).await;
    world.course("lone", json!({})).await;
    enroll(world, "loner", "lone").await;
    enroll(world, "gone", "lone").await;
    world.membership("end", "<gone>").await;
    world.membership("suspend", "<late>").await;
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.module("<draft>", "unused").await;
    world.course_in(&world.globex, "globex course", json!({})).await;
    world.enrolled(&world.globex.learner, "<globex course>", "globex enrollment").await;

    // D8: once more, after the certificate has expired.
    world.course("short", json!({ "certificateValidDays": 1 })).await;
    enroll(world, "expert", "short").await;
    complete(world, "expert", "short").await;
    world.clock_ahead(Duration::from_secs(2 * 86_400));
    enroll(world, "expert", "short").await;
}

/// An admin enrolls a person.
async fn enroll(world: &World, person: &str, course: &str) {
    let input = json!({ "courseId": format!("<{course}>"), "userId": format!("<{person}>") });
    let enrolled = world.call(&world.acme.admin, "enrollment.enroll", input).await.expect("an enrollment");
    world.name(&format!("{person} in {course}"), enrolled["id"].as_str().expect("an id"));
}

/// An admin completes a person's enrollment.
async fn complete(world: &World, person: &str, course: &str) {
    let enrollment = format!("<{person} in {course}>");
    world.completed(&enrollment).await;
    let input = json!({ "enrollmentId": enrollment });
    let read = world.call(&world.acme.admin, "enrollment.get", input).await.expect("an enrollment");
    if let Some(certificate) = read["certificateId"].as_str() {
        world.name(&format!("{person}'s certificate"), certificate);
    }
}

/// Where something is planted.
const TABLES: [&str; 13] = [
    "certificates",
    "cohort_courses",
    "cohort_members",
    "course_authors",
    "course_enrollments",
    "courses",
    "event_heads",
    "event_seals",
    "events",
    "identities",
    "memberships",
    "module_enrollments",
    "modules",
];

/// Writes what no procedure writes, and what the database would refuse from anyone else.
struct Planter<'w> {
    world: &'w World,
    /// One of its own, on which no foreign key, no check and no trigger holds.
    connection: Lease,
}

impl<'w> Planter<'w> {
    async fn new(world: &'w World) -> Self {
        let sizes = PoolSizes { postgres: 1, sqlite_readers: 1 };
        let db = Database::open(world.url(), sizes).expect("the address of a database");
        let mut planter = Planter { world, connection: db.read().await.expect("a connection") };
        let unguarded: &[&str] = match world.kind {
            Kind::Postgres => &[
                "SET session_replication_role = replica",
                "ALTER TABLE courses DROP CONSTRAINT seats_within_limit",
            ],
            Kind::Sqlite => &[
                "PRAGMA foreign_keys = OFF",
                "PRAGMA ignore_check_constraints = ON",
                "DROP TRIGGER organization_consistency_certificate",
                "DROP TRIGGER organization_consistency_new_certificate",
                "DROP TRIGGER events_are_not_updated",
                "DROP TRIGGER events_are_not_deleted",
                "DROP TRIGGER event_seals_are_not_updated",
                "DROP TRIGGER event_seals_are_not_deleted",
            ],
        };
        for sql in unguarded {
            planter.run(sql).await;
        }
        planter.run("DROP INDEX idx_course_enrollments_unique_user_course").await;
        for table in TABLES {
            planter.run(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
        }
        planter
    }

    /// Each of these statements changes something. `<label>` in them is the id so named.
    async fn plant(&mut self, statements: &[&str]) {
        for sql in statements {
            assert_ne!(self.run(sql).await, 0, "nothing is changed by {sql}");
        }
    }

    /// Puts everything back as it was.
    async fn weed(&mut self) {
        self.run("BEGIN").await;
        for table in TABLES {
            self.run(&format!("DELETE FROM {table}")).await;
            self.run(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
        self.run("COMMIT").await;
    }

    async fn run(&mut self, sql: &str) -> usize {
        let statement = diesel::sql_query(spelled(self.world, sql));
        self.connection.execute(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// The statement with the ids that its labels stand for, as this database writes them.
fn spelled(world: &World, sql: &str) -> String {
    let mut parts = sql.split('<');
    let mut spelled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (label, rest) = part.split_once('>').expect("a label ends");
        spelled += &world.id_literal(&format!("<{label}>"));
        spelled += rest;
    }
    spelled
}
