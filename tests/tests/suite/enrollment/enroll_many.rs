//! `enrollment.enrollMany`

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use crate::answers::{each, enrollment};

on_both![
    each_row_has_its_answer,
    no_rows,
    a_thousand_rows_at_the_most,
    earlier_rows_queue_first,
    a_row_s_key_makes_it_safe_to_repeat,
    a_row_s_key_with_another_input,
    a_row_s_key_is_not_a_call_s,
    the_call_s_own_key,
    notes_are_for_those_who_may_still_read_them,
    a_coordinator_enrolls_learners,
    people_who_enroll_nobody_else,
    global_admins_and_services,
    invalid_rows,
];

const MANY: &str = "enrollment.enrollMany";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn row(user: &str) -> Value {
    json!({ "courseId": "<course>", "userId": user })
}

fn keyed(key: &str, mut input: Value) -> Value {
    input["idempotencyKey"] = key.into();
    input
}

fn rows(items: impl IntoIterator<Item = Value>) -> Value {
    json!({ "items": items.into_iter().collect::<Vec<_>>() })
}

fn results(results: impl IntoIterator<Item = Value>) -> Value {
    json!({ "results": results.into_iter().collect::<Vec<_>>() })
}

/// A row that was carried out by `<admin>`.
fn done(fields: Value) -> Value {
    let usual = json!({ "source": "coordinator", "enrolledByUserId": "<admin>" });
    json!({ "ok": merged(enrollment(usual), fields) })
}

/// A row that was refused, with the whole shape of a call's error.
fn refused(code: &str, reason: Value) -> Value {
    json!({ "error": refusal(MANY, code, reason) })
}

fn by_rule(rule: &str, mut refused: Value) -> Value {
    refused["error"]["data"]["rule"] = rule.into();
    refused
}

fn role_required() -> Value {
    refused("FORBIDDEN", json!({ "type": "roleRequired" }))
}

async fn each_row_has_its_answer(world: World) {
    world.course("course", json!({})).await;
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    world.person("suspended", Role::Learner).await;
    world.membership("suspend", "<suspended>").await;
    let items = [
        json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" }),
        json!({ "courseId": "<draft>", "userId": "<learner>" }),
        json!({ "courseId": "<foreign>", "userId": "<learner>" }),
        json!({ "courseId": UNKNOWN, "userId": "<learner>" }),
        row("<globex learner>"),
        row(UNKNOWN),
        row("<suspended>"),
        row("<learner>"),
        row("<peer>"),
    ];
    let answer = world.ok(&world.acme.admin, MANY, rows(items)).await;
    let twice = json!({ "type": "alreadyEnrolled", "enrollmentId": "<1>", "status": "enrolled" });
    let not_found = |rule: &str| by_rule(rule, refused("NOT_FOUND", json!(null)));
    let expected = [
        done(json!({ "notes": "a note" })),
        refused("PRECONDITION_FAILED", json!({ "type": "courseNotPublished" })),
        not_found("valid_course_id"),
        not_found("valid_course_id"),
        not_found("valid_user_id"),
        not_found("valid_user_id"),
        refused("FORBIDDEN", json!({ "type": "notAMember" })),
        refused("CONFLICT", twice),
        done(json!({ "id": "<2>", "userId": "<peer>" })),
    ];
    expect(&answer, &results(expected));

    let events = world.ok(&world.acme.admin, "event.since", json!({})).await;
    assert_eq!(each(&events, "kind"), ["enrolled", "enrolled"]);
    assert_eq!(each(&events, "enrollmentId"), ["<1>", "<2>"]);
    assert_eq!(each(&events, "at"), ["<t1>", "<t1>"]);
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    assert_eq!([&count["enrolled"], &count["seatsTaken"]], [2, 2]);
}

async fn no_rows(world: World) {
    let before = world.contents().await;
    let answer = world.ok(&world.acme.admin, MANY, rows([])).await;
    expect(&answer, &results([]));
    assert_eq!(world.contents().await, before);
}

async fn a_thousand_rows_at_the_most(world: World) {
    world.course("course", json!({})).await;
    let error = world.refused(&world.acme.admin, MANY, rows(vec![row("<learner>"); 1001])).await;
    let reason = json!({ "type": "invalidInput", "field": "items", "problem": "more than 1000" });
    expect(&error, &refusal(MANY, "BAD_REQUEST", reason));

    let answer = world.ok(&world.acme.admin, MANY, rows(vec![row("<learner>"); 1000])).await;
    let twice = json!({ "type": "alreadyEnrolled", "enrollmentId": "<1>", "status": "enrolled" });
    let mut expected = vec![refused("CONFLICT", twice); 1000];
    expected[0] = done(json!({}));
    expect(&answer, &results(expected));
}

/// D10, D11: also behind whoever waited before the call.
async fn earlier_rows_queue_first(world: World) {
    world.course("course", json!({ "capacity": 2 })).await;
    world.course("short", json!({ "capacity": 1, "waitlist": false })).await;
    let admin = &world.acme.admin;
    let places = async |users: [&str; 3]| {
        let answer = world.call(admin, MANY, rows(users.map(row))).await.expect("an answer");
        let rows = answer["results"].as_array().expect("results").clone();
        rows.iter().map(|row| json!([row["ok"]["status"], row["ok"]["waitlistPosition"]])).collect::<Value>()
    };
    let first = places(["<peer>", "<learner>", "<author>"]).await;
    assert_eq!(first, json!([["enrolled", null], ["enrolled", null], ["waitlisted", 1]]));
    for name in ["ada", "bob", "cleo"] {
        world.person(name, Role::Learner).await;
    }
    let second = places(["<cleo>", "<bob>", "<ada>"]).await;
    assert_eq!(second, json!([["waitlisted", 2], ["waitlisted", 3], ["waitlisted", 4]]));
    let roster = world.ok(admin, "enrollment.listByCourse", json!({ "courseId": "<course>" })).await;
    let expected = [json!(null), json!(null), json!(1), json!(2), json!(3), json!(4)];
    assert_eq!(each(&roster, "waitlistPosition"), expected);

    let short = |user: &str| json!({ "courseId": "<short>", "userId": user });
    let answer = world.ok(admin, MANY, rows([short("<peer>"), short("<learner>")])).await;
    assert_eq!(answer["results"][0]["ok"]["status"], "enrolled");
    let full = json!({ "type": "courseFull", "capacity": 1 });
    expect(&answer["results"][1], &refused("PRECONDITION_FAILED", full));
}

/// In whichever call, at whichever place, and whatever happened since. What was refused is decided anew.
async fn a_row_s_key_makes_it_safe_to_repeat(world: World) {
    world.course("course", json!({})).await;
    world.draft_in(&world.acme, "draft", json!({})).await;
    let admin = &world.acme.admin;
    let learner = keyed("k1", row("<learner>"));
    let draft = keyed("k2", json!({ "courseId": "<draft>", "userId": "<peer>" }));
    let peer = keyed("k3", row("<peer>"));
    let input = rows([learner.clone(), draft.clone(), peer.clone()]);
    let first = world.ok(admin, MANY, input.clone()).await;
    let expected = [
        done(json!({})),
        refused("PRECONDITION_FAILED", json!({ "type": "courseNotPublished" })),
        done(json!({ "id": "<2>", "userId": "<peer>" })),
    ];
    expect(&first, &results(expected));
    let contents = world.contents().await;
    expect(&world.ok(admin, MANY, input).await, &first);
    assert_eq!(world.contents().await, contents);

    world.ok(&world.acme.learner, "enrollment.unenroll", json!({ "courseId": "<course>" })).await;
    world.ok(admin, "course.publish", json!({ "courseId": "<draft>" })).await;
    let again = world.ok(admin, MANY, rows([peer, draft, learner])).await;
    expect(&again["results"][0], &first["results"][2]);
    assert_eq!(again["results"][1]["ok"]["status"], "enrolled");
    expect(&again["results"][2], &first["results"][0]);
    let now = world.ok(&world.acme.learner, "enrollment.find", json!({ "courseId": "<course>" })).await;
    assert_eq!((&now["status"], &now["attempt"]), (&json!("cancelled"), &json!(1)));
}

async fn a_row_s_key_with_another_input(world: World) {
    world.course("course", json!({})).await;
    let admin = &world.acme.admin;
    world.ok(admin, MANY, rows([keyed("k", row("<learner>"))])).await;
    let noted = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" });
    for other in [row("<peer>"), noted] {
        let input = rows([keyed("k", other), row("<learner>")]);
        let before = world.contents().await;
        let answer = world.ok(admin, MANY, input).await;
        let stands = json!({ "type": "alreadyEnrolled", "enrollmentId": "<1>", "status": "enrolled" });
        let expected = [refused("UNPROCESSABLE_CONTENT", json!(null)), refused("CONFLICT", stands)];
        expect(&answer, &results(expected));
        assert_eq!(world.contents().await, before);
    }
    // It costs the other rows nothing, and the key of another caller is another key.
    let input = rows([keyed("k", row("<peer>")), row("<author>")]);
    let answer = world.ok(admin, MANY, input).await;
    expect(&answer["results"][0], &refused("UNPROCESSABLE_CONTENT", json!(null)));
    assert_eq!(answer["results"][1]["ok"]["userId"], "<author>");
    let answer = world.ok(&world.acme.coordinator, MANY, rows([keyed("k", row("<peer>"))])).await;
    assert_eq!(answer["results"][0]["ok"]["userId"], "<peer>");
}

async fn a_row_s_key_is_not_a_call_s(world: World) {
    world.course("course", json!({})).await;
    let admin = &world.acme.admin;
    let single = world.ok(admin, "enrollment.enroll", keyed("k", row("<peer>"))).await;
    let input = keyed("k", rows([keyed("k", row("<learner>"))]));
    let many = world.ok(admin, MANY, input.clone()).await;
    assert_eq!(many["results"][0]["ok"]["userId"], "<learner>");
    expect(&world.ok(admin, "enrollment.enroll", keyed("k", row("<peer>"))).await, &single);
    expect(&world.ok(admin, MANY, input).await, &many);
    expect(&world.ok(admin, MANY, rows([keyed("k", row("<learner>"))])).await, &many);
}

/// It keeps the whole answer, with the rows that were refused.
async fn the_call_s_own_key(world: World) {
    world.course("course", json!({ "capacity": 1, "waitlist": false })).await;
    let admin = &world.acme.admin;
    let input = keyed("k", rows([row("<learner>"), row("<peer>")]));
    let first = world.ok(admin, MANY, input.clone()).await;
    let full = json!({ "type": "courseFull", "capacity": 1 });
    expect(&first, &results([done(json!({})), refused("PRECONDITION_FAILED", full)]));
    world.ok(&world.acme.learner, "enrollment.unenroll", json!({ "courseId": "<course>" })).await;
    let contents = world.contents().await;
    expect(&world.ok(admin, MANY, input).await, &first);
    assert_eq!(world.contents().await, contents);

    let error = world.refused(admin, MANY, keyed("k", rows([row("<learner>")]))).await;
    expect(&error, &refusal(MANY, "UNPROCESSABLE_CONTENT", json!(null)));
}

/// An answer that was kept is older than the caller's role.
async fn notes_are_for_those_who_may_still_read_them(world: World) {
    world.course("course", json!({})).await;
    let coordinator = &world.acme.coordinator;
    let noted = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" });
    let by_call = keyed("k", rows([noted]));
    let first = world.ok(coordinator, MANY, by_call.clone()).await;
    assert_eq!(first["results"][0]["ok"]["notes"], "a note");
    let other = json!({ "courseId": "<course>", "userId": "<peer>", "notes": "a note" });
    let by_row = rows([keyed("k", other)]);
    world.ok(coordinator, MANY, by_row.clone()).await;

    let demoted = json!({ "userId": "<coordinator>", "role": "learner" });
    world.ok(&world.acme.admin, "member.setRole", demoted).await;
    let kept = world.call(coordinator, MANY, by_call).await;
    let shown = kept.unwrap_or_else(|error| error).to_string();
    assert!(!shown.contains("a note"), "{shown}");
    let answer = world.ok(coordinator, MANY, by_row).await;
    expect(&answer, &results([role_required()]));
}

/// D21: in the rows that ask for more, and in no others.
async fn a_coordinator_enrolls_learners(world: World) {
    world.course("course", json!({})).await;
    let items = [row("<author>"), row("<learner>"), row("<admin>"), row("<coordinator>")];
    let answer = world.ok(&world.acme.coordinator, MANY, rows(items)).await;
    let too_high = by_rule("coordinator_proxy_enrollment_allowed", role_required());
    let themselves = json!({
        "id": "<2>", "userId": "<coordinator>", "source": "self", "enrolledByUserId": null,
    });
    let expected =
        [too_high.clone(), done(json!({ "enrolledByUserId": "<coordinator>" })), too_high, done(themselves)];
    expect(&answer, &results(expected));
}

/// Each row as `enrollment.enroll` takes it: themselves they do, and another's id is not looked up.
async fn people_who_enroll_nobody_else(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("managed", json!({ "enrollmentMode": "managed" })).await;
    let others = [row("<admin>"), row("<globex learner>"), row(UNKNOWN)];
    for (actor, user) in [(&world.acme.learner, "<learner>"), (&world.acme.author, "<author>")] {
        let before = world.contents().await;
        let noted = json!({ "courseId": "<course>", "userId": user, "notes": "a note" });
        let items = [others.to_vec(), vec![noted]].concat();
        let answer = world.ok(actor, MANY, rows(items)).await;
        expect(&answer, &results(vec![role_required(); 4]));
        assert_eq!(world.contents().await, before);

        let answer = world.ok(actor, MANY, rows([others[0].clone(), row(user)])).await;
        expect(&answer["results"][0], &role_required());
        let own = &answer["results"][1]["ok"];
        assert_eq!(
            [&own["userId"], &own["source"], &own["enrolledByUserId"]],
            [&json!(user), &json!("self"), &json!(null)]
        );
    }
    let managed = rows([json!({ "courseId": "<managed>", "userId": "<learner>" })]);
    let answer = world.ok(&world.acme.learner, MANY, managed).await;
    expect(&answer, &results([refused("FORBIDDEN", json!({ "type": "managedCourse" }))]));
    let error = world.refused(&Actor::Anonymous, MANY, rows([row("<learner>")])).await;
    expect(&error, &refusal(MANY, "UNAUTHORIZED", json!(null)));
}

async fn global_admins_and_services(world: World) {
    world.course("course", json!({})).await;
    let items = rows([row("<global admin>"), row("<learner>")]);
    let answer = world.ok(&world.global_admin, MANY, items).await;
    let outside = refused("FORBIDDEN", json!({ "type": "notAMember" }));
    expect(&answer, &results([outside, done(json!({ "enrolledByUserId": "<global admin>" }))]));

    let before = world.contents().await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    let answer = world.ok(&reader, MANY, rows([row("<peer>"), row(UNKNOWN)])).await;
    let scope = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
    expect(&answer, &results(vec![refused("FORBIDDEN", scope); 2]));
    assert_eq!(world.contents().await, before);

    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    let noted = json!({ "courseId": "<course>", "userId": "<author>", "notes": "a note" });
    let answer = world.ok(&writer, MANY, rows([noted, row("<peer>")])).await;
    let at = "<t2>";
    let integrated = done(json!({
        "id": "<2>", "userId": "<peer>", "source": "integration", "enrolledByUserId": null,
        "enrolledAt": at, "createdAt": at, "updatedAt": at,
    }));
    expect(&answer, &results([role_required(), integrated]));
}

/// The call as a whole, with the path of the field.
async fn invalid_rows(world: World) {
    world.course("course", json!({})).await;
    let good = || row("<learner>");
    let unnamed = json!({ "courseId": "<course>" });
    let bad_course = json!({ "courseId": "x", "userId": "<learner>" });
    for (items, field, problem) in [
        (vec![good(), good(), good(), bad_course], "items[3].courseId", "not a UUID"),
        (vec![unnamed], "items[0].userId", "missing field `userId`"),
        (vec![good(), keyed("", good())], "items[1].idempotencyKey", "not 1 to 255 visible ASCII characters"),
        (vec![good(), json!([])], "items[1]", "invalid type: sequence, expected an object"),
    ] {
        let error = world.refused(&world.acme.admin, MANY, rows(items)).await;
        let reason = json!({ "type": "invalidInput", "field": field, "problem": problem });
        expect(&error, &refusal(MANY, "BAD_REQUEST", reason));
    }
}
