//! `cohort.attachCourse`, `cohort.detachCourse`, and what `course.publish` does for cohorts

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::{UNKNOWN, cohort, made, not_there, only_their_own, refused_to_others, standing};
use crate::answers::published;

on_both![
    a_course_that_is_attached_takes_all_members,
    a_draft_takes_them_once_it_is_published,
    a_publication_repeated_by_its_key,
    an_archived_course_takes_them_once_it_is_published_again,
    a_course_that_is_detached_keeps_whom_it_has,
    a_hundred_courses_and_no_more,
    under_a_key,
    unknown_and_foreign,
    by_whom,
];

const ATTACH: &str = "cohort.attachCourse";
const DETACH: &str = "cohort.detachCourse";

const BOTH: [&str; 2] = ["<learner>", "<peer>"];

fn course_is(id: &str) -> Value {
    json!({ "cohortId": "<cohort>", "courseId": id })
}

/// D20, D21: by a coordinator, all who are learners.
async fn a_course_that_is_attached_takes_all_members(world: World) {
    world.course("other", json!({})).await;
    world.course("course", json!({ "capacity": 1 })).await;
    made(&world, "cohort", json!({ "userIds": ["<learner>", "<peer>", "<author>"] })).await;
    let answer = world.ok(&world.acme.coordinator, ATTACH, course_is("<course>")).await;
    expect(&answer, &cohort(json!({ "memberCount": 3, "courseIds": ["<course>"] })));
    let stored = world.ok(&world.acme.coordinator, "cohort.get", json!({ "cohortId": "<cohort>" })).await;
    expect(&stored, &answer);
    let people = ["<learner>", "<peer>", "<author>"];
    assert_eq!(standing(&world, "<course>", &people).await, json!(["enrolled", "waitlisted", null]));

    let before = world.contents().await;
    expect(&world.ok(&world.acme.coordinator, ATTACH, course_is("<course>")).await, &answer);
    assert_eq!(world.contents().await, before);
    let answer = world.ok(&world.acme.admin, ATTACH, course_is("<other>")).await;
    expect(&answer, &cohort(json!({ "memberCount": 3, "courseIds": ["<other>", "<course>"] })));
    assert_eq!(standing(&world, "<other>", &people).await, json!(["enrolled", "enrolled", "enrolled"]));
}

/// D16, D20: it is the cohort's wish, so its author, who has nothing to do with cohorts, brings it about.
async fn a_draft_takes_them_once_it_is_published(world: World) {
    world.draft_in(&world.acme, "course", json!({ "authorIds": ["<author>"] })).await;
    made(&world, "cohort", json!({ "userIds": ["<learner>", "<peer>", "<author>"] })).await;
    let answer = world.ok(&world.acme.coordinator, ATTACH, course_is("<course>")).await;
    expect(&answer, &cohort(json!({ "memberCount": 3, "courseIds": ["<course>"] })));
    assert_eq!(standing(&world, "<course>", &BOTH).await, json!([null, null]));

    let answer = world.ok(&world.acme.author, "course.publish", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "authorIds": ["<author>"],
        "createdAt": "<t2>", "publishedAt": "<t3>", "updatedAt": "<t3>",
    });
    expect(&answer, &published(expected));
    for user in BOTH {
        let input = json!({ "courseId": "<course>", "userId": user });
        let found = world.ok(&world.acme.admin, "enrollment.find", input).await;
        assert_eq!([&found["status"], &found["source"]], ["enrolled", "cohort"]);
        assert_eq!(found["enrolledByUserId"], json!(null));
    }
    // D21: it was a coordinator who attached it.
    assert_eq!(standing(&world, "<course>", &["<author>"]).await, json!([null]));
}

/// Its answer is kept as any other.
async fn a_publication_repeated_by_its_key(world: World) {
    world.draft_in(&world.acme, "course", json!({})).await;
    made(&world, "cohort", json!({ "userIds": BOTH, "courseIds": ["<course>"] })).await;
    let input = json!({ "courseId": "<course>", "idempotencyKey": "k" });
    let first = world.ok(&world.acme.admin, "course.publish", input.clone()).await;
    // What has happened since stays as it is.
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let left = json!({ "courseId": "<course>", "userId": "<peer>" });
    world.ok(&service, "enrollment.unenroll", left).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, "course.publish", input).await, &first);
    assert_eq!(world.contents().await, before);
}

async fn an_archived_course_takes_them_once_it_is_published_again(world: World) {
    let input = json!({ "courseId": "<course>" });
    world.course("course", json!({})).await;
    world.ok(&world.acme.admin, "course.archive", input.clone()).await;
    made(&world, "cohort", json!({ "userIds": ["<peer>"], "courseIds": ["<course>"] })).await;
    made(&world, "second", json!({ "userIds": ["<learner>", "<peer>"], "courseIds": ["<course>"] })).await;
    assert_eq!(standing(&world, "<course>", &BOTH).await, json!([null, null]));
    world.ok(&world.acme.admin, "course.publish", input.clone()).await;
    let course = world.ok(&world.acme.admin, "course.get", input).await;
    assert_eq!(course["seatsTaken"], 2, "whoever is in two cohorts is enrolled once");
    assert_eq!(standing(&world, "<course>", &BOTH).await, json!(["enrolled", "enrolled"]));
}

/// D20.
async fn a_course_that_is_detached_keeps_whom_it_has(world: World) {
    world.course("course", json!({})).await;
    world.course("other", json!({})).await;
    let input = json!({ "userIds": ["<learner>"], "courseIds": ["<course>", "<other>"] });
    made(&world, "cohort", input).await;
    let before = world.contents().await;
    let answer = world.ok(&world.acme.coordinator, DETACH, course_is("<course>")).await;
    expect(&answer, &cohort(json!({ "memberCount": 1, "courseIds": ["<other>"] })));
    let after = world.contents().await;
    for table in ["course_enrollments", "events"] {
        assert_eq!(after[table], before[table]);
    }
    assert_eq!(after["cohort_courses"].len(), 2, "D24: nothing is deleted");
    expect(&world.ok(&world.acme.coordinator, DETACH, course_is("<course>")).await, &answer);
    assert_eq!(world.contents().await, after);

    // Whoever joins afterwards is enrolled once it is attached again.
    let input = json!({ "cohortId": "<cohort>", "userIds": ["<peer>"] });
    world.ok(&world.acme.admin, "cohort.addMembers", input).await;
    assert_eq!(standing(&world, "<course>", &BOTH).await, json!(["enrolled", null]));
    world.ok(&world.acme.admin, "course.unpublish", json!({ "courseId": "<course>" })).await;
    world.ok(&world.acme.admin, "course.publish", json!({ "courseId": "<course>" })).await;
    assert_eq!(standing(&world, "<course>", &BOTH).await, json!(["enrolled", null]));
    let answer = world.ok(&world.acme.admin, ATTACH, course_is("<course>")).await;
    assert_eq!(answer["courseIds"], json!(["<course>", "<other>"]));
    assert_eq!(standing(&world, "<course>", &BOTH).await, json!(["enrolled", "enrolled"]));
}

async fn a_hundred_courses_and_no_more(world: World) {
    let mut ids = Vec::new();
    for number in 0..=100 {
        ids.push(world.draft_in(&world.acme, &format!("course {number}"), json!({})).await);
    }
    made(&world, "cohort", json!({ "courseIds": ids[..100] })).await;
    let error = world.refused(&world.acme.admin, ATTACH, course_is("<course 100>")).await;
    let problem = "the cohort would have more than 100 courses";
    let reason = json!({ "type": "invalidInput", "field": "courseId", "problem": problem });
    expect(&error, &refusal(ATTACH, "BAD_REQUEST", reason));
    // One that it has is not one more, and one that is detached makes room.
    world.ok(&world.acme.admin, ATTACH, course_is("<course 99>")).await;
    world.ok(&world.acme.admin, DETACH, course_is("<course 0>")).await;
    let answer = world.ok(&world.acme.admin, ATTACH, course_is("<course 100>")).await;
    assert_eq!(answer["courseIds"].as_array().unwrap().len(), 100);
}

async fn under_a_key(world: World) {
    world.course("course", json!({})).await;
    made(&world, "cohort", json!({ "userIds": ["<learner>"] })).await;
    let mut input = course_is("<course>");
    input["idempotencyKey"] = "k".into();
    let attached = world.ok(&world.acme.coordinator, ATTACH, input.clone()).await;
    let detached = world.ok(&world.acme.coordinator, DETACH, input.clone()).await;
    assert_eq!([&attached["courseIds"], &detached["courseIds"]], [&json!(["<course>"]), &json!([])]);
    // The course stays detached: both are answered as before.
    let before = world.contents().await;
    expect(&world.ok(&world.acme.coordinator, ATTACH, input.clone()).await, &attached);
    expect(&world.ok(&world.acme.coordinator, DETACH, input).await, &detached);
    assert_eq!(world.contents().await, before);
}

/// D17.
async fn unknown_and_foreign(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    made(&world, "cohort", json!({ "userIds": ["<learner>"] })).await;
    for path in [ATTACH, DETACH] {
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            for course in [UNKNOWN, "<foreign>"] {
                let error = world.refused(actor, path, course_is(course)).await;
                expect(&error, &not_there(path, "valid_course_id"));
            }
        }
    }
    let input = json!({ "courseId": "<course>" });
    only_their_own(&world, &[(ATTACH, input.clone()), (DETACH, input)]).await;
}

async fn by_whom(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    made(&world, "cohort", json!({ "userIds": ["<learner>"] })).await;
    let service = world.service(&[Scope::CohortsWrite]).await;
    for path in [ATTACH, DETACH] {
        refused_to_others(&world, path, &course_is("<course>")).await;
    }
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
        let answer = world.ok(actor, ATTACH, course_is("<course>")).await;
        expect(&answer, &cohort(json!({ "memberCount": 1, "courseIds": ["<course>"] })));
        let answer = world.ok(actor, DETACH, course_is("<course>")).await;
        expect(&answer, &cohort(json!({ "memberCount": 1 })));
    }
    assert_eq!(standing(&world, "<course>", &["<learner>"]).await, json!(["enrolled"]));
}
