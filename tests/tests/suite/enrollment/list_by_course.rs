//! `enrollment.listByCourse`

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use crate::answers::{each, last_page, roster_entry};

on_both![
    a_roster,
    notes_for_those_who_may_read_them,
    by_status,
    by_name,
    by_name_letter_for_letter,
    page_by_page,
    places_on_the_waitlist,
    to_whom,
    unknown_and_foreign,
];

const LIST: &str = "enrollment.listByCourse";

async fn a_roster(world: World) {
    world.course("course", json!({})).await;
    world.course("other", json!({})).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    world.ok(&world.acme.peer, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    world.ok(&world.acme.peer, "enrollment.enroll", json!({ "courseId": "<other>" })).await;
    let answer = world.ok(&world.acme.coordinator, LIST, json!({ "courseId": "<course>" })).await;
    let peer = json!({
        "id": "<2>", "userId": "<peer>", "enrolledAt": "<t2>", "createdAt": "<t2>", "updatedAt": "<t2>",
    });
    expect(&answer, &last_page([roster_entry("learner", json!({})), roster_entry("peer", peer)]));
}

async fn notes_for_those_who_may_read_them(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" });
    world.ok(&world.acme.admin, "enrollment.enroll", input).await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for (actor, notes) in [
        (&world.acme.author, json!(null)),
        (&world.acme.coordinator, json!("a note")),
        (&world.acme.admin, json!("a note")),
        (&world.global_admin, json!("a note")),
        (&reader, json!(null)),
    ] {
        let answer = world.ok(actor, LIST, json!({ "courseId": "<course>" })).await;
        let expected = json!({ "source": "coordinator", "enrolledByUserId": "<admin>", "notes": notes });
        expect(&answer, &last_page([roster_entry("learner", expected)]));
    }
}

async fn by_status(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "stays").await;
    world.enrolled(&world.acme.peer, "<course>", "left").await;
    world.cancelled("<left>").await;
    for (statuses, expected) in [
        (json!(["enrolled"]), vec!["<stays>"]),
        (json!(["cancelled"]), vec!["<left>"]),
        (json!(["completed"]), vec![]),
        (json!(null), vec!["<stays>", "<left>"]),
    ] {
        let input = json!({ "courseId": "<course>", "statuses": statuses });
        let answer = world.ok(&world.acme.admin, LIST, input).await;
        assert_eq!(each(&answer, "id"), expected, "{statuses}");
    }
}

async fn found(world: &World, search: &str) -> Vec<Value> {
    let input = json!({ "courseId": "<course>", "search": search });
    let answer = world.ok(&world.acme.admin, LIST, input).await;
    each(&answer, "user").into_iter().map(|user| user["displayName"].clone()).collect()
}

async fn by_name(world: World) {
    world.course("course", json!({})).await;
    for name in ["Ada Lovelace", "100% Bob", "under_score", "back\\slash", "Mesut Özil"] {
        let someone = world.person(name, Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("of {name}")).await;
    }
    for (search, expected) in [
        ("LOVE", vec!["Ada Lovelace"]),
        ("a", vec!["Ada Lovelace", "back\\slash"]),
        ("%", vec!["100% Bob"]),
        ("0%", vec!["100% Bob"]),
        ("_", vec!["under_score"]),
        ("r_s", vec!["under_score"]),
        ("d_r", vec![]),
        ("\\", vec!["back\\slash"]),
        ("'", vec![]),
        ("z", vec!["Mesut Özil"]),
        (" ada", vec![]),
    ] {
        assert_eq!(found(&world, search).await, expected, "{search}");
    }
    // Who has no name is not found by one.
    world.sql("UPDATE users SET display_name = NULL WHERE display_name = 'under_score'").await.unwrap();
    assert_eq!(found(&world, "score").await, [] as [Value; 0]);
}

/// What is searched as it is written is found, whatever its letters.
async fn by_name_letter_for_letter(world: World) {
    world.course("course", json!({})).await;
    let someone = world.person("Mesut Özil", Role::Learner).await;
    world.enrolled(&someone, "<course>", "enrollment").await;
    for search in ["Özil", "özil", "ÖZIL"] {
        assert_eq!(found(&world, search).await, ["Mesut Özil"], "{search}");
    }
}

/// A walk sees each row once, whatever is added or changed meanwhile.
async fn page_by_page(world: World) {
    world.course("course", json!({})).await;
    let enroll = async |number: usize| {
        let someone = world.person(&format!("person {number}"), Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("enrollment {number}")).await;
    };
    for number in 0..25 {
        enroll(number).await;
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    let mut added = 25;
    loop {
        let input = json!({ "courseId": "<course>", "limit": 7, "cursor": cursor });
        let page = world.ok(&world.acme.admin, LIST, input).await;
        seen.extend(each(&page, "id"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert_eq!(each(&page, "id").len(), 7);
        if added < 28 {
            enroll(added).await;
            world.cancelled(&format!("<enrollment {}>", added - 25)).await;
            added += 1;
        }
    }
    let expected: Vec<_> = (0..28).map(|number| format!("<enrollment {number}>")).collect();
    assert_eq!(seen, expected);

    let whole = world.ok(&world.acme.admin, LIST, json!({ "courseId": "<course>", "limit": 28 })).await;
    assert_eq!((each(&whole, "id").len(), &whole["nextCursor"]), (28, &json!(null)));
}

async fn places_on_the_waitlist(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    for number in [1, 2, 3] {
        let someone = world.person(&format!("person {number}"), Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("enrollment {number}")).await;
        if number == 1 {
            // The list keeps the order of first enrolling, the queue that of waiting.
            world.cancelled("<enrollment 1>").await;
        } else if number == 3 {
            let first = world.person("person 1", Role::Learner).await;
            world.enrolled(&first, "<course>", "enrollment 1").await;
        }
    }
    let answer = world.ok(&world.acme.admin, LIST, json!({ "courseId": "<course>" })).await;
    assert_eq!(each(&answer, "waitlistPosition"), [json!(2), json!(null), json!(1)]);
}

async fn to_whom(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    let input = json!({ "courseId": "<course>" });
    let error = world.refused(&world.acme.learner, LIST, input.clone()).await;
    expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
    world.ok(&world.acme.author, LIST, input.clone()).await;
    let error = world.refused(&world.acme.author, LIST, json!({ "courseId": "<other>" })).await;
    expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
    let error = world.refused(&world.service(&[Scope::EnrollmentsWrite]).await, LIST, input).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(LIST, "FORBIDDEN", reason));
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    for course in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let error = world.refused(actor, LIST, json!({ "courseId": course })).await;
            expect(&error, &refusal(LIST, "NOT_FOUND", json!(null)));
        }
    }
}
