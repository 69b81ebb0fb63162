//! `cohort.create`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::{UNKNOWN, cohort, not_there, refused_to_others, standing};
use crate::answers::{audited, each, enrollment};

on_both![
    of_a_name_alone,
    its_members_are_enrolled_at_once,
    the_capacity_is_obeyed,
    a_managed_course_takes_them,
    a_coordinator_s_cohort_enrolls_learners,
    who_is_no_active_member_is_in_it_all_the_same,
    as_many_as_can_be_named,
    under_a_key,
    unknown_and_foreign,
    by_whom,
];

const CREATE: &str = "cohort.create";

async fn of_a_name_alone(world: World) {
    let answer = world.ok(&world.acme.coordinator, CREATE, json!({ "name": "cohort" })).await;
    expect(&answer, &cohort(json!({ "id": "<1>" })));
    let stored = world.ok(&world.acme.coordinator, "cohort.get", json!({ "cohortId": "<1>" })).await;
    expect(&stored, &answer);
}

/// D20: by the system, for the cohort.
async fn its_members_are_enrolled_at_once(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.course("other", json!({})).await;
    let people = ["<learner>", "<peer>", "<author>"];
    let input = json!({ "name": "cohort", "userIds": people, "courseIds": ["<other>", "<course>"] });
    let answer = world.ok(&world.acme.admin, CREATE, input).await;
    let expected = json!({ "id": "<1>", "memberCount": 3, "courseIds": ["<course>", "<other>"] });
    expect(&answer, &cohort(expected));

    let own = world.ok(&world.acme.learner, "enrollment.find", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "id": "<2>", "source": "cohort", "modulesTotal": 1,
        "enrolledAt": "<t2>", "createdAt": "<t2>", "updatedAt": "<t2>",
    });
    expect(&own, &enrollment(expected));
    let history = world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<2>" })).await;
    assert_eq!(each(&history, "kind"), ["enrolled"]);
    assert_eq!(each(&history, "actor"), [json!({ "kind": "system", "id": null })]);
    let data = json!({ "status": "enrolled", "attempt": 1, "source": "cohort" });
    assert_eq!(each(&history, "data"), [audited(data)]);
    for course in ["<course>", "<other>"] {
        assert_eq!(standing(&world, course, &people).await, json!(["enrolled", "enrolled", "enrolled"]));
    }
}

/// D10, D11.
async fn the_capacity_is_obeyed(world: World) {
    world.course("small", json!({ "capacity": 1 })).await;
    world.course("without waitlist", json!({ "capacity": 1, "waitlist": false })).await;
    let people = ["<learner>", "<peer>"];
    let courses = ["<small>", "<without waitlist>"];
    let input = json!({ "name": "cohort", "userIds": people, "courseIds": courses });
    world.ok(&world.acme.admin, CREATE, input).await;
    assert_eq!(standing(&world, "<small>", &people).await, json!(["enrolled", "waitlisted"]));
    assert_eq!(standing(&world, "<without waitlist>", &people).await, json!(["enrolled", null]));
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<small>" })).await;
    let expected = json!({
        "enrolled": 1, "waitlisted": 1, "completed": 0, "cancelled": 0, "expired": 0,
        "capacity": 1, "seatsTaken": 1, "overBy": 0,
    });
    expect(&count, &expected);
}

/// D20.
async fn a_managed_course_takes_them(world: World) {
    world.course("course", json!({ "enrollmentMode": "managed" })).await;
    let input = json!({ "name": "cohort", "userIds": ["<learner>"], "courseIds": ["<course>"] });
    world.ok(&world.acme.coordinator, CREATE, input).await;
    assert_eq!(standing(&world, "<course>", &["<learner>"]).await, json!(["enrolled"]));
}

/// D21.
async fn a_coordinator_s_cohort_enrolls_learners(world: World) {
    world.course("course", json!({})).await;
    let people = ["<learner>", "<author>", "<admin>"];
    let input = json!({ "name": "cohort", "userIds": people, "courseIds": ["<course>"] });
    let answer = world.ok(&world.acme.coordinator, CREATE, input).await;
    expect(&answer, &cohort(json!({ "id": "<1>", "memberCount": 3, "courseIds": ["<course>"] })));
    assert_eq!(standing(&world, "<course>", &people).await, json!(["enrolled", null, null]));
}

/// D19.
async fn who_is_no_active_member_is_in_it_all_the_same(world: World) {
    world.course("course", json!({})).await;
    world.membership("suspend", "<learner>").await;
    world.membership("end", "<peer>").await;
    let people = ["<learner>", "<peer>", "<author>"];
    let input = json!({ "name": "cohort", "userIds": people, "courseIds": ["<course>"] });
    let answer = world.ok(&world.acme.admin, CREATE, input).await;
    expect(&answer, &cohort(json!({ "id": "<1>", "memberCount": 3, "courseIds": ["<course>"] })));
    assert_eq!(standing(&world, "<course>", &people).await, json!([null, null, "enrolled"]));
}

/// Whoever is named several times is in it once.
async fn as_many_as_can_be_named(world: World) {
    world.course("course", json!({})).await;
    for (field, ids, problem) in [
        ("userIds", vec!["<learner>"; 1001], "more than 1000"),
        ("courseIds", vec!["<course>"; 101], "more than 100"),
    ] {
        let mut input = json!({ "name": "cohort" });
        input[field] = ids.into();
        let error = world.refused(&world.acme.admin, CREATE, input).await;
        let reason = json!({ "type": "invalidInput", "field": field, "problem": problem });
        expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
    }
    let (users, courses) = (vec!["<learner>"; 1000], vec!["<course>"; 100]);
    let input = json!({ "name": "cohort", "userIds": users, "courseIds": courses });
    let answer = world.ok(&world.acme.admin, CREATE, input).await;
    expect(&answer, &cohort(json!({ "id": "<1>", "memberCount": 1, "courseIds": ["<course>"] })));
}

async fn under_a_key(world: World) {
    world.course("course", json!({})).await;
    let mut input = json!({
        "name": "cohort", "userIds": ["<learner>"], "courseIds": ["<course>"], "idempotencyKey": "k",
    });
    let first = world.ok(&world.acme.coordinator, CREATE, input.clone()).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.coordinator, CREATE, input.clone()).await, &first);
    assert_eq!(world.contents().await, before);

    input["userIds"] = json!(["<peer>"]);
    let error = world.refused(&world.acme.coordinator, CREATE, input).await;
    expect(&error, &refusal(CREATE, "UNPROCESSABLE_CONTENT", json!(null)));
}

/// D17: nothing is made of the others either.
async fn unknown_and_foreign(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
        for (user, course, rule) in [
            (UNKNOWN, "<course>", "valid_user_id"),
            ("<globex learner>", "<course>", "valid_user_id"),
            ("<global admin>", "<course>", "valid_user_id"),
            ("<peer>", UNKNOWN, "valid_course_id"),
            ("<peer>", "<foreign>", "valid_course_id"),
        ] {
            let (users, courses) = (["<learner>", user], ["<course>", course]);
            let input = json!({ "name": "cohort", "userIds": users, "courseIds": courses });
            let error = world.refused(actor, CREATE, input).await;
            expect(&error, &not_there(CREATE, rule));
        }
    }
}

async fn by_whom(world: World) {
    let input = json!({ "name": "cohort" });
    refused_to_others(&world, CREATE, &input).await;
    let service = world.service(&[Scope::CohortsWrite]).await;
    let actors = [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service];
    for (actor, number) in actors.into_iter().zip(1..) {
        let answer = world.ok(actor, CREATE, input.clone()).await;
        let expected = json!({ "id": format!("<{number}>"), "createdAt": format!("<t{number}>") });
        expect(&answer, &cohort(expected));
    }
}
