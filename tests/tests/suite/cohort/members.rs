//! `cohort.addMembers`, `cohort.removeMembers`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::{UNKNOWN, cohort, made, not_there, only_their_own, refused_to_others, standing};

on_both![
    who_joins_is_enrolled_in_all_courses,
    who_is_in_it_already_is_enrolled_where_they_are_not,
    who_is_taken_out_stays_enrolled,
    as_many_as_can_be_named,
    under_a_key,
    unknown_and_foreign,
    by_whom,
];

const ADD: &str = "cohort.addMembers";
const REMOVE: &str = "cohort.removeMembers";

fn people(users: &[&str]) -> Value {
    json!({ "cohortId": "<cohort>", "userIds": users })
}

/// D20.
async fn who_joins_is_enrolled_in_all_courses(world: World) {
    let courses = ["<course>", "<other>"];
    world.course("course", json!({})).await;
    world.course("other", json!({})).await;
    made(&world, "cohort", json!({ "userIds": ["<peer>"], "courseIds": courses })).await;
    let answer = world.ok(&world.acme.coordinator, ADD, people(&["<learner>", "<author>"])).await;
    expect(&answer, &cohort(json!({ "memberCount": 3, "courseIds": courses })));
    let stored = world.ok(&world.acme.coordinator, "cohort.get", json!({ "cohortId": "<cohort>" })).await;
    expect(&stored, &answer);
    for course in courses {
        // D21: of those whom a coordinator adds, the learners.
        let statuses = standing(&world, course, &["<peer>", "<learner>", "<author>"]).await;
        assert_eq!(statuses, json!(["enrolled", "enrolled", null]));
    }
}

async fn who_is_in_it_already_is_enrolled_where_they_are_not(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    made(&world, "cohort", json!({ "userIds": ["<learner>"], "courseIds": ["<course>"] })).await;
    world.expired("<enrollment>").await;
    let answer = world.ok(&world.acme.coordinator, ADD, people(&["<learner>", "<learner>"])).await;
    expect(&answer, &cohort(json!({ "memberCount": 1, "courseIds": ["<course>"] })));
    let input = json!({ "enrollmentId": "<enrollment>" });
    let again = world.ok(&world.acme.learner, "enrollment.get", input).await;
    assert_eq!([&again["status"], &again["source"]], ["enrolled", "cohort"]);
    assert_eq!([&again["attempt"], &again["version"]], [2, 3]);

    let before = world.contents().await;
    world.ok(&world.acme.coordinator, ADD, people(&["<learner>"])).await;
    world.ok(&world.acme.coordinator, ADD, people(&[])).await;
    assert_eq!(world.contents().await, before);
}

/// D20: what they are enrolled in stands, and nothing is added to it until they are in again.
async fn who_is_taken_out_stays_enrolled(world: World) {
    let both = ["<learner>", "<peer>"];
    world.course("course", json!({})).await;
    world.course("later", json!({})).await;
    made(&world, "cohort", json!({ "userIds": both, "courseIds": ["<course>"] })).await;
    let before = world.contents().await;
    // The author was not in it.
    let answer = world.ok(&world.acme.coordinator, REMOVE, people(&["<learner>", "<author>"])).await;
    expect(&answer, &cohort(json!({ "memberCount": 1, "courseIds": ["<course>"] })));
    let after = world.contents().await;
    for table in ["course_enrollments", "events"] {
        assert_eq!(after[table], before[table]);
    }
    assert_eq!(after["cohort_members"].len(), 2, "D24: nothing is deleted");
    expect(&world.ok(&world.acme.coordinator, REMOVE, people(&["<learner>"])).await, &answer);
    assert_eq!(world.contents().await, after);

    let later = json!({ "cohortId": "<cohort>", "courseId": "<later>" });
    world.ok(&world.acme.admin, "cohort.attachCourse", later).await;
    world.ok(&world.acme.admin, "cohort.sync", json!({ "cohortId": "<cohort>" })).await;
    assert_eq!(standing(&world, "<later>", &both).await, json!([null, "enrolled"]));
    let answer = world.ok(&world.acme.admin, ADD, people(&["<learner>"])).await;
    expect(&answer, &cohort(json!({ "memberCount": 2, "courseIds": ["<course>", "<later>"] })));
    assert_eq!(standing(&world, "<later>", &both).await, json!(["enrolled", "enrolled"]));
}

async fn as_many_as_can_be_named(world: World) {
    made(&world, "cohort", json!({})).await;
    for (path, count) in [(ADD, 1), (REMOVE, 0)] {
        let error = world.refused(&world.acme.admin, path, people(&["<learner>"; 1001])).await;
        let reason = json!({ "type": "invalidInput", "field": "userIds", "problem": "more than 1000" });
        expect(&error, &refusal(path, "BAD_REQUEST", reason));
        let answer = world.ok(&world.acme.admin, path, people(&["<learner>"; 1000])).await;
        expect(&answer, &cohort(json!({ "memberCount": count })));
    }
}

async fn under_a_key(world: World) {
    world.course("course", json!({ "capacity": 0, "waitlist": false })).await;
    made(&world, "cohort", json!({ "courseIds": ["<course>"] })).await;
    let mut input = people(&["<learner>"]);
    input["idempotencyKey"] = "k".into();
    let first = world.ok(&world.acme.coordinator, ADD, input.clone()).await;
    expect(&first, &cohort(json!({ "memberCount": 1, "courseIds": ["<course>"] })));
    let before = world.contents().await;
    expect(&world.ok(&world.acme.coordinator, ADD, input.clone()).await, &first);
    assert_eq!(world.contents().await, before);

    // Its key answers as it did, and does nothing more; what is left to do is cohort.sync's.
    world.capacity("<course>", json!(2)).await;
    expect(&world.ok(&world.acme.coordinator, ADD, input.clone()).await, &first);
    assert_eq!(standing(&world, "<course>", &["<learner>"]).await, json!([null]));
    world.ok(&world.acme.coordinator, "cohort.sync", json!({ "cohortId": "<cohort>" })).await;
    assert_eq!(standing(&world, "<course>", &["<learner>"]).await, json!(["enrolled"]));

    input["userIds"] = json!(["<peer>"]);
    let error = world.refused(&world.acme.coordinator, ADD, input).await;
    expect(&error, &refusal(ADD, "UNPROCESSABLE_CONTENT", json!(null)));
}

/// D17: what was said of the others is not done either.
async fn unknown_and_foreign(world: World) {
    world.course("course", json!({})).await;
    made(&world, "cohort", json!({ "userIds": ["<peer>"], "courseIds": ["<course>"] })).await;
    for path in [ADD, REMOVE] {
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            for user in [UNKNOWN, "<globex learner>", "<global admin>"] {
                let error = world.refused(actor, path, people(&["<learner>", "<peer>", user])).await;
                expect(&error, &not_there(path, "valid_user_id"));
            }
        }
    }
    let input = json!({ "userIds": ["<learner>"] });
    only_their_own(&world, &[(ADD, input.clone()), (REMOVE, input)]).await;
}

async fn by_whom(world: World) {
    made(&world, "cohort", json!({})).await;
    let input = people(&["<learner>"]);
    let service = world.service(&[Scope::CohortsWrite]).await;
    for (path, count) in [(ADD, 1), (REMOVE, 0)] {
        refused_to_others(&world, path, &input).await;
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
            let answer = world.ok(actor, path, input.clone()).await;
            expect(&answer, &cohort(json!({ "memberCount": count })));
        }
    }
}
