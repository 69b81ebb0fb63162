//! `enrollment.onChange`: what happens, as it happens, to whoever may see it.

use std::time::Duration;

use futures_util::StreamExt;
use procedures::error::Reason;
use procedures::event;
use procedures::limits::SESSION_RECHECK;
use procedures::member::Role;
use procedures::router::Items;
use serde_json::{Value, json};
use tests::{World, on_both, on_postgres};

on_both![
    in_order_and_as_it_happens,
    resumed_without_a_gap_or_a_double,
    of_what_the_caller_may_see,
    narrowed_with_the_role,
    what_was_read_ahead_is_decided_anew,
    ended_with_the_membership,
    not_after_an_event_to_come,
    written_by_another_process,
    found_by_a_look,
];
on_postgres![told_by_a_notification];

const ON_CHANGE: &str = "enrollment.onChange";

/// How long a test waits for what is to come.
const PATIENCE: Duration = Duration::from_secs(20);

async fn next(items: &mut Items) -> (String, Value) {
    let item = tokio::time::timeout(PATIENCE, items.next()).await.expect("in time").expect("goes on");
    let item = item.expect("an item");
    (item.id, serde_json::from_str(item.data.get()).expect("JSON"))
}

/// The kinds of the next events, and the last one's id.
async fn kinds(items: &mut Items, count: usize) -> (Vec<String>, String) {
    let (mut kinds, mut last) = (Vec::new(), String::new());
    for _ in 0..count {
        let (id, event) = next(items).await;
        assert_eq!(event["id"], id, "tracked by the event's id");
        assert!(id > last, "in order");
        kinds.push(event["kind"].as_str().expect("a kind").to_owned());
        last = id;
    }
    (kinds, last)
}

async fn in_order_and_as_it_happens(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let learner = world.acme.learner.clone();
    world.ok(&learner, "enrollment.enroll", course.clone()).await;
    let mut items = world.subscribe(&world.app, &world.acme.coordinator, ON_CHANGE, course.clone()).await;
    world.ok(&learner, "enrollment.unenroll", course.clone()).await;
    world.ok(&learner, "enrollment.enroll", course.clone()).await;
    world.ok(&world.acme.peer, "enrollment.enroll", course).await;
    // What was before is not told.
    assert_eq!(kinds(&mut items, 3).await.0, ["cancelled", "reactivated", "enrolled"]);
}

async fn resumed_without_a_gap_or_a_double(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let learner = world.acme.learner.clone();
    let mut items = world.subscribe(&world.app, &learner, ON_CHANGE, json!({})).await;
    for _ in 0..60 {
        world.ok(&learner, "enrollment.enroll", course.clone()).await;
        world.ok(&learner, "enrollment.unenroll", course.clone()).await;
    }
    let (first, last) = kinds(&mut items, 7).await;
    drop(items);
    let resumed = json!({ "lastEventId": last });
    let mut items = world.subscribe(&world.app, &learner, ON_CHANGE, resumed).await;
    let (rest, _) = kinds(&mut items, 120 - 7).await;
    let all: Vec<String> = first.into_iter().chain(rest).collect();
    let alternating = |place: usize| match place {
        0 => "enrolled",
        place if place % 2 == 0 => "reactivated",
        _ => "cancelled",
    };
    assert_eq!(all, (0..120).map(alternating).collect::<Vec<_>>());
}

async fn of_what_the_caller_may_see(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let mut own = world.subscribe(&world.app, &world.acme.learner, ON_CHANGE, course.clone()).await;
    let mut foreign = world.subscribe(&world.app, &world.globex.admin, ON_CHANGE, course.clone()).await;
    world.ok(&world.acme.peer, "enrollment.enroll", course.clone()).await;
    world.ok(&world.acme.learner, "enrollment.enroll", course.clone()).await;
    let (_, event) = next(&mut own).await;
    let found = world.call(&world.acme.learner, "enrollment.find", course).await.expect("an enrollment");
    assert_eq!(event["enrollmentId"], found["id"], "a learner follows their own enrollments alone");
    let nothing = tokio::time::timeout(Duration::from_secs(3), foreign.next()).await;
    assert!(nothing.is_err(), "another tenant's course tells nothing");
}

/// A role holds for what is told from then on, too.
async fn narrowed_with_the_role(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let demoted = world.person("demoted", Role::Coordinator).await;
    let mut items = world.subscribe(&world.app, &demoted, ON_CHANGE, course.clone()).await;
    world.ok(&world.acme.learner, "enrollment.enroll", course.clone()).await;
    assert_eq!(kinds(&mut items, 1).await.0, ["enrolled"]);
    let learner = json!({ "userId": "<demoted>", "role": "learner" });
    world.ok(&world.acme.admin, "member.setRole", learner).await;
    // Told until it is noticed, which takes a while at the most.
    tokio::time::sleep(SESSION_RECHECK + Duration::from_secs(1)).await;
    world.ok(&world.acme.learner, "enrollment.unenroll", course.clone()).await;
    world.ok(&demoted, "enrollment.enroll", course.clone()).await;
    let (_, event) = next(&mut items).await;
    assert_eq!((&event["kind"], &event["userId"]), (&json!("enrolled"), &json!(world.id("<demoted>"))));
}

/// Events that were read, but not told yet, are told to who the caller is by then: none twice, none left out.
async fn what_was_read_ahead_is_decided_anew(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let demoted = world.person("demoted", Role::Coordinator).await;
    let mut items = world.subscribe(&world.app, &demoted, ON_CHANGE, course.clone()).await;
    for method in ["enrollment.enroll", "enrollment.unenroll", "enrollment.enroll"] {
        world.ok(&world.acme.learner, method, course.clone()).await;
        world.ok(&demoted, method, course.clone()).await;
    }
    // With the first, all are read.
    let (_, first) = next(&mut items).await;
    assert_eq!((&first["kind"], &first["userId"]), (&json!("enrolled"), &json!(world.id("<learner>"))));
    world.ok(&world.acme.admin, "member.setRole", json!({ "userId": "<demoted>", "role": "learner" })).await;
    tokio::time::sleep(SESSION_RECHECK + Duration::from_secs(1)).await;
    for kind in ["enrolled", "cancelled", "reactivated"] {
        let (_, event) = next(&mut items).await;
        assert_eq!((&event["kind"], &event["userId"]), (&json!(kind), &json!(world.id("<demoted>"))));
    }
}

async fn ended_with_the_membership(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let suspended = world.person("suspended", Role::Coordinator).await;
    let mut items = world.subscribe(&world.app, &suspended, ON_CHANGE, course.clone()).await;
    world.membership("suspend", "<suspended>").await;
    tokio::time::sleep(SESSION_RECHECK + Duration::from_secs(1)).await;
    world.ok(&world.acme.learner, "enrollment.enroll", course).await;
    let item = tokio::time::timeout(PATIENCE, items.next()).await.expect("in time").expect("an item");
    let error = item.map(|item| item.data.get().to_owned()).expect_err("the session's end comes first");
    assert_eq!(error.reason(), Some(&Reason::NotAMember));
    assert!(items.next().await.is_none(), "nothing comes after it");
}

/// An id from before a backup was restored, say: what comes before it could not be told from what was seen.
async fn not_after_an_event_to_come(world: World) {
    let input = json!({ "lastEventId": "0000000000000099" });
    let error = world.refused(&world.acme.coordinator, ON_CHANGE, input).await;
    let reason =
        json!({ "type": "invalidInput", "field": "lastEventId", "problem": "no event has had this id" });
    assert_eq!((&error["data"]["code"], &error["data"]["reason"]), (&json!("BAD_REQUEST"), &reason));
}

async fn written_by_another_process(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let here = world.another_app();
    let relays = [world.app.clone(), here.clone()].map(|app| tokio::spawn(event::relay(app)));
    let mut items = world.subscribe(&here, &world.acme.coordinator, ON_CHANGE, course.clone()).await;
    world.ok(&world.acme.learner, "enrollment.enroll", course).await;
    assert_eq!(kinds(&mut items, 1).await.0, ["enrolled"]);
    for relay in relays {
        relay.abort();
    }
}

/// A look of its own would find it as well; here nothing but the notification can.
async fn told_by_a_notification(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let here = world.another_app();
    let mut wakeups = here.wakeups.listen(world.acme.id.parse().expect("an id"));
    let (there, listening) = (world.app.clone(), here.clone());
    let relays = [
        tokio::spawn(async move { event::notify_others(&there).await }),
        tokio::spawn(async move { event::listen_to_others(&listening).await }),
    ];
    // It is told once that it listens.
    woken(&mut wakeups).await;
    world.ok(&world.acme.learner, "enrollment.enroll", course.clone()).await;
    woken(&mut wakeups).await;
    // What changes nothing is not worth telling.
    world.refused(&world.acme.learner, "enrollment.enroll", course).await;
    let quiet = tokio::time::timeout(Duration::from_secs(1), wakeups.changed()).await;
    assert!(quiet.is_err(), "told of a refusal");
    for relay in relays {
        relay.abort();
    }
}

/// The writer has committed, and told nobody: it died.
async fn found_by_a_look(world: World) {
    let course = json!({ "courseId": world.course("course", json!({})).await });
    let here = world.another_app();
    let mut wakeups = here.wakeups.listen(world.acme.id.parse().expect("an id"));
    let looking = here.clone();
    let look = tokio::spawn(async move { event::look(&looking).await });
    woken(&mut wakeups).await;
    world.ok(&world.acme.learner, "enrollment.enroll", course).await;
    woken(&mut wakeups).await;
    look.abort();
}

async fn woken(wakeups: &mut tokio::sync::watch::Receiver<u64>) {
    tokio::time::timeout(PATIENCE, wakeups.changed()).await.expect("in time").expect("its sender lives");
}
