//! Claims about concurrency, raced: two applications on one database, each with connections of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use procedures::App;
use procedures::db::PoolSizes;
use procedures::member::Role;
use serde_json::{Value, json};
use tests::{Actor, Kind, World, expect, on_both, refusal};
use tokio::sync::Barrier;

use crate::answers::each;

on_both![
    one_learner_fifty_times,
    the_last_seat,
    seats_of_two_courses,
    one_key_twenty_times,
    a_key_of_a_procedure_without_enrollments,
    enrolling_and_unenrolling,
    event_numbers_have_no_gap,
    edits_and_enrollments,
    one_first_sign_in,
    one_edit_wins,
    one_new_slug,
    one_new_member,
];

const ENROLL: &str = "enrollment.enroll";

/// The calls all at once, by turns on one application and on the other, whose connections are all open already.
async fn race(
    world: &World,
    calls: impl IntoIterator<Item = (Actor, &'static str, Value)>,
) -> Vec<Result<Value, Value>> {
    let apps: [Arc<App>; 2] = [world.app.clone(), world.another_app()];
    for app in &apps {
        connect(app, world.kind).await;
    }
    let calls: Vec<_> = calls.into_iter().collect();
    let start = Arc::new(Barrier::new(calls.len()));
    let running: Vec<_> = calls
        .into_iter()
        .zip(apps.iter().cycle().cloned())
        .map(|((actor, path, input), app)| {
            let (input, start) = (world.resolved(&input).to_string(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                tests::call(&app, &actor, path, &input).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for call in running {
        let parsed = |text: String| serde_json::from_str(&text).expect("JSON");
        answers.push(call.await.expect("no panic").map_err(parsed).map(parsed));
    }
    answers
}

/// Opens every connection that the application may have.
async fn connect(app: &App, kind: Kind) {
    let sizes = PoolSizes::default();
    let most = match kind {
        Kind::Postgres => sizes.postgres,
        Kind::Sqlite => sizes.sqlite_readers,
    };
    let mut held = Vec::new();
    for _ in 0..most {
        held.push(app.db.read().await.expect("a connection"));
    }
}

/// What is true of the course's counters and the log whatever happened.
async fn consistent(world: &World) {
    let input = json!({ "courseId": "<course>" });
    let count = world.ok(&world.acme.admin, "enrollment.count", input.clone()).await;
    let roster = world
        .ok(&world.acme.admin, "enrollment.listByCourse", json!({ "courseId": "<course>", "limit": 200 }))
        .await;
    let statuses = each(&roster, "status");
    for status in ["enrolled", "waitlisted", "completed", "cancelled", "expired"] {
        let rows = statuses.iter().filter(|found| *found == status).count();
        assert_eq!(count[status], rows, "{status}");
    }
    let events = &world.contents().await["events"];
    let heads = world.contents().await["event_heads"].concat();
    let last = events.len();
    assert!(
        heads.contains(&format!("last_number={last}"))
            || heads.contains(&format!("\"last_number\":{last}}}")),
        "{last} events, and heads {heads}"
    );
}

fn refusals<'a>(
    answers: &'a [Result<Value, Value>],
    path: &str,
    code: &str,
    reason: &Value,
) -> Vec<&'a Value> {
    let errors: Vec<&Value> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    for error in &errors {
        expect(error, &refusal(path, code, reason.clone()));
    }
    errors
}

async fn one_learner_fifty_times(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    let call = (world.acme.learner.clone(), ENROLL, json!({ "courseId": "<course>" }));
    let answers = race(&world, vec![call; 50]).await;
    let enrolled: Vec<&Value> = answers.iter().flatten().collect();
    assert_eq!(enrolled.len(), 1, "{answers:#?}");
    let reason =
        json!({ "type": "alreadyEnrolled", "enrollmentId": enrolled[0]["id"], "status": "enrolled" });
    assert_eq!(refusals(&answers, ENROLL, "CONFLICT", &reason).len(), 49);
    let contents = world.contents().await;
    let rows = ["course_enrollments", "module_enrollments", "events"].map(|table| contents[table].len());
    assert_eq!(rows, [1, 1, 1]);
    consistent(&world).await;
}

async fn the_last_seat(world: World) {
    world.course("course", json!({ "capacity": 3 })).await;
    world.enrolled(&world.acme.peer, "<course>", "first").await;
    world.enrolled(&world.acme.author, "<course>", "second").await;
    let mut calls = Vec::new();
    for number in 0..100 {
        let (learner, _) =
            world.acme.person(&world.app, &format!("learner {number}"), Role::Learner, false).await;
        calls.push((learner, ENROLL, json!({ "courseId": "<course>" })));
    }
    let answers = race(&world, calls).await;
    assert_eq!(answers.iter().flatten().count(), 1);
    let reason = json!({ "type": "courseFull", "capacity": 3 });
    assert_eq!(refusals(&answers, ENROLL, "PRECONDITION_FAILED", &reason).len(), 99);
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    assert_eq!([&count["enrolled"], &count["seatsTaken"], &count["overBy"]], [3, 3, 0]);
    consistent(&world).await;
}

/// Courses are independent; what they share is the organization's log.
async fn seats_of_two_courses(world: World) {
    world.course("course", json!({ "capacity": 10 })).await;
    world.course("other", json!({ "capacity": 10 })).await;
    let mut calls = Vec::new();
    for number in 0..30 {
        let (learner, _) =
            world.acme.person(&world.app, &format!("learner {number}"), Role::Learner, false).await;
        for course in ["<course>", "<other>"] {
            calls.push((learner.clone(), ENROLL, json!({ "courseId": course })));
        }
    }
    let answers = race(&world, calls).await;
    assert_eq!(answers.iter().flatten().count(), 20);
    let reason = json!({ "type": "courseFull", "capacity": 10 });
    assert_eq!(refusals(&answers, ENROLL, "PRECONDITION_FAILED", &reason).len(), 40);
    consistent(&world).await;
}

async fn one_key_twenty_times(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>", "idempotencyKey": "k" });
    let answers = race(&world, vec![(world.acme.learner.clone(), ENROLL, input.clone()); 20]).await;
    let kept: BTreeSet<String> = answers.iter().flatten().map(Value::to_string).collect();
    assert_eq!(kept.len(), 1, "{answers:#?}");
    refusals(&answers, ENROLL, "CONFLICT", &json!({ "type": "keyInFlight" }));
    let contents = world.contents().await;
    assert_eq!((contents["course_enrollments"].len(), contents["events"].len()), (1, 1));
    let later = world.call(&world.acme.learner, ENROLL, input).await.unwrap();
    assert_eq!(kept, BTreeSet::from([later.to_string()]));
    consistent(&world).await;
}

async fn a_key_of_a_procedure_without_enrollments(world: World) {
    let input = json!({ "title": "only one", "idempotencyKey": "k" });
    let answers = race(&world, vec![(world.acme.admin.clone(), "course.create", input); 20]).await;
    let kept: BTreeSet<String> = answers.iter().flatten().map(Value::to_string).collect();
    assert_eq!(kept.len(), 1, "{answers:#?}");
    refusals(&answers, "course.create", "CONFLICT", &json!({ "type": "keyInFlight" }));
    assert_eq!(world.contents().await["courses"].len(), 1);
}

/// Each change is one that the status before allowed.
async fn enrolling_and_unenrolling(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.module("<course>", "module").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let mut calls = Vec::new();
    for path in ["enrollment.unenroll", ENROLL].repeat(20) {
        calls.push((world.acme.learner.clone(), path, json!({ "courseId": "<course>" })));
    }
    let answers = race(&world, calls).await;
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(error["data"]["code"], "CONFLICT", "{error:#}");
    }
    let input = json!({ "enrollmentId": "<enrollment>", "limit": 200 });
    let history = world.ok(&world.acme.learner, "enrollment.history", input).await;
    let kinds = each(&history, "kind");
    assert_eq!(kinds[0], "enrolled");
    for (place, kind) in kinds.iter().enumerate().skip(1) {
        assert_eq!(kind, if place % 2 == 1 { "cancelled" } else { "reactivated" }, "{kinds:?}");
    }
    let enrollment =
        world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<enrollment>" })).await;
    let open = kinds.len() % 2 == 1;
    assert_eq!(enrollment["status"], if open { "enrolled" } else { "cancelled" });
    assert_eq!(
        (&enrollment["version"], &enrollment["attempt"]),
        (&json!(kinds.len()), &json!(kinds.len().div_ceil(2)))
    );
    assert_eq!(answers.iter().flatten().count(), kinds.len() - 1);
    let input = json!({ "enrollmentId": "<enrollment>" });
    let modules = world.ok(&world.acme.learner, "module.listByEnrollment", input).await;
    assert_eq!(modules[0]["softDeleted"], !open);
    consistent(&world).await;
}

async fn event_numbers_have_no_gap(world: World) {
    let mut calls = Vec::new();
    for course in 0..4 {
        // Every other call is refused, which takes no number.
        let capacity = if course % 2 == 0 { json!(null) } else { json!(0) };
        world.course(&format!("course {course}"), json!({ "capacity": capacity })).await;
    }
    for number in 0..15 {
        let (learner, _) =
            world.acme.person(&world.app, &format!("learner {number}"), Role::Learner, false).await;
        for course in 0..4 {
            calls.push((learner.clone(), ENROLL, json!({ "courseId": format!("<course {course}>") })));
        }
    }
    let answers = race(&world, calls).await;
    assert_eq!(answers.iter().flatten().count(), 30);
    let mut numbers = BTreeSet::new();
    for enrolled in answers.iter().flatten() {
        let input = json!({ "enrollmentId": enrolled["id"] });
        let history = world.call(&world.acme.admin, "enrollment.history", input).await.unwrap();
        numbers
            .extend(each(&history, "id").into_iter().map(|id| id.as_str().unwrap().parse::<u32>().unwrap()));
    }
    assert_eq!(numbers, (1..=30).collect());
}

/// An edit of a course and the counters of its enrollments do not overwrite each other.
async fn edits_and_enrollments(world: World) {
    world.course("course", json!({})).await;
    let mut calls = Vec::new();
    for number in 0..20 {
        let (learner, _) =
            world.acme.person(&world.app, &format!("learner {number}"), Role::Learner, false).await;
        calls.push((learner, ENROLL, json!({ "courseId": "<course>" })));
        let module = json!({ "courseId": "<course>", "title": format!("module {number}"), "kind": "lesson" });
        calls.push((world.acme.admin.clone(), "course.addModule", module));
    }
    for answer in race(&world, calls).await {
        answer.expect("no reason to refuse");
    }
    let course = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    assert_eq!((&course["seatsTaken"], &course["modulesTotal"]), (&json!(20), &json!(20)));
    consistent(&world).await;
}

async fn one_first_sign_in(world: World) {
    let stranger = world.acme.stranger("newcomer");
    let answers = race(&world, vec![(stranger, "session.me", json!({})); 20]).await;
    let people: BTreeSet<String> =
        answers.iter().map(|answer| answer.as_ref().expect("signed in")["userId"].to_string()).collect();
    assert_eq!(people.len(), 1);
    let identities = &world.contents().await["identities"];
    assert_eq!(identities.iter().filter(|row| row.contains("newcomer")).count(), 1);
    let users = &world.contents().await["users"];
    assert_eq!(users.len(), 12, "{users:#?}");
}

async fn one_edit_wins(world: World) {
    world.course("course", json!({})).await;
    let edit = |capacity: usize| json!({ "courseId": "<course>", "version": 2, "capacity": capacity });
    let calls = (0..20).map(|capacity| (world.acme.admin.clone(), "course.update", edit(capacity)));
    let answers = race(&world, calls).await;
    let won: Vec<&Value> = answers.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    let reason = json!({ "type": "versionMismatch", "current": 3 });
    assert_eq!(refusals(&answers, "course.update", "CONFLICT", &reason).len(), 19);
    let course =
        world.call(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await.unwrap();
    assert_eq!(&course, won[0]);
}

async fn one_new_slug(world: World) {
    let input = json!({ "slug": "initech", "name": "Initech" });
    let answers = race(&world, vec![(world.global_admin.clone(), "organization.create", input); 20]).await;
    assert_eq!(answers.iter().flatten().count(), 1, "{answers:#?}");
    refusals(&answers, "organization.create", "CONFLICT", &json!({ "type": "slugTaken" }));
}

async fn one_new_member(world: World) {
    let input = json!({ "subject": "newcomer", "displayName": "New Comer" });
    let answers = race(&world, vec![(world.acme.admin.clone(), "member.provision", input); 20]).await;
    let people: BTreeSet<String> =
        answers.iter().map(|answer| answer.as_ref().expect("provisioned").to_string()).collect();
    assert_eq!(people.len(), 1);
}
