//! Concurrent changes that share a transaction: each has its own answer, and none costs the others anything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::BigInt;
use procedures::App;
use procedures::member::Role;
use serde_json::{Value, json};
use tests::{Actor, Kind, World, expect, on_both, on_postgres, refusal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::answers::each;

on_both![
    who_comes_meanwhile_is_changed_at_once,
    a_refusal_costs_the_others_nothing,
    one_that_cannot_be_written_is_alone_in_it,
    a_key_is_one_call_in_a_group_too,
    a_course_is_left_and_joined_in_one_group,
    modules_are_completed_together,
];

on_postgres![what_follows_a_lock_is_read_once_it_is_held];

const ENROLL: &str = "enrollment.enroll";

/// Holds SQLite's one writer until it is told to let go.
struct Held {
    let_go: Arc<Notify>,
    holding: JoinHandle<()>,
}

impl Held {
    async fn of(world: &World) -> Self {
        let (holder, let_go, held) = (world.another_app(), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, holds) = (let_go.clone(), held.clone());
        let holding = tokio::spawn(async move {
            let holding = holder.db.transaction(holder.clock.now(), async |tx| {
                let lock = diesel::sql_query("UPDATE courses SET title = title");
                tx.execute(lock).await?;
                holds.notify_one();
                told.notified().await;
                Ok(())
            });
            holding.await.expect("a lock that is held and let go");
        });
        held.notified().await;
        Held { let_go, holding }
    }

    async fn let_go(self) {
        self.let_go.notify_one();
        self.holding.await.expect("no panic");
    }
}

/// Makes these calls while a first one, which enrolls, is under way, so that they are carried out together after it.
async fn grouped(
    world: &World,
    first: (Actor, &'static str, Value),
    calls: Vec<(Actor, &'static str, Value)>,
) -> Vec<Result<Value, Value>> {
    let held = match world.kind {
        Kind::Sqlite => Some(Held::of(world).await),
        // A group does not wait for locks for long.
        Kind::Postgres => {
            slow_down(world, &first.0).await;
            None
        }
    };
    let mut running = vec![start(world, &world.app, first)];
    rest().await;
    for call in calls {
        running.push(start(world, &world.app, call));
        rest().await;
    }
    if let Some(held) = held {
        held.let_go().await;
    }
    let mut answers = Vec::new();
    for call in running {
        answers.push(call.await.expect("no panic"));
    }
    answers
}

/// PostgreSQL takes its time to enroll this person.
async fn slow_down(world: &World, person: &Actor) {
    let me = world.call(person, "session.me", json!({})).await.expect("a session");
    let user = me["userId"].as_str().expect("a person");
    let function = format!(
        "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.user_id = '{user}' THEN PERFORM pg_sleep(2); END IF; RETURN NEW; END $$"
    );
    world.sql(&function).await.expect("a function");
    let trigger = "CREATE TRIGGER take_time BEFORE INSERT ON course_enrollments FOR EACH ROW EXECUTE FUNCTION take_time()";
    world.sql(trigger).await.expect("a trigger");
}

/// Long enough for a call to line up.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn start(
    world: &World,
    app: &Arc<App>,
    (actor, path, input): (Actor, &'static str, Value),
) -> JoinHandle<Result<Value, Value>> {
    let (app, input) = (app.clone(), world.resolved(&input).to_string());
    tokio::spawn(async move {
        let parsed = |text: String| serde_json::from_str(&text).expect("JSON");
        tests::call(&app, &actor, path, &input).await.map_err(parsed).map(parsed)
    })
}

async fn learners(world: &World, count: usize) -> Vec<Actor> {
    let mut learners = Vec::new();
    for number in 0..count {
        learners.push(world.acme.person(&world.app, &format!("one {number}"), Role::Learner, false).await.0);
    }
    learners
}

/// The moments that rows were enrolled at: those of one transaction have the same.
fn moments(answers: &[Result<Value, Value>]) -> BTreeSet<String> {
    answers.iter().flatten().map(|answer| answer["enrolledAt"].to_string()).collect()
}

async fn proved(world: &World) {
    let report = world.ok(&world.acme.admin, "admin.verify", json!({})).await;
    assert_eq!(report["ok"], true, "{report:#}");
}

async fn who_comes_meanwhile_is_changed_at_once(world: World) {
    world.course("course", json!({ "capacity": 6, "waitlist": true })).await;
    let learners = learners(&world, 10).await;
    let enroll = |learner: &Actor| (learner.clone(), ENROLL, json!({ "courseId": "<course>" }));
    let answers = grouped(&world, enroll(&learners[0]), learners[1..].iter().map(enroll).collect()).await;
    assert_eq!(moments(&answers).len(), 2, "the first alone, all others together: {answers:#?}");
    let rows: Vec<&Value> = answers.iter().flatten().collect();
    let of = |status: &str| rows.iter().filter(|row| row["status"] == status).count();
    assert_eq!((of("enrolled"), of("waitlisted")), (6, 4));
    let places: BTreeSet<u64> = rows.iter().filter_map(|row| row["waitlistPosition"].as_u64()).collect();
    assert_eq!(places, BTreeSet::from([1, 2, 3, 4]));
    proved(&world).await;
}

async fn a_refusal_costs_the_others_nothing(world: World) {
    world.course("course", json!({})).await;
    world.draft_in(&world.acme, "draft", json!({})).await;
    let learners = learners(&world, 6).await;
    let calls = learners
        .iter()
        .enumerate()
        .map(|(number, learner)| {
            let course = if number % 2 == 0 { "<course>" } else { "<draft>" };
            (learner.clone(), ENROLL, json!({ "courseId": course }))
        })
        .collect();
    let first = (world.acme.learner.clone(), ENROLL, json!({ "courseId": "<course>" }));
    let answers = grouped(&world, first, calls).await;
    for (number, answer) in answers[1..].iter().enumerate() {
        match answer {
            Ok(enrollment) => assert_eq!((number % 2, &enrollment["status"]), (0, &json!("enrolled"))),
            Err(error) => {
                assert_eq!(number % 2, 1);
                let reason = json!({ "type": "courseNotPublished" });
                expect(error, &refusal(ENROLL, "PRECONDITION_FAILED", reason));
            }
        }
    }
    assert_eq!(moments(&answers).len(), 2);
    proved(&world).await;
}

/// A row that the database refuses fails the group's transaction; then each is carried out alone.
async fn one_that_cannot_be_written_is_alone_in_it(world: World) {
    world.course("course", json!({})).await;
    let learners = learners(&world, 5).await;
    let (poison, id) = world.acme.person(&world.app, "poison", Role::Learner, false).await;
    let triggers = match world.kind {
        Kind::Postgres => vec![
            format!(
                "CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF NEW.user_id = '{id}' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$"
            ),
            "CREATE TRIGGER poison BEFORE INSERT ON course_enrollments FOR EACH ROW EXECUTE FUNCTION refuse_poison()"
                .to_owned(),
        ],
        Kind::Sqlite => vec![format!(
            "CREATE TRIGGER poison BEFORE INSERT ON course_enrollments WHEN NEW.user_id = X'{}' \
             BEGIN SELECT RAISE(ABORT, 'poison'); END",
            id.replace('-', "")
        )],
    };
    for sql in triggers {
        world.sql(&sql).await.expect("a trigger");
    }
    let enroll = |learner: &Actor| (learner.clone(), ENROLL, json!({ "courseId": "<course>" }));
    let mut calls: Vec<_> = learners.iter().map(enroll).collect();
    calls.insert(2, enroll(&poison));
    let answers = grouped(&world, enroll(&world.acme.learner), calls).await;
    for (number, answer) in answers.iter().enumerate() {
        match answer {
            Ok(enrollment) => assert_eq!(enrollment["status"], "enrolled"),
            Err(error) => {
                assert_eq!((number, &error["data"]["code"]), (3, &json!("INTERNAL_SERVER_ERROR")));
            }
        }
    }
    assert_eq!(answers.iter().flatten().count(), 6);
    proved(&world).await;
}

async fn a_key_is_one_call_in_a_group_too(world: World) {
    world.course("course", json!({})).await;
    let learner = world.acme.learner.clone();
    let keyed = |key: &str| json!({ "courseId": "<course>", "idempotencyKey": key });
    let other = learners(&world, 1).await.remove(0);
    let calls = vec![
        (learner.clone(), ENROLL, keyed("k")),
        (learner.clone(), ENROLL, keyed("k")),
        (learner.clone(), ENROLL, keyed("another")),
    ];
    let answers = grouped(&world, (other, ENROLL, keyed("k")), calls).await;
    assert_eq!(answers[1].as_ref().expect("the first of its key")["status"], "enrolled");
    let in_flight = refusal(ENROLL, "CONFLICT", json!({ "type": "keyInFlight" }));
    expect(answers[2].as_ref().expect_err("the second"), &in_flight);
    let enrolled = answers[3].as_ref().expect_err("enrolled under another key");
    assert_eq!(enrolled["data"]["reason"]["type"], "alreadyEnrolled");
    let again = world.call(&learner, ENROLL, keyed("k")).await.expect("the stored answer");
    assert_eq!(again, *answers[1].as_ref().expect("the first of its key"));
    proved(&world).await;
}

/// The seat that is left goes to who waits, not to who comes in the same transaction.
async fn a_course_is_left_and_joined_in_one_group(world: World) {
    world.course("course", json!({ "capacity": 1, "waitlist": true })).await;
    let people = learners(&world, 3).await;
    let course = json!({ "courseId": "<course>" });
    for person in &people[..2] {
        world.call(person, ENROLL, course.clone()).await.expect("a seat, or a place to wait");
    }
    world.course("another course", json!({})).await;
    let first = (world.acme.learner.clone(), ENROLL, json!({ "courseId": "<another course>" }));
    let calls = vec![
        (people[2].clone(), ENROLL, course.clone()),
        (people[0].clone(), "enrollment.unenroll", course.clone()),
        (people[0].clone(), ENROLL, course.clone()),
    ];
    let answers = grouped(&world, first, calls).await;
    let statuses: Vec<&Value> = answers[1..].iter().flatten().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, ["waitlisted", "cancelled", "waitlisted"], "{answers:#?}");
    let roster = world.ok(&world.acme.admin, "enrollment.listByCourse", course).await;
    assert_eq!(each(&roster, "status"), ["waitlisted", "enrolled", "waitlisted"], "{roster:#}");
    assert_eq!(each(&roster, "waitlistPosition"), [json!(2), Value::Null, json!(1)]);
    proved(&world).await;
}

/// Different procedures are of one group, each answered by its own kind of answer.
async fn modules_are_completed_together(world: World) {
    world.course("course", json!({ "autoComplete": true })).await;
    let module = json!({ "courseId": "<course>", "title": "a lesson", "kind": "lesson" });
    let module = world.call(&world.acme.admin, "course.addModule", module).await.expect("a module");
    let people = learners(&world, 4).await;
    let mut calls = Vec::new();
    for person in &people {
        let enrollment =
            world.call(person, ENROLL, json!({ "courseId": "<course>" })).await.expect("enrolled");
        let input = json!({ "enrollmentId": enrollment["id"], "moduleId": module["id"] });
        calls.push((person.clone(), "module.complete", input));
    }
    let first = (world.acme.learner.clone(), ENROLL, json!({ "courseId": "<course>" }));
    calls.push((world.acme.learner.clone(), "enrollment.unenroll", json!({ "courseId": "<course>" })));
    let answers = grouped(&world, first, calls).await;
    for answer in &answers[1..5] {
        let answer = answer.as_ref().expect("progress");
        assert_eq!(answer["module"]["title"], "a lesson");
        assert_eq!(
            (&answer["enrollment"]["status"], &answer["enrollment"]["progress"]),
            (&json!("completed"), &json!(100))
        );
    }
    assert_eq!(answers[5].as_ref().expect("left")["status"], "cancelled");
    proved(&world).await;
}

/// A lock and what relies on it are sent in one go, on a connection that has prepared nothing yet: a module that is added
/// while the lock is waited for is given.
async fn what_follows_a_lock_is_read_once_it_is_held(world: World) {
    world.course("course", json!({})).await;
    let fresh = world.another_app();
    let adding = world.app.db.transaction(world.app.clock.now(), async |tx| {
        tx.execute(diesel::sql_query("UPDATE courses SET modules_total = modules_total + 1")).await?;
        let call = (world.acme.learner.clone(), ENROLL, json!({ "courseId": "<course>" }));
        let call = start(&world, &fresh, call);
        let waiting = "(SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())";
        // Asked elsewhere: in a transaction, what others are at is only looked at once.
        let mut elsewhere = world.app.db.read().await?;
        while elsewhere.one::<i64>(diesel::select(diesel::dsl::sql::<BigInt>(waiting))).await? == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let module = "INSERT INTO modules SELECT gen_random_uuid(), organization_id, id, 'late', 'lesson', 1, NULL, now() FROM courses";
        tx.execute(diesel::sql_query(module)).await?;
        Ok(call)
    });
    let enrolled = adding.await.expect("a module").await.expect("no panic").expect("enrolled");
    assert_eq!(enrolled["modulesTotal"], 1, "{enrolled:#}");
    proved(&world).await;
}
