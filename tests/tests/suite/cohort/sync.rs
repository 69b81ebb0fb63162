//! `cohort.sync`, and what a cohort leaves alone

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use super::{made, only_their_own, refused_to_others, standing};

on_both![
    who_is_missing_is_enrolled,
    who_is_passed_over_and_why,
    who_is_no_active_member,
    a_coordinator_syncs_learners,
    what_was_completed_is_done,
    a_learner_s_no_stands,
    until_a_person_enrolls_them_again,
    a_person_s_cancel_is_a_tombstone,
    a_person_s_revocation_is_a_tombstone,
    what_ends_by_itself_is_no_tombstone,
    more_places_than_one_transaction_takes,
    under_a_key,
    unknown_and_foreign,
    by_whom,
];

const SYNC: &str = "cohort.sync";
const ENROLL: &str = "enrollment.enroll";
const UNENROLL: &str = "enrollment.unenroll";

fn report(enrolled: i32, waitlisted: i32, skipped: &[Value]) -> Value {
    json!({ "enrolled": enrolled, "waitlisted": waitlisted, "skipped": skipped })
}

fn skipped(user: &str, course: &str, reason: Value) -> Value {
    json!({ "userId": user, "courseId": course, "reason": reason })
}

fn tombstone() -> Value {
    skipped("<learner>", "<course>", json!({ "type": "tombstone" }))
}

async fn synced(world: &World, actor: &Actor) -> Value {
    world.ok(actor, SYNC, json!({ "cohortId": "<cohort>" })).await
}

fn learner() -> Value {
    json!({ "courseId": "<course>", "userId": "<learner>" })
}

/// `<cohort>`, which has enrolled the learner and the peer in `<course>`.
async fn with_two_learners(world: &World, course: Value) {
    world.course("course", course).await;
    made(world, "cohort", json!({ "userIds": ["<learner>", "<peer>"], "courseIds": ["<course>"] })).await;
}

async fn who_is_missing_is_enrolled(world: World) {
    with_two_learners(&world, json!({})).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for user in ["<learner>", "<peer>"] {
        let input = json!({ "courseId": "<course>", "userId": user });
        world.ok(&service, UNENROLL, input).await;
    }
    world.capacity("<course>", json!(1)).await;
    expect(&synced(&world, &world.acme.coordinator).await, &report(1, 1, &[]));
    let statuses = standing(&world, "<course>", &["<learner>", "<peer>"]).await;
    assert_eq!(statuses, json!(["enrolled", "waitlisted"]));

    let before = world.contents().await;
    expect(&synced(&world, &world.acme.coordinator).await, &report(0, 0, &[]));
    assert_eq!(world.contents().await, before);
}

/// The rules are those of enrolling.
async fn who_is_passed_over_and_why(world: World) {
    world.course("course", json!({})).await;
    world.course("full", json!({ "capacity": 0, "waitlist": false })).await;
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.course("opens", json!({ "opensAt": "2124-05-06T07:08:09Z" })).await;
    world.course("closed", json!({ "closesAt": "2020-01-01T00:00:00Z" })).await;
    let courses = ["<course>", "<full>", "<draft>", "<opens>", "<closed>"];
    made(&world, "cohort", json!({ "userIds": ["<learner>"], "courseIds": courses })).await;
    world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    let before = world.contents().await;
    let answer = synced(&world, &world.acme.admin).await;
    let reasons = [
        json!({ "type": "tombstone" }),
        json!({ "type": "courseFull", "capacity": 0 }),
        json!({ "type": "courseNotPublished" }),
        json!({ "type": "notOpenYet", "opensAt": "2124-05-06T07:08:09.000000Z" }),
        json!({ "type": "closed", "closedAt": "2020-01-01T00:00:00.000000Z" }),
    ];
    let places = courses.into_iter().zip(reasons);
    let expected: Vec<Value> = places.map(|(course, reason)| skipped("<learner>", course, reason)).collect();
    expect(&answer, &report(0, 0, &expected));
    assert_eq!(world.contents().await, before);
}

/// D19.
async fn who_is_no_active_member(world: World) {
    world.course("course", json!({})).await;
    world.membership("suspend", "<learner>").await;
    world.membership("end", "<peer>").await;
    made(&world, "cohort", json!({ "userIds": ["<learner>", "<peer>"], "courseIds": ["<course>"] })).await;
    let passed_over = ["<learner>", "<peer>"].map(|user| {
        let reason = json!({ "type": "notAMember" });
        skipped(user, "<course>", reason)
    });
    expect(&synced(&world, &world.acme.admin).await, &report(0, 0, &passed_over));
    world.membership("resume", "<learner>").await;
    expect(&synced(&world, &world.acme.admin).await, &report(1, 0, &passed_over[1..]));
}

/// D21: being in a cohort is no way around it.
async fn a_coordinator_syncs_learners(world: World) {
    world.course("course", json!({})).await;
    made(&world, "cohort", json!({ "userIds": ["<author>", "<learner>"] })).await;
    let input = json!({ "cohortId": "<cohort>", "courseId": "<course>" });
    world.ok(&world.acme.coordinator, "cohort.attachCourse", input).await;
    let remover = world.service(&[Scope::EnrollmentsWrite]).await;
    world.ok(&remover, UNENROLL, learner()).await;
    let passed_over = skipped("<author>", "<course>", json!({ "type": "roleRequired" }));
    expect(&synced(&world, &world.acme.coordinator).await, &report(1, 0, &[passed_over]));
    assert_eq!(standing(&world, "<course>", &["<author>", "<learner>"]).await, json!([null, "enrolled"]));
    // Nor does it help that someone else lets the cohort enroll: it was a coordinator who attached the course.
    let service = world.service(&[Scope::CohortsWrite]).await;
    let passed_over = skipped("<author>", "<course>", json!({ "type": "roleRequired" }));
    expect(&synced(&world, &service).await, &report(0, 0, &[passed_over]));
    let input = json!({ "cohortId": "<cohort>", "courseId": "<course>" });
    world.ok(&world.acme.admin, "cohort.attachCourse", input).await;
    assert_eq!(standing(&world, "<course>", &["<author>"]).await, json!(["enrolled"]));
}

/// D8 is for people to ask for: to a cohort a completion is done for good, however old its certificate.
async fn what_was_completed_is_done(world: World) {
    world.course("course", json!({ "certificateValidDays": 1 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    made(&world, "cohort", json!({ "userIds": ["<learner>"], "courseIds": ["<course>"] })).await;
    world.completed("<enrollment>").await;
    world.clock_ahead(Duration::from_secs(2 * 86_400));
    let before = world.contents().await;
    expect(&synced(&world, &world.acme.admin).await, &report(0, 0, &[]));
    assert_eq!(world.contents().await, before);
    let again = world.ok(&world.acme.learner, ENROLL, json!({ "courseId": "<course>" })).await;
    assert_eq!(again["attempt"], 2, "the certificate has expired");
}

/// D20: whatever a cohort is told.
async fn a_learner_s_no_stands(world: World) {
    with_two_learners(&world, json!({})).await;
    world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    let members = json!({ "cohortId": "<cohort>", "userIds": ["<learner>"] });
    let course = json!({ "cohortId": "<cohort>", "courseId": "<course>" });
    let publication = json!({ "courseId": "<course>" });
    for (path, input) in [
        ("cohort.addMembers", &members),
        ("cohort.removeMembers", &members),
        ("cohort.addMembers", &members),
        ("cohort.detachCourse", &course),
        ("cohort.attachCourse", &course),
        ("course.unpublish", &publication),
        ("course.publish", &publication),
    ] {
        world.ok(&world.acme.admin, path, input.clone()).await;
        let statuses = standing(&world, "<course>", &["<learner>", "<peer>"]).await;
        assert_eq!(statuses, json!(["cancelled", "enrolled"]), "{path}");
    }
    made(&world, "second", json!({ "userIds": ["<learner>"], "courseIds": ["<course>"] })).await;
    expect(&synced(&world, &world.acme.admin).await, &report(0, 0, &[tombstone()]));
    assert_eq!(standing(&world, "<course>", &["<learner>"]).await, json!(["cancelled"]));
}

/// D20: a service that enrolls them is none.
async fn until_a_person_enrolls_them_again(world: World) {
    with_two_learners(&world, json!({})).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for (actor, expected) in [
        (&service, report(0, 0, &[tombstone()])),
        (&world.acme.coordinator, report(1, 0, &[])),
        (&world.acme.learner, report(1, 0, &[])),
    ] {
        world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
        world.ok(actor, ENROLL, learner()).await;
        world.ok(&service, UNENROLL, learner()).await;
        expect(&synced(&world, &world.acme.admin).await, &expected);
        if expected["enrolled"] == 0 {
            world.ok(&world.acme.admin, ENROLL, learner()).await;
        }
    }
}

/// D20: whichever person's it is; a service's is none.
async fn a_person_s_cancel_is_a_tombstone(world: World) {
    with_two_learners(&world, json!({})).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for actor in [&world.acme.learner, &world.acme.coordinator, &world.acme.admin, &world.global_admin] {
        world.ok(actor, UNENROLL, learner()).await;
        expect(&synced(&world, &world.acme.admin).await, &report(0, 0, &[tombstone()]));
        world.ok(&world.acme.coordinator, ENROLL, learner()).await;
    }
    world.ok(&service, UNENROLL, learner()).await;
    expect(&synced(&world, &world.acme.admin).await, &report(1, 0, &[]));
    let found = world.ok(&world.acme.admin, "enrollment.find", learner()).await;
    assert_eq!([&found["source"], &found["enrolledByUserId"]], [&json!("cohort"), &json!(null)]);
    assert_eq!(found["attempt"], 6);

    // A place on the waitlist is a place.
    world.capacity("<course>", json!(1)).await;
    world.ok(&service, UNENROLL, learner()).await;
    expect(&synced(&world, &world.acme.admin).await, &report(0, 1, &[]));
    world.ok(&world.acme.learner, UNENROLL, json!({ "courseId": "<course>" })).await;
    expect(&synced(&world, &world.acme.admin).await, &report(0, 0, &[tombstone()]));
}

/// D5, D20.
async fn a_person_s_revocation_is_a_tombstone(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    made(&world, "cohort", json!({ "userIds": ["<learner>"], "courseIds": ["<course>"] })).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for (actor, expected) in
        [(&world.acme.admin, report(0, 0, &[tombstone()])), (&service, report(1, 0, &[]))]
    {
        world.completed("<enrollment>").await;
        let input = json!({ "enrollmentId": "<enrollment>", "reason": "by mistake" });
        world.ok(actor, "enrollment.revoke", input).await;
        expect(&synced(&world, &world.acme.coordinator).await, &expected);
        if expected["enrolled"] == 0 {
            world.ok(&world.acme.learner, ENROLL, json!({ "courseId": "<course>" })).await;
        }
    }
}

/// D19, D20: the end of a membership, the end of access.
async fn what_ends_by_itself_is_no_tombstone(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    made(&world, "cohort", json!({ "userIds": ["<learner>"], "courseIds": ["<course>"] })).await;
    world.expired("<enrollment>").await;
    expect(&synced(&world, &world.acme.admin).await, &report(1, 0, &[]));
    world.membership("end", "<learner>").await;
    world.ok(&world.acme.admin, "member.provision", json!({ "subject": "learner" })).await;
    assert_eq!(standing(&world, "<course>", &["<learner>"]).await, json!(["cancelled"]));
    expect(&synced(&world, &world.acme.admin).await, &report(1, 0, &[]));
    let input = json!({ "enrollmentId": "<enrollment>" });
    let found = world.ok(&world.acme.learner, "enrollment.get", input).await;
    assert_eq!([&found["status"], &found["source"]], ["enrolled", "cohort"]);
    assert_eq!(found["attempt"], 3);
}

/// 550 places are two transactions, and the second begins in the middle of a course.
async fn more_places_than_one_transaction_takes(world: World) {
    let mut people = Vec::new();
    for number in 0..110 {
        let input = json!({ "subject": format!("member {number}") });
        let member = world.call(&world.acme.admin, "member.provision", input).await.unwrap();
        people.push(member["userId"].clone());
    }
    let courses: Vec<String> = (1..=5).map(|number| format!("<course {number}>")).collect();
    for number in 1..=5 {
        let full = json!({ "capacity": 0, "waitlist": false });
        world.course(&format!("course {number}"), full).await;
    }
    made(&world, "cohort", json!({ "userIds": people, "courseIds": courses })).await;
    let input = json!({ "cohortId": "<cohort>" });
    let full = world.call(&world.acme.admin, SYNC, input.clone()).await.unwrap();
    let skipped = full["skipped"].as_array().unwrap();
    assert_eq!((&full["enrolled"], skipped.len()), (&json!(0), 550));
    assert!(skipped.iter().all(|place| place["reason"] == json!({ "type": "courseFull", "capacity": 0 })));

    for course in &courses {
        world.capacity(course, json!(null)).await;
    }
    expect(&world.ok(&world.acme.admin, SYNC, input).await, &report(550, 0, &[]));
    for course in &courses {
        let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": course })).await;
        assert_eq!(count["enrolled"], 110);
    }
}

async fn under_a_key(world: World) {
    with_two_learners(&world, json!({})).await;
    made(&world, "second", json!({})).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    world.ok(&service, UNENROLL, learner()).await;
    let keyed = |cohort: &str| json!({ "cohortId": cohort, "idempotencyKey": "k" });
    let first = world.ok(&world.acme.coordinator, SYNC, keyed("<cohort>")).await;
    expect(&first, &report(1, 0, &[]));
    // What has changed since is for another call.
    world.ok(&service, UNENROLL, learner()).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.coordinator, SYNC, keyed("<cohort>")).await, &first);
    assert_eq!(world.contents().await, before);
    let error = world.refused(&world.acme.coordinator, SYNC, keyed("<second>")).await;
    expect(&error, &refusal(SYNC, "UNPROCESSABLE_CONTENT", json!(null)));
}

async fn unknown_and_foreign(world: World) {
    only_their_own(&world, &[(SYNC, json!({}))]).await;
}

async fn by_whom(world: World) {
    with_two_learners(&world, json!({})).await;
    refused_to_others(&world, SYNC, &json!({ "cohortId": "<cohort>" })).await;
    let remover = world.service(&[Scope::EnrollmentsWrite]).await;
    let service = world.service(&[Scope::CohortsWrite]).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
        world.ok(&remover, UNENROLL, learner()).await;
        expect(&synced(&world, actor).await, &report(1, 0, &[]));
    }
}
